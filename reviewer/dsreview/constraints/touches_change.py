"""The edit must change only lines that the change under review added, or fill its gaps.

Unchanged lines may be named if they come back as they were, in their order.
"""

from collections.abc import Iterator
from typing import Final

from dsreview.constraints.base import Candidate, Constraint, Violation
from dsreview.patch import Span
from dsreview.sandbox import Sandbox

_NAME: Final = "touches-change"


def _touches_change(candidate: Candidate, _: Sandbox) -> Violation | None:
    span, written = candidate.edit.span, candidate.edit.lines
    if not span.num_lines and any(_is_open(candidate, at) for at in _same_insertions(candidate)):
        return None
    if not written and any(_is_added(candidate, same) for same in _same_deletions(candidate)):
        return None
    added = candidate.file.patch.added_lines
    reached = {0}  # how many written lines may stand before the line looked at
    for line in range(span.start, span.stop):
        reached = _opened(reached, line, candidate)
        if line not in added:
            text = candidate.lines[line - 1]
            reached = {at + 1 for at in reached if written[at : at + 1] == (text,)}
        if not reached:
            message = f"line {line} was not changed and must stay as it is"
            return Violation(_NAME, message, Span(line, line + 1))
    if len(written) in _opened(reached, span.stop, candidate):
        return None
    return Violation(_NAME, f"line {span.last} is not next to a changed line", span)


def _opened(reached: set[int], line: int, candidate: Candidate) -> set[int]:
    """With any number of lines more, where lines may be inserted before `line`."""
    if not _is_open(candidate, line):
        return reached
    return set(range(min(reached), len(candidate.edit.lines) + 1))


def _is_open(candidate: Candidate, line: int) -> bool:
    """Whether lines may be inserted before `line`."""
    patch = candidate.file.patch
    return line in patch.gaps or not patch.added_lines.isdisjoint({line - 1, line})


def _is_added(candidate: Candidate, span: Span) -> bool:
    return candidate.file.patch.added_lines.issuperset(range(span.start, span.stop))


def _same_deletions(candidate: Candidate) -> Iterator[Span]:
    """Lines whose deletion gives the same file: a block and its repetition slide together."""
    lines, span = candidate.lines, candidate.edit.span
    start, stop = span.start, span.stop
    while start > 1 and lines[start - 2] == lines[stop - 2]:
        start, stop = start - 1, stop - 1
        yield Span(start, stop)
    start, stop = span.start, span.stop
    while stop <= len(lines) and lines[start - 1] == lines[stop - 1]:
        start, stop = start + 1, stop + 1
        yield Span(start, stop)


def _same_insertions(candidate: Candidate) -> Iterator[int]:
    """Lines before which the same insertion, begun elsewhere in its lines, gives the same file."""
    lines, new, start = candidate.lines, candidate.edit.lines, candidate.edit.span.start
    yield start
    if not new:
        return
    for step in range(1, start):
        if lines[start - 1 - step] != new[-1 - (step - 1) % len(new)]:
            break
        yield start - step
    for step in range(len(lines) - start + 1):
        if lines[start - 1 + step] != new[step % len(new)]:
            break
        yield start + step + 1


TOUCHES_CHANGE = Constraint(
    name=_NAME,
    requirement="it changes only lines marked as added, or inserts next to them",
    check=_touches_change,
)
