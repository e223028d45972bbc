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
_CLOSES: Final = re.compile(r"[\W_]*(end|fi|done|esac|else|begin|do|then)?[\W_]*")


def _repeats_nothing(candidate: Candidate, _: Sandbox) -> Violation | None:
    span = candidate.edit.span
    lines = [line.rstrip() for line in candidate.lines]
    new = [line.rstrip() for line in candidate.edit.lines]
    old = [line.rstrip() for line in candidate.replaced]
    before, after = lines[: span.start - 1], lines[span.stop - 1 :]
    for count in range(1, min(_MAX_REPEATED, len(new)) + 1):
        head, tail = new[:count], new[-count:]
        if head == before[-count:] and head != old[:count] and _says_something(head):
            return Violation(_NAME, f"line {span.start} repeats the line before", _line(span.start))
        if tail == after[:count] and tail != old[-count:] and _says_something(tail):
            last = candidate.edited_span.last
            return Violation(_NAME, f"line {last} repeats the line after", _line(last))
    return None


def _says_something(lines: list[str]) -> bool:
    return any(_CLOSES.fullmatch(line) is None for line in lines)


def _line(number: int) -> Span:
    return Span(number, number + 1)


REPEATS_NOTHING = Constraint(
    name=_NAME,
    requirement="it repeats neither the line before nor the line after the lines it replaces",
    check=_repeats_nothing,
)
