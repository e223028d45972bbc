"""The index under git's own lock, replaced as git replaces it.

The lock is a second name of a ticket, a file of ours: whoever finds the ticket after a
crash knows whose lock it is, and a lock of git itself is never taken away.
"""

import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dsreview.applying.values import NotApplied
from dsreview.durable import flush, flush_folder, write_all
from dsreview.sources.clean_room import CleanRoom
from dsreview.sources.data_files import read_data
from dsreview.sources.index import IndexEntry, list_entries

_SHARED = re.compile(r"sharedindex\.([0-9a-f]+)")
_SPARSE = b"sdir\0\0\0\0"


class IndexLock:
    """Held until `release`, or until `commit` gave the index its new content."""

    def __init__(self, index: Path, ticket: Path) -> None:
        self.index = index
        self.ticket = ticket
        self.lock = lock_of(index)

    def take(self) -> bytes:
        """Lock the index; its content.

        Raises:
            NotApplied: another git command holds the lock, or there is no index.
        """
        content = read_data(self.index)
        if content is None:
            raise NotApplied(f"{self.index.name}: cannot be read")
        mode = stat.S_IMODE(self.index.stat().st_mode)
        os.close(os.open(self.ticket, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        self.ticket.chmod(mode)
        try:
            os.link(self.ticket, self.lock)
        except FileExistsError:
            raise NotApplied(
                f"the index is locked by another git command ({self.lock.name} exists)"
            ) from None
        content = read_data(self.index)  # nobody changes it from here on
        if content is None:
            raise NotApplied(f"{self.index.name}: cannot be read")
        return content

    def write(self, content: bytes) -> None:
        fd = os.open(self.lock, os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC)
        try:
            write_all(fd, content)
            flush(fd)
        finally:
            os.close(fd)

    def commit(self) -> None:
        """Make what was written the index."""
        self.lock.replace(self.index)
        flush_folder(self.index.parent)

    def release(self) -> None:
        """Give up the lock if it is ours, and the ticket."""
        with suppress(FileNotFoundError):
            if self.lock.samefile(self.ticket):
                self.lock.unlink()
        self.ticket.unlink(missing_ok=True)


def index_lock(index: Path, name: str) -> IndexLock:
    """The lock that an application takes whose spare is called `name`; not taken yet."""
    path = index.resolve()  # as git: the lock stands beside what a link leads to
    return IndexLock(path, path.with_name(f"{name}.lock"))


@contextmanager
def lock_index(index: Path, name: str) -> Iterator[tuple[IndexLock, bytes]]:
    """The lock and the index's content under it; released at the exit."""
    held = index_lock(index, name)
    try:
        yield held, held.take()
    finally:
        held.release()


def lock_of(index: Path) -> Path:
    return index.with_name(f"{index.name}.lock")


def entry_of(room: CleanRoom, content: bytes, path: str) -> IndexEntry | None:
    """The entry of one file in an index with this content.

    Raises:
        NotApplied: the index is of a form that is not written here.
    """
    _refuse_forms(room, content)
    return list_entries(room, content, path).get(path)


def with_blob(room: CleanRoom, content: bytes, path: str, mode: int, oid: str) -> bytes:
    """The index with another blob for `path`; all other entries and flags are kept.

    The entry gets no times of the file, so that git looks at the file itself: whether
    filters would make this blob of it is for git to say.
    """
    index = room.git_dir / "index"
    index.write_bytes(content)
    try:
        room.run("update-index", "--cacheinfo", f"{mode:o},{oid},{path}")
        return index.read_bytes()
    finally:
        index.unlink()


def _refuse_forms(room: CleanRoom, content: bytes) -> None:
    if _SPARSE in content:
        raise NotApplied(
            "a sparse index is not written; `git sparse-checkout set --no-sparse-index`"
        )
    for file in room.repository.git_dir.iterdir():
        shared = _SHARED.fullmatch(file.name)
        if shared and re.search(rb"link.{4}" + re.escape(bytes.fromhex(shared[1])), content, re.S):
            raise NotApplied("a split index is not written; `git update-index --no-split-index`")
