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
    return tuple(
        _hunk(group, old_lines, new_lines)
        for group in _groups(_opcodes(old_lines, new_lines), NUM_CONTEXT_LINES)
    )


_Opcode = tuple[str, int, int, int, int]


def _ended_lines(text: str) -> list[str]:
    """Lines with their end, so that a missing last one makes a difference."""
    lines = [f"{line}\n" for line in split_lines(text)]
    if lines and not text.endswith("\n"):
        lines[-1] = lines[-1][:-1]
    return lines


def _opcodes(old: list[str], new: list[str]) -> Iterator[_Opcode]:
    """As of SequenceMatcher, which only sees what lies between equal starts and ends."""
    shortest = min(len(old), len(new))
    head = next((at for at in range(shortest) if old[at] != new[at]), shortest)
    rest = shortest - head
    tail = next((at for at in range(rest) if old[-1 - at] != new[-1 - at]), rest)
    old_middle, new_middle = old[head : len(old) - tail], new[head : len(new) - tail]
    is_large = len(old_middle) + len(new_middle) > MAX_EXACT_LINES
    matcher = SequenceMatcher(None, old_middle, new_middle, autojunk=is_large)
    if head:
        yield "equal", 0, head, 0, head
    for tag, old_start, old_stop, new_start, new_stop in matcher.get_opcodes():
        yield tag, head + old_start, head + old_stop, head + new_start, head + new_stop
    if tail:
        yield "equal", len(old) - tail, len(old), len(new) - tail, len(new)


def _groups(opcodes: Iterator[_Opcode], size: int) -> Iterator[list[_Opcode]]:
    """Changes with up to `size` equal lines around them; those near each other together."""
    group: list[_Opcode] = []
    lead: list[_Opcode] = []
    for opcode in opcodes:
        tag, old_start, old_stop, new_start, new_stop = opcode
        length = old_stop - old_start
        if tag != "equal":
            group = group or lead
            group.append(opcode)
            continue
        kept = min(length, size)
        if group and length > 2 * size:
            yield [*group, (tag, old_start, old_start + kept, new_start, new_start + kept)]
            group = []
        if group:
            group.append(opcode)
        lead = [(tag, old_stop - kept, old_stop, new_stop - kept, new_stop)]
    if group and group[-1][0] == "equal":
        tag, old_start, old_stop, new_start, _ = group.pop()
        kept = min(old_stop - old_start, size)
        group.append((tag, old_start, old_start + kept, new_start, new_start + kept))
    if group:
        yield group


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
