"""Writes that hold when the power goes, not only when the process does."""

import os
import sys
from contextlib import suppress


def flush(fd: int) -> None:
    """Returns when the content, or the folder's names, are on the disk itself.

    On macOS fsync alone leaves them in the drive's cache.
    """
    if sys.platform == "darwin":
        import fcntl

        with suppress(OSError):  # not every disk knows it; fsync is what is left there
            fcntl.fcntl(fd, fcntl.F_FULLFSYNC)
            return
    os.fsync(fd)


def flush_folder(path: "os.PathLike[str]") -> None:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        flush(fd)
    finally:
        os.close(fd)


def write_all(fd: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(fd, view) :]
