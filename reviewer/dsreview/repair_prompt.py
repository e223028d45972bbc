"""The prompt that asks for a suggestion again: what was wrong with it, and where."""

from dsreview.constraints import CONSTRAINTS, Candidate, Violation
from dsreview.edits import EditError, apply_edit
from dsreview.finding import Finding
from dsreview.patch import Span, split_lines
from dsreview.prompt import Prompt
from dsreview.review_prompt import repair_template

_AROUND = 6
"""Lines shown before and after."""


def repair_prompt(
    finding: Finding, candidate: Candidate, violation: Violation, round_number: int
) -> Prompt:
    """Ask for another suggestion in round 2 or later, each round in other words."""
    template = repair_template()
    requirements = {constraint.name: constraint.requirement for constraint in CONSTRAINTS}
    span = candidate.edit.span
    advice = template.advice[min(round_number - 2, len(template.advice) - 1)]
    return template.fill(
        {
            "path": finding.path,
            "language": candidate.file.language or "unknown",
            "line": str(finding.span.start),
            "message": finding.message,
            "code": _listing(candidate, _wide(span, finding.span)),
            "place": _place(span),
            "replacement": _written(candidate),
            "constraint": violation.constraint,
            "violation_line": str(violation.span.start),
            "violation": violation.message,
            "requirement": requirements[violation.constraint],
            "advice": advice,
            "allowed": _allowed(candidate, finding),
        }
    )


def _wide(span: Span, finding: Span) -> Span:
    start = max(1, min(span.start, finding.start) - _AROUND)
    return Span(start, max(span.stop, finding.stop) + _AROUND)


def _listing(candidate: Candidate, span: Span) -> str:
    """Lines with number and mark, as the review showed them."""
    added = candidate.file.patch.added_lines
    rows = enumerate(candidate.lines[span.start - 1 : span.stop - 1], span.start)
    marked = ((number, "+" if number in added else " ", text) for number, text in rows)
    return "\n".join(f"{number:>5} {mark} {text}" for number, mark, text in marked)


def _written(candidate: Candidate) -> str:
    """What the edit wrote, numbered as violations count: in the edited file."""
    try:
        edited = split_lines(apply_edit(candidate.file.text, candidate.edit))
    except EditError:
        return "\n".join(candidate.edit.lines)
    span = candidate.edited_span
    rows = enumerate(edited[span.start - 1 : span.stop - 1], span.start)
    return "\n".join(f"{number:>5}   {text}" for number, text in rows) or "(nothing)"


def _place(span: Span) -> str:
    if not span.num_lines:
        return f"nothing before line {span.start}"
    return f"lines {span.start} to {span.last}"


def _allowed(candidate: Candidate, finding: Finding) -> str:
    """The changed lines of the hunks around the finding, as ranges."""
    numbers = sorted(candidate.file.patch.added_lines)
    ranges: list[Span] = []
    for number in numbers:
        if ranges and ranges[-1].stop == number:
            ranges[-1] = Span(ranges[-1].start, number + 1)
        else:
            ranges.append(Span(number, number + 1))
    near = sorted(ranges, key=lambda span: abs(span.start - finding.span.start))[:5]
    text = ", ".join(_range(span) for span in sorted(near))
    gaps = sorted(candidate.file.patch.gaps)
    before = ", ".join(str(gap) for gap in gaps[:5])
    inserts = f"insertion before line {before}" if before else ""
    return "; ".join(part for part in (text, inserts) if part) or "none"


def _range(span: Span) -> str:
    return str(span.start) if span.num_lines == 1 else f"{span.start} to {span.last}"
