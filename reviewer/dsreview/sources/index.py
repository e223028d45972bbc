"""The index, copied and listed; the original is never opened by git."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from dsreview.errors import GitError, UsageError
from dsreview.sources.clean_room import CleanRoom
from dsreview.sources.data_files import read_data
from dsreview.sources.repository import Repository
from dsreview.sources.trees import TreeEntry, list_tree

_ENTRY = re.compile(
    rb"(\d{6}) ([0-9a-f]+) ([0-3])\t([^\0]+)\0"
    rb"  ctime: (\d+):(\d+)\n  mtime: (\d+):(\d+)\n  dev: (\d+)\tino: (\d+)\n"
    rb"  uid: (\d+)\tgid: (\d+)\n  size: (\d+)\tflags: ([0-9a-f]+)\n"
)
_ASSUME_VALID = 0x8000
_INTENT_TO_ADD = 1 << 29
_SKIP_WORKTREE = 1 << 30
_SPARSE = b"sdir"  # the extension that marks one
_FOLDER = 0o040000
_SHARED = re.compile(r"sharedindex\.[0-9a-f]+")


@dataclass(frozen=True, slots=True)
class IndexEntry:
    mode: int
    oid: str
    is_intent_to_add: bool
    """`git add -N`: in the index by name only."""
    is_taken_as_is: bool
    """git looks at the index alone (`--assume-unchanged`, sparse checkout)."""
    is_unmerged: bool
    size_bytes: int
    """Of the file when the index was written; its low 32 bits."""
    mtime_ns: int
    ctime_ns: int
    inode: int
    """Its low 32 bits."""


@dataclass(frozen=True, slots=True)
class Index:
    entries: Mapping[str, IndexEntry]
    written_ns: int
    """When the index file was written: what changed later may have the same times."""


def read_index(room: CleanRoom) -> Index:
    """The index in effect, which is `GIT_INDEX_FILE` in some hooks."""
    path = index_path(room.repository)
    content = read_data(path)
    if content is None:
        return Index({}, 0)
    return Index(list_index(room, content), path.stat().st_mtime_ns)


def list_index(room: CleanRoom, content: bytes) -> dict[str, IndexEntry]:
    """Entries of an index of the room's repository; an empty file has none."""
    if not content:
        return {}
    _copy_shared(room)
    return list_entries(room, content)


def changed_paths(room: CleanRoom, content: bytes, base: str) -> tuple[str, ...] | None:
    """Paths in which an index differs from a commit or tree, perhaps some more.

    git alone compares, which takes a tenth of the time of listing both. None where it would
    have to write for that: an index that names folders as a whole.
    """
    if _SPARSE in content:
        return None
    index = room.git_dir / "index"
    if content:
        _copy_shared(room)
        index.write_bytes(content)
    output = room.run("diff-index", "--cached", "--name-only", "-z", "--no-renames", base)
    index.unlink(missing_ok=True)
    return tuple(path.decode("utf-8", "surrogateescape") for path in output.split(b"\0") if path)


def _copy_shared(room: CleanRoom) -> None:
    """What a split index has its entries from."""
    for file in room.repository.git_dir.iterdir():
        shared = read_data(file) if _SHARED.fullmatch(file.name) else None
        if shared is not None:
            (room.git_dir / file.name).write_bytes(shared)


def list_entries(room: CleanRoom, content: bytes, *paths: str) -> dict[str, IndexEntry]:
    """Entries of an index with this content: all, or those of `paths`."""
    index = room.git_dir / "index"
    index.write_bytes(content)
    sparse = ("--sparse",) if _SPARSE in content else ()
    if sparse:
        # or git would complete the index, and touch the repository's objects on the way
        room.allow_sparse_index()
    output = room.run("ls-files", "--stage", "--debug", "-z", *sparse, "--", *paths)
    index.unlink()  # or git would take attributes from it
    entries = _parse(output)
    return _complete(room, entries) if sparse else entries


def _complete(room: CleanRoom, entries: Mapping[str, IndexEntry]) -> dict[str, IndexEntry]:
    """With the files of the folders that a sparse index names as a whole."""
    found: dict[str, IndexEntry] = {}
    for path, entry in entries.items():
        if entry.mode != _FOLDER:
            found[path] = entry
            continue
        for inner, file in list_tree(room, entry.oid).files.items():
            found[path + inner] = replace(entry, mode=file.mode, oid=file.oid)
    return found


def index_path(repository: Repository) -> Path:
    """Relative paths of `GIT_INDEX_FILE` count from the top of the worktree."""
    own = repository.git_dir / "index"
    named = os.environ.get("GIT_INDEX_FILE", "")
    if not named or not _is_about(repository):
        return own
    return (repository.worktree or repository.git_dir) / named


def _is_about(repository: Repository) -> bool:
    """The environment that a hook was given tells of this repository."""
    git_dir = os.environ.get("GIT_DIR", "")
    folder = Path.cwd()
    if git_dir:
        return (folder / git_dir).resolve() == repository.git_dir.resolve()
    top = repository.worktree or repository.git_dir
    return folder.resolve().is_relative_to(top.resolve())


def _parse(output: bytes) -> dict[str, IndexEntry]:
    found: dict[str, IndexEntry] = {}
    at = 0
    for match in _ENTRY.finditer(output):
        if match.start() != at:
            break
        at = match.end()
        path = match.group(4).decode("utf-8", "surrogateescape")
        stage = int(match.group(3))
        # of the sides of a conflict, "ours" stands for the file
        if path not in found or stage == 2:
            found[path] = _entry(match, stage)
    if at != len(output):
        raise GitError("git ls-files: cannot read its list of the index")
    return found


def _entry(match: re.Match[bytes], stage: int) -> IndexEntry:
    numbers = [int(match.group(group)) for group in range(5, 14)]
    ctime_s, ctime_ns, mtime_s, mtime_ns, _, inode, _, _, size = numbers
    flags = int(match.group(14), 16)
    return IndexEntry(
        mode=int(match.group(1), 8),
        oid=match.group(2).decode(),
        is_intent_to_add=bool(flags & _INTENT_TO_ADD),
        is_taken_as_is=bool(flags & (_ASSUME_VALID | _SKIP_WORKTREE)),
        is_unmerged=stage > 0,
        size_bytes=size,
        mtime_ns=mtime_s * 10**9 + mtime_ns,
        ctime_ns=ctime_s * 10**9 + ctime_ns,
        inode=inode,
    )


def staged_files(entries: Mapping[str, IndexEntry]) -> dict[str, TreeEntry]:
    """What a commit of an index would hold.

    Raises:
        UsageError: it has unresolved conflicts.
    """
    unmerged = [path for path, entry in entries.items() if entry.is_unmerged]
    if unmerged:
        raise UsageError(f"the index has unresolved conflicts: {', '.join(unmerged[:3])}")
    return {
        path: TreeEntry(entry.mode, entry.oid)
        for path, entry in entries.items()
        if not entry.is_intent_to_add
    }
