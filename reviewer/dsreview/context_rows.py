"""The lines of a changed file as a model sees them: numbered, marked, nothing invisible.

A row is a line of the new file or, between them and without a number, a removed line.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dsreview.change import ChangedFile
from dsreview.patch import Hunk, Line, LineKind, Span, split_lines

MAX_LINE_LENGTH = 2_000
"""Characters of a line that are shown; minified code is not reviewed by reading it."""

_INVISIBLE = re.compile(
    "[\x00-\x08\x0a-\x1f\x7f-\xa0\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2"
    "\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff\ufdd0-\ufdef\ud800-\udfff"
    "\U000110bd\U000110cd\U00013430-\U0001345f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff]"
)


@dataclass(frozen=True, slots=True)
class Row:
    number: int | None
    """Line of the new file; None for a removed line."""
    kind: LineKind
    text: str
    has_newline: bool = True

    @property
    def is_changed(self) -> bool:
        return self.kind is not LineKind.CONTEXT


class Rows:
    """All rows of a file, in order; those outside the hunks only where its text is known."""

    def __init__(self, file: ChangedFile) -> None:
        self._rows: list[Row] = []
        self.of_line: dict[int, int] = {}
        """Index of the row of each line of the new file."""
        self.changed_of_hunk: dict[Hunk, tuple[int, ...]] = {}
        """Indices of the changed rows of each hunk."""
        self._gaps: dict[int, int] = {}
        """For each removed row, the line of the new file that it stood before."""
        self._add_all(file)

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> Row:
        return self._rows[index]

    def place(self, index: int) -> Span:
        """The line of a row in the new file; the gap of a removed one."""
        number = self._rows[index].number
        return Span(self._gaps[index], self._gaps[index]) if number is None else _line(number)

    def of_span(self, span: Span) -> range:
        """Indices from the first to the last known line of `span`, with what was removed."""
        lines = [line for line in (span.start, span.last) if line in self.of_line]
        if len(lines) < 2:
            return range(0)
        return range(self.of_line[lines[0]], self.of_line[lines[1]] + 1)

    def _add_all(self, file: ChangedFile) -> None:
        is_crlf = file.text.count("\r\n") * 2 > file.text.count("\n")
        lines = split_lines(file.text)
        next_line = 1
        for hunk in file.patch.hunks:
            self._add_unchanged(lines, next_line, hunk.new.start, is_crlf)
            self._add_hunk(hunk, is_crlf)
            next_line = hunk.new.stop
        self._add_unchanged(lines, next_line, len(lines) + 1, is_crlf)

    def _add_unchanged(self, lines: list[str], start: int, stop: int, is_crlf: bool) -> None:
        for number in range(start, min(stop, len(lines) + 1)):
            self._add(Row(number, LineKind.CONTEXT, _without_cr(lines[number - 1], is_crlf)))

    def _add_hunk(self, hunk: Hunk, is_crlf: bool) -> None:
        changed: list[int] = []
        next_line = hunk.new.start
        for line in hunk.lines:
            if line.kind is not LineKind.CONTEXT:
                changed.append(len(self._rows))
            if line.new_number is None:
                self._gaps[len(self._rows)] = next_line
            else:
                next_line = line.new_number + 1
            self._add(_row(line, is_crlf))
        self.changed_of_hunk[hunk] = tuple(changed)

    def _add(self, row: Row) -> None:
        if row.number is not None:
            self.of_line[row.number] = len(self._rows)
        self._rows.append(row)


def _line(number: int) -> Span:
    return Span(number, number + 1)


def _row(line: Line, is_crlf: bool) -> Row:
    return Row(line.new_number, line.kind, _without_cr(line.text, is_crlf), line.has_newline)


def _without_cr(text: str, is_crlf: bool) -> str:
    return text.removesuffix("\r") if is_crlf else text


def render_row(row: Row, max_length: int = MAX_LINE_LENGTH) -> str:
    number = "" if row.number is None else str(row.number)
    text = f"{number:>5} {row.kind} {shorten(make_visible(row.text), max_length)}"
    return text if row.has_newline else f"{text}\n      \\ no newline at the end of the file"


def render_gap(num_lines: int) -> str:
    return f"      ... {num_lines} line{'' if num_lines == 1 else 's'}"


def shorten(text: str, max_length: int) -> str:
    """
    >>> shorten("abcdef", 4)
    'abcd ... 2 characters left out'
    """
    if len(text) <= max_length:
        return text
    return f"{text[:max_length]} ... {len(text) - max_length} characters left out"


def make_visible(text: str) -> str:
    """One line, with every character written out that acts, hides or looks like a blank.

    What a model is shown, and what its quotes are compared with.

    >>> make_visible("a" + chr(0x202E) + "b")
    'a\\\\u{202e}b'
    """
    return _INVISIBLE.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    is_raw_byte = 0xDC80 <= code <= 0xDCFF  # surrogateescape of what is not UTF-8
    return f"\\x{code - 0xDC00:02x}" if is_raw_byte else f"\\u{{{code:x}}}"


def merged(spans: Sequence[Span]) -> tuple[Span, ...]:
    """Sorted, touching spans joined."""
    found: list[Span] = []
    for span in sorted(spans):
        if found and span.start <= found[-1].stop and span.num_lines:
            found[-1] = Span(found[-1].start, max(found[-1].stop, span.stop))
        elif not found or span != found[-1]:
            found.append(span)
    return tuple(found)


def runs(indices: Sequence[int]) -> Iterator[range]:
    """Runs of consecutive numbers of an ascending sequence."""
    start = previous = None
    for index in indices:
        if previous is not None and start is not None and index != previous + 1:
            yield range(start, previous + 1)
            start = index
        start = index if start is None else start
        previous = index
    if start is not None and previous is not None:
        yield range(start, previous + 1)
