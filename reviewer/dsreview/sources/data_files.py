"""Reads files as data, never waiting on a device and never through a surprise.

What git keeps in its own folder may lie behind symbolic links (`git-new-workdir`
does that), so these follow them; what is not a regular file is not there. Files of
the worktree are read by `worktree`, which follows none.
"""

import os
import stat
from pathlib import Path

MAX_DATA_BYTES = 1 << 30


def read_data(path: Path, max_bytes: int = MAX_DATA_BYTES) -> bytes | None:
    """Content of a regular file; None where there is none, or it is too large."""
    try:
        # O_NONBLOCK: opening a fifo without a writer would never return
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError):
        return None
    status = os.fstat(fd)
    if not stat.S_ISREG(status.st_mode) or status.st_size > max_bytes:
        os.close(fd)
        return None
    with os.fdopen(fd, "rb") as file:
        return file.read()


def read_line(path: Path) -> str | None:
    """First line of a short text file, stripped; None where there is none."""
    content = read_data(path, max_bytes=1 << 20)
    if content is None:
        return None
    return content.decode("utf-8", "surrogateescape").split("\n", 1)[0].strip()
