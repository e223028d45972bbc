"""Files that hold when the power goes, not only when the process does."""

import os
import secrets
import sys
from contextlib import suppress
from pathlib import Path


def replace_durably(path: Path, content: bytes) -> None:
    """Write `content` as `path`, mode 0600: after a crash there is the old file or the new one.

    Raises:
        OSError: it could not be written; the old file is still there.
    """
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with open(fd, "wb") as file:  # noqa: PTH123  (a descriptor)
            file.write(content)
            file.flush()
            flush(file.fileno())
        beside.replace(path)
        flush_folder(path.parent)
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)


def flush_folder(folder: Path) -> None:
    """Returns when the names in `folder` are on the disk."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        flush(fd)
    finally:
        os.close(fd)


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
