"""The report for a person, plain or in the sixteen colours that follow a terminal's theme."""

from dsreview.outputs.base import CodeView
from dsreview.report import Report


def render(report: Report, code: CodeView) -> str:
    from dsreview.outputs.terminal_page import page  # rich costs time that --help must not

    return page(report, code)
