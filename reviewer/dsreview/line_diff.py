"""Hunks between two texts, for what git has no hunks of: the cells of a notebook."""

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from dsreview.patch import Hunk, Line, LineKind, Span, split_lines

NUM_CONTEXT_LINES = 3
MAX_EXACT_LINES = 2_000
"""Beyond, frequent lines are not matched: the exact search is quadratic."""


def diff_hunks(old: str, new: str) -> tuple[Hunk, ...]:
    """Like `git diff`, though where several smallest diffs exist it may be another one."""
    old_lines, new_lines = _ended_lines(old), _ended_lines(new)
    is_large = len(old_lines) + len(new_lines) > MAX_EXACT_LINES
    matcher = SequenceMatcher(None, old_lines, new_lines, autojunk=is_large)
    return tuple(
        _hunk(group, old_lines, new_lines)
        for group in matcher.get_grouped_opcodes(NUM_CONTEXT_LINES)
    )


_Opcode = tuple[str, int, int, int, int]


def _ended_lines(text: str) -> list[str]:
    """Lines with their end, so that a missing last one makes a difference."""
    lines = [f"{line}\n" for line in split_lines(text)]
    if lines and not text.endswith("\n"):
        lines[-1] = lines[-1][:-1]
    return lines


def _hunk(group: Sequence[_Opcode], old: list[str], new: list[str]) -> Hunk:
    lines = tuple(line for opcode in group for line in _lines(opcode, old, new))
    old_span = Span(group[0][1] + 1, group[-1][2] + 1)
    new_span = Span(group[0][3] + 1, group[-1][4] + 1)
    return Hunk(old_span, new_span, "", lines)


def _lines(opcode: _Opcode, old: list[str], new: list[str]) -> Iterator[Line]:
    tag, old_start, old_stop, new_start, new_stop = opcode
    if tag == "equal":
        for offset, text in enumerate(old[old_start:old_stop]):
            numbers = (old_start + offset + 1, new_start + offset + 1)
            yield _line(LineKind.CONTEXT, text, *numbers)
        return
    for number, text in enumerate(old[old_start:old_stop], old_start + 1):
        yield _line(LineKind.REMOVED, text, number, None)
    for number, text in enumerate(new[new_start:new_stop], new_start + 1):
        yield _line(LineKind.ADDED, text, None, number)


def _line(kind: LineKind, text: str, old: int | None, new: int | None) -> Line:
    return Line(kind, text.removesuffix("\n"), old, new, has_newline=text.endswith("\n"))
