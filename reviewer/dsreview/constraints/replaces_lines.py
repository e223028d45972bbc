"""The edit must stand in the place of the code that it corrects, not beside it.

A line that is written beside one like it is often that line, corrected, while the wrong
one stays; now and then it is one more of a kind. Nothing tells the two apart but the
author's intent, so this is refused only where the second line can never run.
"""

import re
from collections import Counter
from itertools import pairwise
from typing import Final

from dsreview.constraints.base import Candidate, Constraint, NotVerifiable, Violation
from dsreview.constraints.line_pairs import (
    Core,
    core,
    have_one_role,
    is_code,
    is_jump,
    likeness,
    pairs,
    shared_tokens,
)
from dsreview.patch import Span
from dsreview.sandbox import Sandbox

_NAME: Final = "replaces-lines"
_WANTS_SEMICOLON: Final = frozenset({"java", "c", "cpp", "c_sharp", "php", "rust"})
_CONDITION: Final = re.compile(r"\b(?:if|unless|while|until)\b|&&|\|\|")
_BEGINS_ANEW: Final = re.compile(
    r"\s*(?:[.#@}\])?:&|<>=*/%+-]|case\b|default\b|when\b|elif\b|els(?:e|if)\b|rescue\b|ensure\b|except\b"
    r"|finally\b|catch\b|(?:async\s+)?def\b|class\b|(?:async\s+)?function\b|func?\b|fn\b|\w+\s*:)"
)
"""Can be reached although what stands before it leaves."""
_MANY_TWICE: Final = 2
"""Different lines that an edit writes twice, from which on it seems to hold itself twice."""
_ALIKE_BESIDE: Final = 0.6
"""How like a line that stays a new one may be, where the edit replaces others."""


def _replaces_lines(candidate: Candidate, _: Sandbox) -> Violation | NotVerifiable | None:
    place = candidate.place
    edit = core(candidate)
    fills_gap = not edit.span.num_lines and edit.span.start in candidate.file.patch.gaps
    if place is None or fills_gap:
        return None
    dead = _never_runs(candidate, edit)
    if dead is not None:
        return Violation(_NAME, f"line {dead} can never run", Span(dead, dead + 1))
    replaced = candidate.lines[edit.span.start - 1 : edit.span.stop - 1]
    stands_for = pairs(replaced, edit.lines, frozenset())
    beside = _kept(candidate, edit, place)
    quoted = [
        candidate.lines[number - 1]
        for number in range(place.start, place.stop)
        if number not in edit.span and is_code(candidate.lines[number - 1])
    ]
    is_insertion = not edit.span.num_lines
    again = _written_again(candidate)
    if again is not None:
        return NotVerifiable(_NAME, f"line {again} and others are written twice")
    whole = " ".join(line.strip() for line in edit.lines)  # one line may become several
    if is_insertion and any(likeness(whole, other) > 0 for other in beside):
        message = f"line {edit.span.start} is like one beside it, which stays"
        return NotVerifiable(_NAME, message)
    for at, line in enumerate(edit.lines):
        is_again = line in beside and line not in replaced
        pair = replaced[stands_for[at]] if at in stands_for else None
        is_again = is_again or (pair is not None and _is_closer(line, quoted, pair))
        if not is_code(line) or (pair is not None and not is_again):
            continue
        if any(_may_be_meant_for(line, other, is_insertion or other in quoted) for other in beside):
            number = edit.span.start + at
            return NotVerifiable(_NAME, f"line {number} is like one beside it, which stays")
    return None


def _written_again(candidate: Candidate) -> int | None:
    """The second of two same lines that the edit brings, where it does so with several."""
    new = [line for line in candidate.edit.lines if is_code(line)]
    more = Counter(new) - Counter(candidate.replaced)
    twice = {line for line, times in Counter(new).items() if times > 1 and line in more}
    if len(twice) < _MANY_TWICE:
        return None
    seen: set[str] = set()
    for number, line in enumerate(candidate.edit.lines, candidate.edit.span.start):
        if line in twice and line in seen:
            return number
        seen.add(line)
    return None


def _is_closer(line: str, quoted: list[str], pair: str) -> bool:
    """Whether a quoted line that stays is more like `line` than what it replaces."""
    return any(shared_tokens(line, other) >= shared_tokens(line, pair) for other in quoted)


def _may_be_meant_for(line: str, other: str, is_suspect: bool) -> bool:
    found = likeness(line, other)
    return found > 0 and (is_suspect or found > _ALIKE_BESIDE or have_one_role(line, other))


def _kept(candidate: Candidate, edit: Core, place: Span) -> list[str]:
    """Lines that the change added and that stay: those beside the edit, and the quoted ones.

    A line that stays and was not added is none that the edit may replace, but one that it
    may write a second time.
    """
    lines, span = candidate.lines, edit.span
    added = candidate.file.patch.added_lines
    numbers = [number for number in range(1, len(lines) + 1) if is_code(lines[number - 1])]
    beside: set[int] = set()
    for place_of_edit in (span, candidate.edit.span):  # with and without what comes back
        beside.update([number for number in numbers if number < place_of_edit.start][-1:])
        beside.update([number for number in numbers if number >= place_of_edit.stop][:1])
    quoted = [number for number in numbers if number in place and number not in span]
    written = set(edit.lines)
    return [
        lines[number - 1]
        for number in (*sorted(beside), *quoted)
        if number in added or lines[number - 1] in written
    ]


def _never_runs(candidate: Candidate, edit: Core) -> int | None:
    """A line behind one of its own level that leaves, where the edit wrote one of them."""
    lines = candidate.lines
    rows = [
        *((number, line) for number, line in enumerate(lines[: edit.span.start - 1], 1)),
        *((number, line) for number, line in enumerate(edit.lines, edit.span.start)),
        *enumerate(lines[edit.span.stop - 1 :], edit.written.stop),
    ]
    near = [row for row in rows if edit.written.start - 10 < row[0] < edit.written.stop + 10]
    code = [(number, line) for number, line in near if line.strip()]
    for (number, line), (following, next_line) in pairwise(code):
        is_new = number < edit.written.stop and following >= edit.written.start
        if is_new and _leaves_for_good(line, next_line, candidate.file.language):
            return following
    return None


def _leaves_for_good(line: str, following: str, language: str) -> bool:
    """Nothing of its level runs behind `line`: where it is a whole statement, without condition."""
    if not is_jump(line) or _indent(line) != _indent(following):
        return False
    is_whole = line.rstrip().endswith(";") or language not in _WANTS_SEMICOLON
    goes_on = line.rstrip().endswith(("\\", ",", "(", "[", "{", "|", "&", "+", "=", ":"))
    is_conditional = language in ("ruby", "bash") and _CONDITION.search(line)
    begins_anew = not is_code(following) or _BEGINS_ANEW.match(following)
    return is_whole and not (goes_on or is_conditional or begins_anew)


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


REPLACES_LINES = Constraint(
    name=_NAME,
    requirement="it replaces the lines that are wrong and writes nothing beside them that is "
    "meant in their place",
    check=_replaces_lines,
)
