"""The edit must be about the lines that the finding is about.

Models miscount: the right lines in the wrong place. Where they stand, the quote of the
finding tells. An edit that reaches further is only suspicious: a line that goes although
the finding does not quote it, and nothing is written in its place, may go for a reason.
"""

import re
from typing import Final

from dsreview.constraints.base import Candidate, Constraint, NotVerifiable, Violation
from dsreview.constraints.line_pairs import (
    ALIKE,
    Core,
    core,
    is_code,
    is_jump,
    likeness,
    pairs,
    shared_words,
)
from dsreview.patch import Span
from dsreview.sandbox import Sandbox

_NAME: Final = "keeps-to-finding"
_BRANCHES: Final = re.compile(r"[\s}]*(?:else|then|do|finally|ensure)\b")


def _keeps_to_finding(candidate: Candidate, _: Sandbox) -> Violation | NotVerifiable | None:
    place = candidate.place
    if place is None:
        return None
    edit = core(candidate)
    if not _meets(edit.span, _with_blank_lines(place, candidate)):
        message = f"line {edit.span.start} is not what the finding quotes: that is line"
        return Violation(_NAME, f"{message} {place.start}", edit.written)
    gone = _unquoted_and_gone(candidate, edit, place)
    if gone is not None:
        return NotVerifiable(_NAME, f"line {gone} goes, and nothing stands for it")
    return None


def _with_blank_lines(place: Span, candidate: Candidate) -> Span:
    """What is only a blank line away is right beside it."""
    lines, start, stop = candidate.lines, place.start, place.stop
    while start > 1 and not lines[start - 2].strip():
        start -= 1
    while stop <= len(lines) and not lines[stop - 1].strip():
        stop += 1
    return Span(start, stop)


def _meets(span: Span, place: Span) -> bool:
    if span.num_lines and place.num_lines:
        return span.overlaps(place)
    return span.start <= place.stop and place.start <= span.stop


def _unquoted_and_gone(candidate: Candidate, edit: Core, place: Span) -> int | None:
    """The first such line of the file; also a quoted one, where the quote says little about it."""
    if not edit.lines and edit.span == place:
        return None
    old = candidate.lines[edit.span.start - 1 : edit.span.stop - 1]
    quoted = frozenset(
        number - edit.span.start for number in range(place.start, place.stop) if number in edit.span
    )
    new_of = {at: row for row, at in pairs(old, edit.lines, quoted).items()}
    has_code = any(is_code(old[at]) for at in quoted)
    if edit.lines and has_code and quoted.isdisjoint(new_of):
        return edit.span.start + min(quoted)
    # a quote that goes on beyond the edit shows where it belongs, not what is wrong
    is_within = edit.span.start <= place.start and place.stop <= edit.span.stop
    asked = quoted if is_within else frozenset()
    for at, line in enumerate(old):
        may_go = at in asked and not is_jump(line)
        if may_go or not (is_code(line) or _BRANCHES.match(line)):
            continue
        if at not in new_of or not _stands_for(edit.lines[new_of[at]], line, old):
            return edit.span.start + at
    return None


def _stands_for(new: str, line: str, old: list[str]) -> bool:
    """Whether `new` is like `line`, and not more like another replaced line."""
    mine = likeness(new, line)
    share = shared_words(new, line)
    others = (other for other in old if other != line and is_code(other))
    return mine >= ALIKE and all(
        likeness(new, other) + shared_words(new, other) <= mine + share for other in others
    )


KEEPS_TO_FINDING = Constraint(
    name=_NAME,
    requirement="it changes the quoted lines, or stands right before or behind them",
    check=_keeps_to_finding,
)
