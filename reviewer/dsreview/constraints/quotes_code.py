"""The code that a finding quotes must exist, and the edit must be about that place."""

from typing import Final

from dsreview.anchors import squeeze
from dsreview.constraints.base import Candidate, Constraint, Violation
from dsreview.sandbox import Sandbox

_NAME: Final = "quotes-code"


def _quotes_code(candidate: Candidate, _: Sandbox) -> Violation | None:
    quote = squeeze(candidate.quote)
    texts = (candidate.file.text, candidate.file.old_text or "")
    if any(quote in squeeze(text) for text in texts) or quote in _removed(candidate):
        return None
    return Violation(_NAME, "the quoted code does not exist", candidate.edited_span)


def _removed(candidate: Candidate) -> str:
    """Lines that the change took away: all that is known of a file without its old text."""
    lines = (line.text for hunk in candidate.file.patch.hunks for line in hunk.lines)
    return squeeze("\n".join(lines))


QUOTES_CODE = Constraint(
    name=_NAME,
    requirement="it is about code that exists",
    check=_quotes_code,
)
