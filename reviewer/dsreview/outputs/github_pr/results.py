"""What became of a plan."""

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    POSTED = "posted"
    """Everything is on the pull request now; something was written for it."""
    ALREADY_THERE = "already there"
    """Everything is on the pull request; nothing had to be written."""
    CLOSED = "closed"
    """The pull request takes no comments any more."""
    MOVED = "moved"
    """The head is another one than the one that was reviewed."""
    REFUSED = "refused"
    """GitHub would not take all of it from this token."""
    UNREACHABLE = "unreachable"
    """No answer, or not in time. A later run posts the rest."""


@dataclass(frozen=True, slots=True)
class PostingResult:
    """Every finding of a plan is in exactly one of `posted`, `already_there`, `demoted` and
    `reported`, by its fingerprint."""

    outcome: Outcome
    reason: str
    """One line; empty where all is well."""
    posted: tuple[str, ...] = ()
    """Where the plan wanted them."""
    already_there: tuple[str, ...] = ()
    demoted: tuple[str, ...] = ()
    """On their file or in the summary, since GitHub would not take them on their lines."""
    reported: tuple[str, ...] = ()
    """Not on the pull request: to be told elsewhere, as annotations."""
    notes: tuple[str, ...] = ()
    """One line each: what else was not done, and why."""
    num_requests: int = 0
    waited_s: float = 0.0

    @property
    def is_delivered(self) -> bool:
        return self.outcome in (Outcome.POSTED, Outcome.ALREADY_THERE)
