"""A file of the worktree and a spare place for its next content.

The folder is reached without following a link and stays open, so that nobody can put
another one in its way. The spare lies in git's own folder, where neither `git status`
nor a watcher sees it, or beside the file where that is on another disk.
"""

import os
import stat
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from dsreview.applying.exchange import exchange
from dsreview.applying.values import NotApplied
from dsreview.durable import flush, flush_names, write_all
from dsreview.sources.repository import Repository
from dsreview.sources.worktree import WorktreeReader

_READ_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Content:
    """What was in a regular file at one moment."""

    content: bytes
    status: os.stat_result


@dataclass(frozen=True, slots=True)
class FilePlace:
    path: str
    folder_fd: int
    name: bytes
    spare_fd: int
    """The folder of the spare."""
    spare: bytes

    def read(self) -> Content | None:
        """None where there is no regular file (any more)."""
        return _read(self.folder_fd, self.name)

    def read_spare(self) -> bytes | None:
        found = _read(self.spare_fd, self.spare)
        return None if found is None else found.content

    def write_spare(self, content: bytes, like: os.stat_result) -> None:
        """Write the content that is to be swapped in, with owner and mode of the file there.

        Raises:
            NotApplied: it cannot have the same owner.
        """
        fd = os.open(self.spare, _NEW_FLAGS, 0o600, dir_fd=self.spare_fd)
        try:
            # content last: whoever finds it whole after a crash finds the rest of it as well
            self._keep_owner(fd, like)
            os.fchmod(fd, stat.S_IMODE(like.st_mode))
            self._copy_attributes(fd)
            write_all(fd, content)
            flush(fd)
        finally:
            os.close(fd)

    def swap_in(self, expected: bytes) -> None:
        """Put the spare in the file's place, if that held `expected` to the last moment.

        What stood there is the spare afterwards, or gone where the disk cannot swap.

        Raises:
            NotApplied: it held something else, and still does.
        """
        try:
            is_swapped = exchange(self.folder_fd, self.name, self.spare_fd, self.spare)
            if not is_swapped:
                self._refuse_unless(self.read(), expected)
                os.rename(
                    self.spare, self.name, src_dir_fd=self.spare_fd, dst_dir_fd=self.folder_fd
                )
        except OSError as error:
            raise NotApplied(f"{self.path}: {error.strerror}") from None
        if is_swapped:
            try:
                self._refuse_unless(_read(self.spare_fd, self.spare), expected)
            except NotApplied:
                exchange(self.folder_fd, self.name, self.spare_fd, self.spare)
                raise
        flush_names(self.folder_fd)

    def drop_spare(self) -> None:
        with suppress(FileNotFoundError):
            os.unlink(self.spare, dir_fd=self.spare_fd)

    def _refuse_unless(self, found: Content | None, expected: bytes) -> None:
        if found is None or found.content != expected:
            raise NotApplied(f"{self.path}: changed on disk a moment ago")

    def _keep_owner(self, fd: int, like: os.stat_result) -> None:
        own = os.fstat(fd)
        if own.st_gid != like.st_gid:
            with suppress(PermissionError):
                os.fchown(fd, -1, like.st_gid)
        if own.st_uid != like.st_uid:
            try:
                os.fchown(fd, like.st_uid, -1)
            except PermissionError:
                raise NotApplied(f"{self.path}: belongs to another user") from None

    def _copy_attributes(self, fd: int) -> None:
        """Extended attributes, access lists among them, as far as the system lets us."""
        if sys.platform != "linux":
            return
        with suppress(OSError):
            source = os.open(self.name, _READ_FLAGS, dir_fd=self.folder_fd)
            try:
                for name in os.listxattr(source):
                    with suppress(OSError):
                        os.setxattr(fd, name, os.getxattr(source, name))
            finally:
                os.close(source)


@contextmanager
def open_place(
    repository: Repository, path: str, spare: str, *, is_beside: bool | None = None
) -> Iterator[FilePlace]:
    """The place of a tracked file, open until the exit.

    Args:
        spare: name of the spare; `is_beside` None puts it where it fits.

    Raises:
        NotApplied: the path leads through a link or into git's own folder, or is gone.
    """
    if repository.worktree is None:
        raise NotApplied(f"{path}: the repository has no worktree")
    _refuse_git_folder(path)
    with WorktreeReader(repository.worktree) as reader:
        place = reader.locate(path)
        if place is None:
            raise NotApplied(f"{path}: its folder is gone, or is a link")
        folder_fd, name = place
        git_fd = os.open(repository.git_dir, _FOLDER_FLAGS)
        try:
            if is_beside is None:
                is_beside = os.fstat(git_fd).st_dev != os.fstat(folder_fd).st_dev
            spare_fd = folder_fd if is_beside else git_fd
            yield FilePlace(path, folder_fd, _os_name(name), spare_fd, spare.encode("ascii"))
        finally:
            os.close(git_fd)


def refuse_unusual(path: str, status: os.stat_result) -> None:
    """Raises NotApplied where swapping the file would do more than change its content."""
    if status.st_nlink > 1:
        raise NotApplied(f"{path}: has {status.st_nlink} hard links; swapping it would cut them")
    if not status.st_mode & stat.S_IWUSR:
        raise NotApplied(f"{path}: is read-only")


def _read(folder_fd: int, name: bytes) -> Content | None:
    try:
        fd = os.open(name, _READ_FLAGS, dir_fd=folder_fd)
    except OSError:
        return None
    status = os.fstat(fd)
    if not stat.S_ISREG(status.st_mode):
        os.close(fd)
        return None
    with os.fdopen(fd, "rb") as file:
        return Content(file.read(), status)


def _refuse_git_folder(path: str) -> None:
    """A crafted index may name files of git's own; on some disks under other spellings."""
    for part in path.split("/"):
        seen = "".join(
            character
            for character in unicodedata.normalize("NFKC", part)
            if unicodedata.category(character) != "Cf"
        )
        if seen.casefold().rstrip(". ") in (".git", "git~1") or part in ("", ".", ".."):
            raise NotApplied(f"{path}: lies in git's own folder")


def _os_name(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")
