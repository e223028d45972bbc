"""A change to review: its patch, and the files on both sides of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from dsreview.patch import FilePatch, Patch


class Snapshot(Protocol):
    """The regular files of one side of a change. Never follows a symlink."""

    def paths(self) -> Sequence[str]:
        """Every regular file, sorted; empty where only hunks are known."""
        ...

    def read(self, path: str) -> bytes | None:
        """Content of a regular file; None where there is none of that name."""
        ...

    def identity(self, path: str) -> str | None:
        """Name of the content (a git blob id), for caches; None where unknown."""
        ...

    def size_bytes(self, path: str) -> int | None:
        """Size without reading it; None where there is no such file."""
        ...


@dataclass(frozen=True, slots=True)
class EmptySnapshot:
    """A side of which nothing is known, or that does not exist."""

    def paths(self) -> Sequence[str]:
        return ()

    def read(self, path: str) -> bytes | None:
        return None

    def identity(self, path: str) -> str | None:
        return None

    def size_bytes(self, path: str) -> int | None:
        return None


@dataclass(frozen=True, slots=True)
class Change:
    patch: Patch
    base: Snapshot
    head: Snapshot
    base_name: str
    """What the user sees: a commit id, `index`, or `(nothing)`."""
    head_name: str
    is_whole: bool = True
    """False where only hunks are known, as for a patch outside a repository."""
    notes: tuple[str, ...] = ()
    """What the user must know of how the change was read, one line each."""
    trusted: Snapshot | None = None
    """Has the settings where `base` does not: for a pull request, the tip of its base branch."""
    focus: frozenset[str] | None = None
    """Files that a model reads, and that the report answers for; None: all. The checks look
    at all of them in any case: what is removed in one breaks another."""

    @property
    def settings(self) -> Snapshot:
        """The only files that configuration, rules and ignore patterns are read from."""
        return self.base if self.trusted is None else self.trusted


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """One reviewable text of the change: a file, or one code cell of a notebook."""

    path: str
    language: str
    """A name of `languages.LANGUAGES`."""
    patch: FilePatch
    """Its hunks count lines of `text`, also for a cell."""
    old_text: str | None
    """None where the file is new (or its old side unknown)."""
    text: str
    cell: int | None = None
    """1-based number of the notebook cell; None for a plain file."""
    line_map: tuple[int, ...] = field(default=())
    """For a cell: line of the notebook file for each line of `text`; else empty."""

    @property
    def source(self) -> bytes:
        """`text` as it stands in the file: what parsers read."""
        return self.text.encode("utf-8", "surrogateescape")

    def file_line(self, line: int) -> int:
        """The line in the file on disk of a line of `text`."""
        if not self.line_map:
            return line
        return self.line_map[min(max(line, 1), len(self.line_map)) - 1]
