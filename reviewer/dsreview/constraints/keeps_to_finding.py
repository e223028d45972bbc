"""The edit must be about the lines that the finding is about.

Models miscount: the right lines in the wrong place. Where they stand, the quote of the
finding tells. An edit that reaches further is only suspicious: a line that goes although
the finding does not quote it, and nothing is written in its place, may go for a reason.
"""

from typing import Final

from dsreview.constraints.base import Candidate, Constraint, NotVerifiable, Violation
from dsreview.constraints.line_pairs import Core, core, is_code, is_jump, pairs
from dsreview.patch import Span
from dsreview.sandbox import Sandbox

_NAME: Final = "keeps-to-finding"


def _keeps_to_finding(candidate: Candidate, _: Sandbox) -> Violation | NotVerifiable | None:
    place = candidate.place
    if place is None:
        return None
    edit = core(candidate)
    if not _meets(edit.span, place):
        message = f"line {edit.span.start} is not what the finding quotes: that is line"
        return Violation(_NAME, f"{message} {place.start}", edit.written)
    gone = _unquoted_and_gone(candidate, edit, place)
    if gone is not None:
        return NotVerifiable(_NAME, f"line {gone} goes, and nothing stands for it")
    return None


def _meets(span: Span, place: Span) -> bool:
    if span.num_lines and place.num_lines:
        return span.overlaps(place)
    return span.start <= place.stop and place.start <= span.stop


def _unquoted_and_gone(candidate: Candidate, edit: Core, place: Span) -> int | None:
    """The first such line of the file; also a quoted `return` that nothing stands for."""
    old = candidate.lines[edit.span.start - 1 : edit.span.stop - 1]
    quoted = frozenset(
        at for at, number in enumerate(range(edit.span.start, edit.span.stop)) if number in place
    )
    stands_for = set(pairs(old, edit.lines, quoted).values())
    for at, line in enumerate(old):
        is_unasked = at not in quoted or (is_jump(line) and bool(edit.lines))
        if is_unasked and at not in stands_for and is_code(line):
            return edit.span.start + at
    return None


KEEPS_TO_FINDING = Constraint(
    name=_NAME,
    requirement="it changes the quoted lines, or stands right before or behind them",
    check=_keeps_to_finding,
)
