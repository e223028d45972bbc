"""Fixes whose text is right and whose place is not."""

from dataclasses import replace
from random import Random

from broken_fixes.cases import Case
from broken_fixes.wording import Broken, rewritten
from dsreview.finding import Edit
from dsreview.patch import Span


def _moved(case: Case, start: int, stop: int) -> Edit | None:
    """The fix in the place of other lines; None where there are none."""
    if not 1 <= start <= stop <= len(case.lines) + 1:
        return None
    return replace(case.edit, span=Span(start, stop))


def one_line_up(case: Case, _: Random) -> Edit | None:
    return _moved(case, case.edit.span.start - 1, case.edit.span.stop - 1)


def one_line_down(case: Case, _: Random) -> Edit | None:
    return _moved(case, case.edit.span.start + 1, case.edit.span.stop + 1)


def one_line_more_above(case: Case, _: Random) -> Edit | None:
    return _moved(case, case.edit.span.start - 1, case.edit.span.stop)


def one_line_more_below(case: Case, _: Random) -> Edit | None:
    return _moved(case, case.edit.span.start, case.edit.span.stop + 1)


def far_too_wide(case: Case, random: Random) -> Edit | None:
    more = random.randint(2, 5)
    return _moved(case, case.edit.span.start, case.edit.span.stop + more)


def one_line_less(case: Case, _: Random) -> Edit | None:
    """The last of the wrong lines stays."""
    span = case.edit.span
    return _moved(case, span.start, span.stop - 1) if span.num_lines else None


def first_line_stays(case: Case, _: Random) -> Edit | None:
    span = case.edit.span
    return _moved(case, span.start + 1, span.stop) if span.num_lines else None


def stale_numbers(case: Case, random: Random) -> Edit | None:
    """Lines came or went above since the numbers were read."""
    step = random.randint(2, 12) * random.choice((1, -1))
    span = case.edit.span
    return _moved(case, span.start + step, span.stop + step)


def stale_quote(case: Case, _: Random) -> Broken:
    """The finding is about code that is no longer there."""
    return Broken(case.edit, quote="qz_gone(before, this) || moved[0]")


def numbers_of_the_old_file(case: Case, random: Random) -> Edit | None:
    """Counted where the removed lines were still there, or where more of them were."""
    step = max(len(case.edit.lines) - case.edit.span.num_lines, 1) + random.randint(0, 2)
    span = case.edit.span
    return _moved(case, span.start + step, span.stop + step)


def somewhere_else(case: Case, random: Random) -> Edit | None:
    span, last = case.edit.span, len(case.lines) + 1
    start = random.randint(1, max(last - span.num_lines, 1))
    if abs(start - span.start) <= 12:
        return None
    return _moved(case, start, start + span.num_lines)


def beyond_the_file(case: Case, random: Random) -> Edit:
    start = len(case.lines) + random.randint(2, 40)
    return replace(case.edit, span=Span(start, start + case.edit.span.num_lines))


def repeats_line_before(case: Case, _: Random) -> Edit | None:
    start = case.edit.span.start
    if start < 2 or not case.lines[start - 2].strip():
        return None
    return rewritten(case, (case.lines[start - 2], *case.edit.lines))


def repeats_line_after(case: Case, _: Random) -> Edit | None:
    stop = case.edit.span.stop
    if stop > len(case.lines) or not case.lines[stop - 1].strip():
        return None
    return rewritten(case, (*case.edit.lines, case.lines[stop - 1]))


def repeats_lines_around(case: Case, _: Random) -> Edit | None:
    start, stop = case.edit.span.start, case.edit.span.stop
    before, after = case.lines[max(start - 4, 0) : start - 1], case.lines[stop - 1 : stop + 2]
    if not any(line.strip() for line in (*before, *after)):
        return None
    return rewritten(case, (*before, *case.edit.lines, *after))


def keeps_the_wrong_lines(case: Case, random: Random) -> Edit | None:
    """Right and wrong lines, one after the other."""
    if not any(line.strip() for line in case.old_lines):
        return None
    pair = [list(case.edit.lines), case.old_lines]
    random.shuffle(pair)
    return rewritten(case, (*pair[0], *pair[1]))


def written_twice(case: Case, _: Random) -> Edit | None:
    return rewritten(case, case.edit.lines * 2)


def defined_twice(case: Case, _: Random) -> Edit | None:
    """The first line of the definition around the fix comes again before it."""
    start = case.edit.span.start
    first = next((line for line in case.edit.lines if line.strip()), "")
    level = len(first) - len(first.lstrip())
    for number in range(start - 1, 0, -1):
        line = case.lines[number - 1]
        if line.strip() and len(line) - len(line.lstrip()) < level:
            return rewritten(case, (line, *case.edit.lines))
    return None
