"""Ways to write a report, one file each."""

from dsreview.outputs import (
    github_annotations,
    gitlab_code_quality,
    json_report,
    markdown,
    rdjson,
    sarif,
    terminal,
)
from dsreview.outputs.base import CodeView, Output, view_for

OUTPUTS: dict[str, Output] = {
    "terminal": terminal.render,
    "json": json_report.render,
    "markdown": markdown.render,
    "sarif": sarif.render,
    "rdjson": rdjson.render,
    "github": github_annotations.render,
    "gitlab": gitlab_code_quality.render,
}

__all__ = ["OUTPUTS", "CodeView", "Output", "view_for"]
