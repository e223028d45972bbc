"""What the user asked to have reviewed."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class SourceRequest:
    """Where a change comes from; at most one of the ways is given.

    Nothing given: the worktree against HEAD. Text fields are as the user typed them.
    """

    folder: Path
    """Where the command runs; any folder of the repository."""
    revision: str = ""
    """`REV` (the worktree against it), `A..B` or `A...B` (from their merge base)."""
    is_staged: bool = False
    """The index against HEAD."""
    commit: str = ""
    """One commit against its first parent."""
    patch: bytes | None = None
    """A patch, as it was read from a file or from standard input."""
    paths: tuple[str, ...] = ()
    """Only these files and folders, literally, relative to `folder`."""
    with_untracked: bool = False
    """Also files that git does not track and `.gitignore` does not name."""
    git_dir: Path | None = None
    """The repository, where git said it; else it is looked for from `folder` upwards."""
    index: bytes | None = None
    """For `is_staged`: an index as it was read earlier, instead of the one in effect."""
    onto: str | None = None
    """For `is_staged`: the commit below it, or `NOTHING`; None is HEAD."""


@dataclass(frozen=True, slots=True)
class Location:
    """Which repository is meant."""

    folder: Path
    """Any folder of it."""
    git_dir: Path | None = None
    """Its git folder, where git itself said it; see `SourceRequest`."""
