"""A change as values: spans, lines, hunks, files.

Lines are 1-based and end at "\\n" only (a "\\r" stays part of the line's text, as
git counts). Paths are posix, relative to the root of the repository. Text that is
not UTF-8 is decoded with `surrogateescape`, so that it can be written back.
"""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Lines `start` up to, not including, `stop`; 1-based.

    An empty span (`start == stop`) is the gap before line `start`: that is how
    an insertion, or the place of removed lines, is written.
    """

    start: int
    stop: int

    def __post_init__(self) -> None:
        if not 1 <= self.start <= self.stop:
            raise ValueError(f"not a span: [{self.start}, {self.stop})")

    @property
    def last(self) -> int:
        """Last line, inclusive, as GitHub and SARIF count; `start` of a gap."""
        return max(self.start, self.stop - 1)

    @property
    def num_lines(self) -> int:
        return self.stop - self.start

    def __contains__(self, line: int) -> bool:
        return self.start <= line < self.stop

    def overlaps(self, other: "Span") -> bool:
        return self.start < other.stop and other.start < self.stop


class LineKind(StrEnum):
    CONTEXT = " "
    ADDED = "+"
    REMOVED = "-"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a hunk, without its line end."""

    kind: LineKind
    text: str
    old_number: int | None
    """Line in the old file; None for an added line."""
    new_number: int | None
    """Line in the new file; None for a removed line."""
    has_newline: bool = True
    """False for a last line that git marks `\\ No newline at end of file`."""


@dataclass(frozen=True, slots=True)
class Hunk:
    old: Span
    new: Span
    heading: str
    """What git wrote behind the second `@@`: a hint, not a scope."""
    lines: tuple[Line, ...]

    @property
    def added(self) -> tuple[int, ...]:
        """Numbers of the added lines, in the new file."""
        return tuple(
            line.new_number
            for line in self.lines
            if line.kind is LineKind.ADDED and line.new_number is not None
        )

    @property
    def gaps(self) -> tuple[int, ...]:
        """Lines of the new file before which old lines went without replacement."""
        found: list[int] = []
        next_new = self.new.start
        removed = False
        added = False
        for line in (*self.lines, None):
            if line is not None and line.kind is LineKind.REMOVED:
                removed = True
                continue
            if line is not None and line.kind is LineKind.ADDED:
                added = True
            else:
                if removed and not added:
                    found.append(next_new)
                removed = added = False
            if line is not None and line.new_number is not None:
                next_new = line.new_number + 1
        return tuple(found)


class FileStatus(StrEnum):
    ADDED = "added"
    DELETED = "deleted"
    MODIFIED = "modified"
    RENAMED = "renamed"
    COPIED = "copied"
    TYPE_CHANGED = "type changed"


class FileKind(StrEnum):
    REGULAR = "regular"
    SYMLINK = "symlink"
    SUBMODULE = "submodule"
    ABSENT = "absent"


def kind_of_mode(mode: int) -> FileKind:
    """What a git file mode (for example 0o100644) stands for."""
    kinds = {0o120000: FileKind.SYMLINK, 0o160000: FileKind.SUBMODULE, 0: FileKind.ABSENT}
    return kinds.get(mode & 0o170000, FileKind.REGULAR)


@dataclass(frozen=True, slots=True)
class FilePatch:
    """What happened to one file; `hunks` is empty where nothing textual changed."""

    path: str
    """Path after the change; before it, for a deleted file."""
    old_path: str
    """Path before the change; equal to `path` unless renamed or copied."""
    status: FileStatus
    old_mode: int
    new_mode: int
    """git modes, for example 0o100644; 0 where the file does not exist."""
    hunks: tuple[Hunk, ...] = ()
    is_binary: bool = False

    @property
    def kind(self) -> FileKind:
        """Kind after the change; of a deleted file, before it."""
        return kind_of_mode(self.new_mode or self.old_mode)

    @property
    def added_lines(self) -> frozenset[int]:
        return frozenset(number for hunk in self.hunks for number in hunk.added)

    @property
    def gaps(self) -> frozenset[int]:
        return frozenset(number for hunk in self.hunks for number in hunk.gaps)

    @property
    def num_changed_lines(self) -> int:
        return sum(line.kind is not LineKind.CONTEXT for hunk in self.hunks for line in hunk.lines)


@dataclass(frozen=True, slots=True)
class Patch:
    files: tuple[FilePatch, ...] = ()


def split_lines(text: str) -> list[str]:
    """Lines as git counts them: ended by "\\n" alone, the last one perhaps not.

    >>> split_lines("a\\r\\nb\\x0cc\\n")
    ['a\\r', 'b\\x0cc']
    """
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    return lines
