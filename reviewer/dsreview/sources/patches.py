"""A patch from a file or from standard input, on the files it belongs to.

Three cases: it applies to HEAD; the worktree has it already; neither, and then
only its hunks are known. The first two are decided by the blob ids of its `index`
lines, and where it has none, by applying its hunks exactly where they say.
"""

import re
from collections.abc import Iterator, Mapping

from dsreview.change import Change
from dsreview.diff_parser import ForeignPatch, PatchedFile
from dsreview.errors import PatchError
from dsreview.patch import FileKind, FilePatch, FileStatus, LineKind, Patch, kind_of_mode
from dsreview.sources.hunk_application import apply_hunks, reverse
from dsreview.sources.objects import ObjectStore
from dsreview.sources.revisions import resolve_head
from dsreview.sources.sides import Place, Sides
from dsreview.sources.snapshots import MemorySnapshot
from dsreview.sources.trees import TreeEntry, list_tree, write_tree
from dsreview.sources.uncommitted import read_tracked, worktree_of
from dsreview.sources.worktree import WorktreeReader, add_file

_SUBPROJECT = re.compile(r"Subproject commit ([0-9a-f]{40}|[0-9a-f]{64})")


_SETTINGS = re.compile(r"\.dsreview|pyproject\.toml$")


class DoesNotApply(Exception):
    """A line of the patch is not where it says."""


def place_patch(place: Place, patch: ForeignPatch) -> Sides | None:
    """The trees before and after; None where it fits neither HEAD nor the worktree."""
    head = resolve_head(place.room)
    base_tree = list_tree(place.room, head or place.room.empty_tree)
    worktree: Mapping[str, TreeEntry] | None = None
    for by_ids in (True, False):
        after = _try(base_tree.files, patch.files, place.store, by_ids=by_ids)
        if after is not None:
            tree = write_tree(place.store, after, base_tree.folder_ids)
            return Sides(
                head or place.room.empty_tree,
                tree,
                head or "(nothing)",
                "the patch",
                (*patch.notes, "the patch applies to HEAD and was reviewed on its files"),
                _unreadable(patch),
            )
        if place.room.repository.worktree is None:
            continue
        if worktree is None:
            worktree = _read_worktree(place, patch)
        undone = tuple(
            PatchedFile(reverse(one.file), one.new_id, one.old_id, one.line)
            for one in reversed(patch.files)
        )
        before = _try(worktree, undone, place.store, by_ids=by_ids)
        if before is not None:
            return Sides(
                write_tree(place.store, before, base_tree.folder_ids),
                write_tree(place.store, worktree, base_tree.folder_ids),
                "the worktree without the patch",
                "worktree",
                (*patch.notes, "the worktree has the patch already and was reviewed as it is"),
                _unreadable(patch),
            )
    return None


def _read_worktree(place: Place, patch: ForeignPatch) -> Mapping[str, TreeEntry]:
    found = read_tracked(place)
    with WorktreeReader(worktree_of(place)) as reader:
        for one in patch.files:
            if one.file.path not in found.files:
                add_file(reader, one.file.path, place.store, found)
    return found.files


def _try(
    files: Mapping[str, TreeEntry],
    patch: tuple[PatchedFile, ...],
    store: ObjectStore,
    *,
    by_ids: bool,
) -> dict[str, TreeEntry] | None:
    after = dict(files)
    folders = {folder for path in files for folder in _folders(path)}
    try:
        for one in patch:
            if _is_in_the_way(one.file.path, after, folders):
                return None
            _apply(after, one, store, by_ids=by_ids)
            folders.update(_folders(one.file.path))
    except DoesNotApply:
        return None
    return after


def _folders(path: str) -> Iterator[str]:
    """The folders that hold a file, innermost first."""
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


def _is_in_the_way(path: str, files: Mapping[str, TreeEntry], folders: set[str]) -> bool:
    """A file stands where the path needs a folder, or a folder where it needs a file."""
    if any(folder in files for folder in _folders(path)):
        return True
    return path in folders and any(one.startswith(f"{path}/") for one in files)


def _apply(
    files: dict[str, TreeEntry], one: PatchedFile, store: ObjectStore, *, by_ids: bool
) -> None:
    file = one.file
    if file.status is FileStatus.ADDED:
        if file.path in files:
            raise DoesNotApply
        entry = None
    else:
        entry = files.get(file.old_path)
        if entry is None or kind_of_mode(entry.mode) is not kind_of_mode(file.old_mode):
            raise DoesNotApply
        if by_ids and not (one.old_id and entry.oid.startswith(one.old_id)) and file.hunks:
            raise DoesNotApply
    new = _new_entry(entry, one, store)
    if file.status in (FileStatus.RENAMED, FileStatus.DELETED):
        files.pop(file.old_path)
    if new is not None:
        files[file.path] = new


def _new_entry(entry: TreeEntry | None, one: PatchedFile, store: ObjectStore) -> TreeEntry | None:
    """None where the file is gone, or its new content unknown."""
    file = one.file
    if FileKind.SUBMODULE in (kind_of_mode(file.new_mode), kind_of_mode(file.old_mode)):
        return _new_link(entry, file)
    if file.is_binary:
        return None if file.status is FileStatus.DELETED else entry
    old, added = b"", file.hunks
    if entry is not None:
        content = store.blob(entry.oid)
        if content is None:
            raise DoesNotApply
        old = content
    if file.status is FileStatus.TYPE_CHANGED:
        removed = [hunk for hunk in file.hunks if hunk.old.num_lines]
        added = tuple(hunk for hunk in file.hunks if not hunk.old.num_lines)
        if apply_hunks(old, removed) != b"":
            raise DoesNotApply
        old = b""
    elif not _is_anchored(file) and not (entry and one.old_id and entry.oid.startswith(one.old_id)):
        raise DoesNotApply
    new = apply_hunks(old, added)
    if new is None or (file.status is FileStatus.DELETED and new):
        raise DoesNotApply
    if file.status is FileStatus.DELETED:
        return None
    return TreeEntry(file.new_mode or 0o100644, store.write("blob", new))


def _is_anchored(file: FilePatch) -> bool:
    """Every hunk holds a line of the old file, so that it cannot fit by chance."""
    return file.status is FileStatus.ADDED or all(
        any(line.kind is not LineKind.ADDED for line in hunk.lines) for hunk in file.hunks
    )


def _new_link(entry: TreeEntry | None, file: FilePatch) -> TreeEntry | None:
    if file.status is FileStatus.DELETED:
        return None
    for line in (line for hunk in file.hunks for line in hunk.lines):
        match = _SUBPROJECT.match(line.text)
        if match and line.kind is LineKind.ADDED:
            return TreeEntry(0o160000, match.group(1))
    return entry


def _unreadable(patch: ForeignPatch) -> tuple[FilePatch, ...]:
    return tuple(one.file for one in patch.files if one.file.is_binary or not one.file.hunks)


def hunks_only(patch: ForeignPatch, reason: str) -> Change:
    """The change of a patch whose files are not known.

    Raises:
        PatchError: it patches a file twice, so that its line numbers mean nothing.
    """
    seen: set[str] = set()
    for one in patch.files:
        if one.file.path in seen:
            raise PatchError(
                f"line {one.line}: {one.file.path} is patched a second time (several commits?); "
                "give one patch of the whole range, or run where it applies"
            )
        seen.add(one.file.path)
    deleted = dict(_whole_files(patch, FileStatus.DELETED))
    # settings are those of a repository: here its author would be the patch's
    base = MemorySnapshot({k: v for k, v in deleted.items() if not _SETTINGS.match(k)})
    head = MemorySnapshot(dict(_whole_files(patch, FileStatus.ADDED)))
    files = tuple(one.file for one in patch.files)
    notes = (*patch.notes, f"only the patch's own lines are known: {reason}")
    return Change(Patch(files), base, head, "(unknown)", "the patch", is_whole=False, notes=notes)


def _whole_files(patch: ForeignPatch, status: FileStatus) -> Iterator[tuple[str, bytes]]:
    for one in patch.files:
        file = one.file if status is FileStatus.ADDED else reverse(one.file)
        is_regular = kind_of_mode(file.new_mode) is FileKind.REGULAR
        if one.file.status is status and is_regular and not file.is_binary:
            content = apply_hunks(b"", file.hunks)
            if content is not None:
                yield file.path, content
