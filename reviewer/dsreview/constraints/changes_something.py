"""The edit must change more than the space at the ends of lines."""

from typing import Final

from dsreview.constraints.base import Candidate, Constraint, Violation
from dsreview.sandbox import Sandbox

_NAME: Final = "changes-something"


def _changes_something(candidate: Candidate, _: Sandbox) -> Violation | None:
    old = [line.rstrip() for line in candidate.replaced]
    new = [line.rstrip() for line in candidate.edit.lines]
    if _without_blank(old) != _without_blank(new):
        return None
    return Violation(_NAME, "the edit changes nothing", candidate.edited_span)


def _without_blank(lines: list[str]) -> list[str]:
    return [line for line in lines if line]


CHANGES_SOMETHING = Constraint(
    name=_NAME,
    requirement="it changes code, not only blank lines or space at the ends of lines",
    check=_changes_something,
)
