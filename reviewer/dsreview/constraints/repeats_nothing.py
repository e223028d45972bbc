"""The edit must not write again the line before or after the lines it replaces.

Models quote a neighbour as context and forget to replace it. Lines that only close
something repeat by nature; a bracket too many is for the parser to find.
"""

import re
from typing import Final

from dsreview.constraints.base import Candidate, Constraint, Violation
from dsreview.patch import Span
from dsreview.sandbox import Sandbox

_NAME: Final = "repeats-nothing"
_MAX_REPEATED: Final = 8
_DEFINES: Final = re.compile(r"(?:async )?(?:def|class|function|func|fn|fun)\b.*\w.*")
_CLOSES: Final = re.compile(r"[\W_]*(end|fi|done|esac|else|begin|do|then)?[\W_]*")


def _repeats_nothing(candidate: Candidate, _: Sandbox) -> Violation | None:
    span = candidate.edit.span
    lines = [line.rstrip() for line in candidate.lines]
    new = [line.rstrip() for line in candidate.edit.lines]
    old = [line.rstrip() for line in candidate.replaced]
    before, after = lines[: span.start - 1], lines[span.stop - 1 :]
    for count in range(1, min(_MAX_REPEATED, len(new)) + 1):
        head, tail = before[-count:], after[:count]
        if _says_something(head) and _times(head, new) > _times(head, old):
            return Violation(_NAME, f"line {span.start} repeats the line before", _line(span.start))
        back = new[::-1], old[::-1]
        if _says_something(tail) and _times(tail[::-1], back[0]) > _times(tail[::-1], back[1]):
            last = candidate.edited_span.last
            return Violation(_NAME, f"line {last} repeats the line after", _line(last))
    again = next((row for row in _definitions(new) if row[1] in (*before, *after)), None)
    if again is not None and again[1] not in old:
        number = span.start + again[0]
        return Violation(_NAME, f"line {number} begins a definition again", _line(number))
    half, is_odd = divmod(len(new), 2)
    if (
        not is_odd
        and new[:half] == new[half:]
        and _says_something(new)
        and old[:half] != new[:half]
    ):
        middle = span.start + half
        return Violation(_NAME, f"line {middle} begins again what stands before", _line(middle))
    return None


def _definitions(lines: list[str]) -> list[tuple[int, str]]:
    """Those at the margin, where two of the same text are one too many."""
    return [(at, line) for at, line in enumerate(lines) if _DEFINES.match(line)]


def _times(block: list[str], lines: list[str]) -> int:
    """How often `lines` begin with `block`."""
    found = 0
    while block and lines[found * len(block) : (found + 1) * len(block)] == block:
        found += 1
    return found


def _says_something(lines: list[str]) -> bool:
    return any(_CLOSES.fullmatch(line) is None for line in lines)


def _line(number: int) -> Span:
    return Span(number, number + 1)


REPEATS_NOTHING = Constraint(
    name=_NAME,
    requirement="it repeats neither the line before nor the line after the lines it replaces",
    check=_repeats_nothing,
)
