"""Ways to write a report, one file each."""

from dsreview.outputs import json_report, terminal
from dsreview.outputs.base import CodeView, Output, view_for

OUTPUTS: dict[str, Output] = {
    "terminal": terminal.render,
    "json": json_report.render,
}

__all__ = ["OUTPUTS", "CodeView", "Output", "view_for"]
