"""What a hook writes: the findings, what was not reviewed, what to do, and no more."""

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.text import Text

from dsreview.finding import Finding
from dsreview.outputs.base import CodeView
from dsreview.outputs.terminal_page import finding_lines, printed
from dsreview.report import Report, count_of
from dsreview.sanitize import terminal_line

MAX_ROWS = 5
"""Of the findings that are not shown in full, and of the files that were not reviewed."""


def hook_page(report: Report, code: CodeView, closing: Sequence[str]) -> str:
    """The report for somebody who waits for a commit.

    Args:
        closing: the last lines: what it comes to, and what to do.
    """
    return printed(code, lambda console: _lines(report, code, closing, console))


def _lines(
    report: Report, code: CodeView, closing: Sequence[str], console: Console
) -> Iterator[Text]:
    for finding in report.findings[: report.max_findings]:
        yield from finding_lines(finding, code, console)
        yield Text()
    for row in _rows(report):
        yield from Text(terminal_line(row)).wrap(console, code.width)
    for line in closing:
        yield from Text(terminal_line(line), "bold").wrap(console, code.width)


def _rows(report: Report) -> Iterator[str]:
    rest = report.findings[report.max_findings :]
    yield from map(_in_one_line, rest[:MAX_ROWS])
    yield from _more(len(rest), "finding")
    for row in report.gaps[:MAX_ROWS]:
        yield f"{row.state.value}: {row.path} ({row.reason})"
    yield from _more(len(report.gaps), "file")
    for note in report.notes:
        yield f"note: {note}"


def _in_one_line(finding: Finding) -> str:
    return f"{finding.severity.label}: {finding.path}:{finding.span.start} {finding.rule}"


def _more(num: int, noun: str) -> Iterator[str]:
    if num > MAX_ROWS:
        yield f"{count_of(num - MAX_ROWS, f'more {noun}')}"
