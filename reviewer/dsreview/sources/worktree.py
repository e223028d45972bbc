"""The worktree as a set of files, read here and never by git.

git would run the filters that the repository configures. No symbolic link is
followed, neither at the end of a path nor inside it. Only files whose times or
size are not those of the index are read.
"""

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from dsreview.errors import GitError
from dsreview.patch import FileKind, kind_of_mode
from dsreview.sources.conversions import as_git_stores
from dsreview.sources.index import Index, IndexEntry
from dsreview.sources.objects import ObjectStore, object_id
from dsreview.sources.refs import read_head_of
from dsreview.sources.trees import TreeEntry

_GONE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)
_LOW_32_BITS = 0xFFFFFFFF
_IN_MEMORY_BYTES = 32 << 20
_PART_BYTES = 1 << 20
_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(slots=True)
class WorktreeReader:
    """Reads below the top folder; keeps the folders of the last path open."""

    top: Path
    _names: list[str] = field(default_factory=list)
    _fds: list[int] = field(default_factory=list)

    def __enter__(self) -> "WorktreeReader":
        self._fds.append(os.open(self.top, _FOLDER_FLAGS & ~os.O_NOFOLLOW))
        return self

    def __exit__(self, *_: object) -> None:
        while self._fds:
            os.close(self._fds.pop())

    def locate(self, path: str) -> tuple[int, str] | None:
        """The open folder of a file and its name there; None where a folder is not one.

        Raises:
            GitError: a folder may not be entered.
        """
        *folders, name = path.split("/")
        shared = 0
        while shared < min(len(folders), len(self._names)):
            if folders[shared] != self._names[shared]:
                break
            shared += 1
        while len(self._names) > shared:
            self._names.pop()
            os.close(self._fds.pop())
        for folder in folders[shared:]:
            try:
                fd = os.open(_os_name(folder), _FOLDER_FLAGS, dir_fd=self._fds[-1])
            except OSError as error:
                _refuse_unless_gone(path, error)
                return None
            self._fds.append(fd)
            self._names.append(folder)
        return self._fds[-1], name

    def status(self, path: str) -> os.stat_result | None:
        place = self.locate(path)
        if place is None:
            return None
        try:
            return os.stat(_os_name(place[1]), dir_fd=place[0], follow_symlinks=False)
        except OSError as error:
            _refuse_unless_gone(path, error)
            return None

    def link(self, path: str) -> bytes:
        fd, name = self._located(path)
        return os.readlink(_os_name(name), dir_fd=fd)

    def open(self, path: str) -> int:
        """A file descriptor; the caller closes it.

        Raises:
            GitError: it cannot be read, or is no regular file (any more).
        """
        folder, name = self._located(path)
        try:
            fd = os.open(_os_name(name), _FILE_FLAGS, dir_fd=folder)
        except OSError as error:
            raise GitError(f"{path}: {error.strerror}") from None
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            os.close(fd)
            raise GitError(f"{path}: changed while it was read")
        return fd

    def _located(self, path: str) -> tuple[int, str]:
        place = self.locate(path)
        if place is None:
            raise GitError(f"{path}: changed while it was read")
        return place


def _refuse_unless_gone(path: str, error: OSError) -> None:
    if error.errno not in _GONE:
        raise GitError(f"{path}: {error.strerror}") from None


def _os_name(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")


@dataclass(slots=True)
class WorktreeFiles:
    """What a commit of everything that is tracked would hold."""

    files: dict[str, TreeEntry] = field(default_factory=dict)
    unmerged: list[str] = field(default_factory=list)
    not_looked_at: list[str] = field(default_factory=list)
    """Files that git was told to take as unchanged."""
    converted: list[str] = field(default_factory=list)
    """Files that differ from the index in their line ends alone."""
    unreadable: list[str] = field(default_factory=list)
    """Files that may not be read; they are taken as the index has them."""


def read_worktree(
    reader: WorktreeReader, index: Index, store: ObjectStore, *, has_modes: bool
) -> WorktreeFiles:
    """Every tracked file as it is now; what changed is stored in the clean room.

    Args:
        has_modes: executable bits mean something on this file system.
    """
    found = WorktreeFiles()
    for path, entry in index.entries.items():
        if entry.is_unmerged:
            found.unmerged.append(path)
        if entry.is_taken_as_is:
            if reader.status(path) is not None:
                found.not_looked_at.append(path)
            now: TreeEntry | None = TreeEntry(entry.mode, entry.oid)
        else:
            try:
                now = _read_tracked(reader, path, entry, index, store, found, has_modes=has_modes)
            except GitError:
                found.unreadable.append(path)
                now = TreeEntry(entry.mode, entry.oid)
        if now is not None:
            found.files[path] = now
    return found


def _read_tracked(
    reader: WorktreeReader,
    path: str,
    entry: IndexEntry,
    index: Index,
    store: ObjectStore,
    found: WorktreeFiles,
    *,
    has_modes: bool,
) -> TreeEntry | None:
    status = reader.status(path)
    if status is None:
        return None
    if kind_of_mode(entry.mode) is FileKind.SUBMODULE:
        return _read_submodule(reader, path, entry, status)
    mode = _mode(status, entry, has_modes=has_modes)
    if mode is None:
        return None
    if _is_as_indexed(status, entry, index):
        return TreeEntry(mode, entry.oid)
    if kind_of_mode(mode) is FileKind.SYMLINK:
        return TreeEntry(mode, store.write("blob", reader.link(path)))
    oid = _store_file(reader, path, entry, store, found)
    return TreeEntry(mode, oid)


def _read_submodule(
    reader: WorktreeReader, path: str, entry: IndexEntry, status: os.stat_result
) -> TreeEntry | None:
    if not stat.S_ISDIR(status.st_mode):
        return None
    head = read_head_of(reader.top / path) if reader.locate(f"{path}/.git") else None
    return TreeEntry(entry.mode, head or entry.oid)


def _mode(status: os.stat_result, entry: IndexEntry, *, has_modes: bool) -> int | None:
    if stat.S_ISLNK(status.st_mode):
        return 0o120000
    if not stat.S_ISREG(status.st_mode):
        return None
    if not has_modes:
        return entry.mode if entry.mode in (0o100644, 0o100755) else 0o100644
    return 0o100755 if status.st_mode & stat.S_IXUSR else 0o100644


def _is_as_indexed(status: os.stat_result, entry: IndexEntry, index: Index) -> bool:
    return (
        status.st_mtime_ns == entry.mtime_ns
        and status.st_ctime_ns == entry.ctime_ns
        and status.st_size & _LOW_32_BITS == entry.size_bytes
        and status.st_ino & _LOW_32_BITS == entry.inode
        and entry.mtime_ns < index.written_ns
        and not entry.is_intent_to_add
        and not entry.is_unmerged
        and stat.S_ISLNK(status.st_mode) == (entry.mode == 0o120000)
    )


def _store_file(
    reader: WorktreeReader,
    path: str,
    entry: IndexEntry,
    store: ObjectStore,
    found: WorktreeFiles,
) -> str:
    fd = reader.open(path)
    with os.fdopen(fd, "rb") as file:
        size = os.fstat(fd).st_size
        if size > _IN_MEMORY_BYTES:
            return store.write_parts("blob", size, _parts(fd, size, path))
        content = file.read()
    oid = object_id(store.hash_name, "blob", content)
    if oid == entry.oid:
        return oid
    if kind_of_mode(entry.mode) is FileKind.REGULAR and not entry.is_intent_to_add:
        stored = store.blob(entry.oid)
        if stored is not None:
            converted = as_git_stores(content, stored)
            if converted == stored:
                found.converted.append(path)
                return entry.oid
            content = converted
    return store.write("blob", content)


def _parts(fd: int, size: int, path: str) -> Iterator[bytes]:
    left = size
    while left:
        part = os.read(fd, min(_PART_BYTES, left))
        if not part:
            raise GitError(f"{path}: changed while it was read")
        left -= len(part)
        yield part


def add_file(reader: WorktreeReader, path: str, store: ObjectStore, found: WorktreeFiles) -> bool:
    """Takes in a file that the index does not know; False where there is none to read."""
    status = reader.status(path)
    if status is None:
        return False
    if stat.S_ISLNK(status.st_mode):
        found.files[path] = TreeEntry(0o120000, store.write("blob", reader.link(path)))
        return True
    if not stat.S_ISREG(status.st_mode):
        return False
    mode = 0o100755 if status.st_mode & stat.S_IXUSR else 0o100644
    fd = reader.open(path)
    with os.fdopen(fd, "rb"):
        size = os.fstat(fd).st_size
        oid = store.write_parts("blob", size, _parts(fd, size, path))
    found.files[path] = TreeEntry(mode, oid)
    return True
