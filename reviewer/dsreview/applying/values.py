"""What is written where, and why it may not be."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, StrEnum

from dsreview.errors import ReviewError


class NotApplied(ReviewError):
    """A file that was left as it is, and why."""


class Target(Enum):
    """What holds the reviewed content, and so gets the new one."""

    WORKTREE = "the file on disk"
    INDEX_AND_WORKTREE = "the index and the file on disk"


@dataclass(frozen=True, slots=True)
class Rewrite:
    """New content for one file of the repository."""

    path: str
    before: bytes
    """As it was reviewed, with what was applied since."""
    after: bytes
    summary: str
    """What is done, for people, in a few words: the rule and its line."""


class Step(StrEnum):
    """Where an application is when it has taken a step that outlives the process."""

    NOTED = "noted in the journal"
    STORED = "blob stored"
    LOCKED = "index locked"
    INDEX_READY = "new index written beside the old one"
    FILE_READY = "new file written apart"
    SWAPPED = "file swapped in"
    FILE_DONE = "old file dropped"
    INDEX_DONE = "new index in place"
    CLOSED = "journal closed"


OnStep = Callable[[Step], None]


def no_step(_step: Step) -> None:
    """Nobody asks how far it is."""


def in_words(error: Exception) -> str:
    """What failed, and where, if the system says."""
    if not isinstance(error, OSError):
        return str(error)
    where = f"{os.fsdecode(error.filename)}: " if isinstance(error.filename, str | bytes) else ""
    return f"{where}{error.strerror}"
