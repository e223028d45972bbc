"""The edit must change more than the space at the ends of lines, or where it means nothing."""

import re
from typing import Final

from dsreview.constraints.base import Candidate, Constraint, Violation
from dsreview.sandbox import Sandbox

_NAME: Final = "changes-something"
_INDENTED: Final = frozenset({"python", ""})
"""Space at the start of a line is code, or may be."""
_QUOTED: Final = re.compile(r"[\"'`]")
"""Space inside a string is code in any language."""


def _changes_something(candidate: Candidate, _: Sandbox) -> Violation | None:
    old = [line.rstrip() for line in candidate.replaced]
    new = [line.rstrip() for line in candidate.edit.lines]
    if candidate.file.language not in _INDENTED and not _QUOTED.search("".join(new)):
        old, new = ([line.strip() for line in lines] for lines in (old, new))
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
