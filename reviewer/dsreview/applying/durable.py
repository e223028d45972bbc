"""Writes that hold when the power goes, not only when the process does."""

import errno
import os
import sys
from contextlib import suppress


def flush(fd: int) -> None:
    """Returns when the content is on the disk itself.

    On macOS fsync alone leaves it in the drive's cache.
    """
    if sys.platform == "darwin":
        import fcntl

        with suppress(OSError):  # not every disk knows it; fsync is what is left there
            fcntl.fcntl(fd, fcntl.F_FULLFSYNC)
            return
    os.fsync(fd)


def flush_names(fd: int) -> None:
    """The same for the names in an open folder, where the disk can; not every one does."""
    try:
        flush(fd)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP):
            raise


def flush_folder(path: "os.PathLike[str]") -> None:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        flush_names(fd)
    finally:
        os.close(fd)


def write_all(fd: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(fd, view) :]
