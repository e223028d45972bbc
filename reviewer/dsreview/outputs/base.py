"""What every output is given, and the questions that several of them ask."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TextIO

from dsreview.change import EmptySnapshot, Snapshot
from dsreview.finding import Finding
from dsreview.patch import Span, split_lines
from dsreview.report import Report


@dataclass(frozen=True, slots=True)
class CodeView:
    """What an output may show beside the report: the files after the change, and how."""

    head: Snapshot = field(default_factory=EmptySnapshot)
    width: int = 100
    """Columns that a reader has; only `terminal` asks."""
    is_colored: bool = False

    def lines(self, path: str) -> list[str]:
        """Lines of a file after the change; empty where it is gone or unknown."""
        content = self.head.read(path)
        return split_lines((content or b"").decode("utf-8", "surrogateescape"))

    def files(self, findings: Iterable[Finding]) -> dict[str, list[str]]:
        """Lines of every file that has a finding, each read once."""
        paths = dict.fromkeys(finding.path for finding in findings)
        return {path: self.lines(path) for path in paths}


class Output(Protocol):
    def __call__(self, report: Report, code: CodeView, /) -> str:
        """The report as text, to be written as UTF-8; ends with a newline."""
        ...


MIN_WIDTH = 40
MAX_WIDTH = 200
PLAIN_WIDTH = 100


def view_for(stream: TextIO, environment: Mapping[str, str], head: Snapshot) -> CodeView:
    """How to write to `stream`: plain where it is no terminal, or NO_COLOR is set."""
    if not stream.isatty():
        return CodeView(head, PLAIN_WIDTH)
    import shutil

    columns = shutil.get_terminal_size((PLAIN_WIDTH, 24)).columns
    is_colored = not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"
    return CodeView(head, min(max(columns, MIN_WIDTH), MAX_WIDTH), is_colored)


def inclusive(span: Span, num_lines: int) -> tuple[int, int]:
    """First and last line, for formats without empty spans: a gap is the line after it.

    A gap at the end of a file is its last line.
    """
    start = span.start
    if span.num_lines == 0 and num_lines:
        start = min(start, num_lines)
    return start, max(start, span.stop - 1)


def line_end_of(lines: list[str]) -> str:
    """What a file's lines end with, for formats whose readers apply text as it is."""
    return "\r\n" if lines and lines[0].endswith("\r") else "\n"
