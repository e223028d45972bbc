"""Which files of a change are reviewed, and why the others are not."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from dsreview import languages
from dsreview.change import Change, ChangedFile, Snapshot
from dsreview.errors import ReviewError
from dsreview.ignore_patterns import IgnorePatterns
from dsreview.name_rules import left_out_by_name
from dsreview.notebooks import changed_cells
from dsreview.patch import FileKind, FilePatch, FileStatus, Hunk, LineKind
from dsreview.report import Coverage, CoverageState

IGNORE_FILE = ".dsreviewignore"

MAX_FILE_BYTES = 1_000_000
MAX_LINE_CHARS = 100_000
"""A longer line is data or minified: parsers take minutes over it (10 MB: 50 s)."""

DELETED = "deleted"
"""The removed text is not reviewed; the impact checks look for what still refers to it."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Every file of the change is in exactly one of the two."""

    files: tuple[ChangedFile, ...]
    """What is reviewed; several cells of one notebook share a path."""
    left_out: tuple[Coverage, ...]


@dataclass(frozen=True, slots=True)
class Ignore:
    """Patterns as in `.gitignore`, from one place."""

    where: str
    spec: IgnorePatterns

    def reason(self, path: str) -> str | None:
        deciding = self.spec.decide(path)
        if deciding is None or not deciding.is_ignored:
            return None
        return f"ignored by {self.where}: {deciding.text}"


def ignores(base: Snapshot, exclude: Sequence[str]) -> tuple[Ignore, ...]:
    """The ignore file of the old side and the patterns of the configuration."""
    found = []
    content = base.read(IGNORE_FILE)
    if content is not None:
        lines = content.decode("utf-8", "surrogateescape").split("\n")
        found.append(Ignore(IGNORE_FILE, IgnorePatterns.from_lines(lines)))
    if exclude:
        found.append(Ignore("exclude", IgnorePatterns.from_lines(exclude)))
    return tuple(found)


def select(change: Change, ignored: Sequence[Ignore], *, has_model: bool) -> Selection:
    """Split the files of `change` into what is reviewed and what is not, with reasons."""
    files: list[ChangedFile] = []
    left_out: list[Coverage] = []
    for patch in change.patch.files:
        excluded = _excluded(patch, ignored)
        if excluded:
            left_out.append(_skipped(patch.path, excluded, is_excluded=True))
            continue
        taken, row = _read(change, patch, has_model=has_model)
        files.extend(taken)
        if row is not None:
            left_out.append(row)
    return Selection(tuple(files), tuple(left_out))


def leaves_anything(change: Change, ignored: Sequence[Ignore], *, has_model: bool) -> bool:
    """Whether anybody reads a file of `change`, or it has to be said that nobody can.

    Looks no further than the first one.
    """
    for patch in change.patch.files:
        if _excluded(patch, ignored):
            continue
        taken, row = _read(change, patch, has_model=has_model)
        if taken or (row is not None and (row.is_gap or row.reason == DELETED)):
            return True
    return False


def _excluded(patch: FilePatch, ignored: Sequence[Ignore]) -> str | None:
    """The rule known to the user by which a file is not reviewed."""
    for ignore in ignored:
        reason = ignore.reason(patch.path)
        if reason:
            return reason
    by_name = left_out_by_name(patch.path)
    if by_name is not None:
        return by_name
    if patch.kind is not FileKind.REGULAR:
        return patch.kind.value
    if patch.status is FileStatus.DELETED:
        return None
    if patch.is_binary:
        # git calls a source file over its limit binary; `_read` knows how large it is
        return None if languages.detect(patch.path) else "binary"
    return None if patch.hunks else "no line changed"


def _read(
    change: Change, patch: FilePatch, *, has_model: bool
) -> tuple[tuple[ChangedFile, ...], Coverage | None]:
    """The reviewable texts of one file, or the row that says why there are none."""
    if patch.status is FileStatus.DELETED:
        return (), _skipped(patch.path, DELETED, is_excluded=True)
    size = change.head.size_bytes(patch.path)
    if size is not None and size > MAX_FILE_BYTES:
        reason = f"{size / 1e6:.1f} MB, more than {MAX_FILE_BYTES / 1e6:.0f} MB"
        return (), _skipped(patch.path, reason)
    if patch.is_binary:
        # no way to keep code from being read: one such byte in a comment is enough
        return (), _skipped(patch.path, "holds NUL bytes: git compares it as binary")
    text = _new_text(change, patch)
    if text is None:
        return (), _skipped(patch.path, "its content could not be read")
    if any(len(line) > MAX_LINE_CHARS for line in text.split("\n")):
        return (), _skipped(patch.path, f"a line of more than {MAX_LINE_CHARS:,} characters")
    old_text = _text(change.base, patch.old_path)
    if patch.path.endswith(".ipynb"):
        return _cells(patch, old_text, text)
    first_line = text.partition("\n")[0]
    source = text.encode("utf-8", "surrogateescape")
    language = languages.detect(patch.path, first_line, source)
    if language is None and not has_model:
        reason = "no checks for this kind of file"
        return (), _skipped(patch.path, reason, is_excluded=True)
    name = language.name if language else ""
    return (ChangedFile(patch.path, name, patch, old_text, text),), None


def _cells(
    patch: FilePatch, old_text: str | None, text: str
) -> tuple[tuple[ChangedFile, ...], Coverage | None]:
    try:
        cells = changed_cells(patch, old_text, text)
    except ReviewError as error:
        return (), _skipped(patch.path, str(error))
    if not cells:
        return (), _skipped(patch.path, "no code cell changed", is_excluded=True)
    # a name of its own while it is reviewed; `report_lines` gives the file's back
    return tuple(replace(cell, path=f"{patch.path}#cell{cell.cell}") for cell in cells), None


def _new_text(change: Change, patch: FilePatch) -> str | None:
    """The new file; where only hunks are known, their new side at its line numbers."""
    text = _text(change.head, patch.path)
    if text is not None or change.is_whole:
        return text
    if any(hunk.new.stop > MAX_FILE_BYTES for hunk in patch.hunks):
        return None  # no file that is reviewed has so many lines
    return text_of_hunks(patch.hunks)


def text_of_hunks(hunks: Sequence[Hunk]) -> str:
    """The new side of the hunks, blank lines between them, so that line numbers hold."""
    lines: list[str] = []
    for hunk in hunks:
        lines.extend("" for _ in range(hunk.new.start - 1 - len(lines)))
        lines.extend(line.text for line in hunk.lines if line.kind is not LineKind.REMOVED)
    return "".join(f"{line}\n" for line in lines)


def _text(snapshot: Snapshot, path: str) -> str | None:
    content = snapshot.read(path)
    return None if content is None else content.decode("utf-8", "surrogateescape")


def _skipped(path: str, reason: str, *, is_excluded: bool = False) -> Coverage:
    return Coverage(path, CoverageState.SKIPPED, reason, is_excluded=is_excluded)
