"""Code as a terminal shows it: numbered, cropped to the width, flagged lines marked."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.cells import chop_cells
from rich.text import Text

from dsreview.finding import Edit
from dsreview.patch import Span
from dsreview.report import count_of
from dsreview.sanitize import terminal_line

NUM_CONTEXT_LINES = 2
MAX_LINES = 12
MAX_ROWS = 4
"""Of one line of code that is longer than the window is wide."""
TAB_WIDTH = 4

NUMBER_STYLE = "dim"
REMOVED_STYLE = "red"
ADDED_STYLE = "green"


@dataclass(frozen=True, slots=True)
class Gutter:
    """Marks and line numbers left of the code; one for a whole finding, so that all aligns."""

    num_digits: int
    width: int

    def line(self, number: int | None, code: str) -> Text:
        """A line that is only there for orientation: dim, and cropped."""
        row = self._start(" ", "", number)
        row.append(f" {readable_code(code, self.width)}", "dim")
        row.truncate(self.width, overflow="ellipsis")
        return row

    def marked_line(
        self, mark: str, mark_style: str, number: int | None, code: str, style: str = ""
    ) -> Iterator[Text]:
        """A line that matters: long ones go on in the next row."""
        room = max(8, self.width - self.num_digits - 7)
        rows = chop_cells(readable_code(code, room * MAX_ROWS), room) or [""]
        for position, part in enumerate(rows[:MAX_ROWS]):
            row = self._start(mark, mark_style, number, is_continued=position > 0)
            is_cut = position == MAX_ROWS - 1 and len(rows) > MAX_ROWS
            row.append(f" {chop_cells(part, room - 1)[0] if is_cut else part}", style)
            if is_cut:
                row.append("…", "dim")
            yield row

    def remark(self, words: str) -> Text:
        return Text(f"    {'':>{self.num_digits}} ┆ {words}", NUMBER_STYLE)

    def _start(
        self, mark: str, mark_style: str, number: int | None, is_continued: bool = False
    ) -> Text:
        row = Text("  ")
        row.append(f"{mark} ", mark_style)
        shown = "" if is_continued or number is None else str(number)
        row.append(f"{shown:>{self.num_digits}} {'┆' if is_continued else '│'}", NUMBER_STYLE)
        return row


def readable_code(code: str, width: int) -> str:
    """One line of a file, safe, without its line end, not much longer than `width`."""
    start = code[: width * 2].removesuffix("\r").rstrip(" ")
    return terminal_line(start.expandtabs(TAB_WIDTH))


def gutter_for(last_line: int, width: int) -> Gutter:
    return Gutter(max(3, len(str(last_line))), width)


def frame(lines: Sequence[str], span: Span, gutter: Gutter, style: str) -> Iterator[Text]:
    """The lines of `span` marked, between a few neighbours; nothing for an unknown file."""
    first = max(1, span.start - NUM_CONTEXT_LINES)
    stop = min(len(lines) + 1, span.stop + NUM_CONTEXT_LINES)
    elided = _elided(span)
    for number in range(first, stop):
        if span.num_lines == 0 and number == span.start:
            yield gutter.remark("lines were removed here")
        if number == elided.start and elided.num_lines:
            yield gutter.remark(count_of(elided.num_lines, "more line"))
        if number in elided:
            continue
        line = lines[number - 1]
        if number in span:
            yield from gutter.marked_line(">", style, number, line)
        else:
            yield gutter.line(number, line)
    if span.num_lines == 0 and span.start >= stop > first:
        yield gutter.remark("lines were removed here")


def diff(lines: Sequence[str], edit: Edit, gutter: Gutter) -> Iterator[Text]:
    """`edit` as removed and added lines; an insertion behind the line it follows."""
    start = edit.span.start
    if edit.span.num_lines == 0 and 1 < start <= len(lines) + 1:
        yield gutter.line(start - 1, lines[start - 2])
    old = [(n, lines[n - 1]) for n in range(start, edit.span.stop) if n <= len(lines)]
    new = list(enumerate(edit.lines, start))
    if len(old) < edit.span.num_lines:
        yield gutter.remark(f"replaces {count_of(edit.span.num_lines, 'line')}")
    for mark, style, rows in (("-", REMOVED_STYLE, old), ("+", ADDED_STYLE, new)):
        for number, line in rows[:MAX_LINES]:
            yield from gutter.marked_line(mark, style, number, line, style)
        if len(rows) > MAX_LINES:
            yield gutter.remark(count_of(len(rows) - MAX_LINES, "more line"))


def _elided(span: Span) -> Span:
    """The middle of a long span, which is counted instead of shown."""
    if span.num_lines <= MAX_LINES:
        return Span(span.start, span.start)
    half = MAX_LINES // 2
    return Span(span.start + half, span.stop - half)
