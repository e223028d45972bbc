"""Writes that hold when the power goes, not only when the process does."""

import errno
import os
import secrets
import sys
from contextlib import suppress
from pathlib import Path

_NOT_FOR_FOLDERS = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP})
"""Errors of a disk that cannot flush the names in a folder."""


def replace_durably(path: Path, content: bytes) -> None:
    """Write `content` as `path`, mode 0600: after a crash there is the old file or the new one.

    Raises:
        OSError: it could not be written; the old file is still there.
    """
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        write_new(beside, content)
        beside.replace(path)
        flush_folder(path.parent)
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)


def write_new(path: Path, content: bytes) -> None:
    """A file of mode 0600 that is not there yet. Its name is on the disk after `flush_folder`.

    Raises:
        OSError: it is there, or could not be written; half of it may be left.
    """
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        write_all(fd, content)
        flush(fd)
    finally:
        os.close(fd)


def write_all(fd: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(fd, view) :]


def flush_folder(folder: Path) -> None:
    """Returns when the names in `folder` are on the disk."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        flush_names(fd)
    finally:
        os.close(fd)


def flush_names(fd: int) -> None:
    """The same for an open folder, where the disk can; not every one does."""
    try:
        flush(fd)
    except OSError as error:
        if error.errno not in _NOT_FOR_FOLDERS:
            raise


def flush(fd: int) -> None:
    """Returns when what was written is on the disk itself.

    On macOS fsync alone leaves it in the drive's cache.
    """
    if sys.platform == "darwin":
        import fcntl

        with suppress(OSError):  # not every disk knows it; fsync is what is left there
            fcntl.fcntl(fd, fcntl.F_FULLFSYNC)
            return
    os.fsync(fd)
