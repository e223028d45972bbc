"""A standard error that nobody suffers from: a reader that is gone, or a disk that is full."""

import io
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class _Forgiving(io.FileIO):
    def write(self, content: Any) -> int:
        """All or a part of it; what cannot be written counts as written."""
        num_bytes = memoryview(content).nbytes
        try:
            while (written := super().write(content)) is None:  # a pipe that does not block
                select.select([], [self], [])
        except OSError:
            return num_bytes
        return written


@contextmanager
def forgiving_stderr() -> Iterator[None]:
    """`sys.stderr` raises nothing where it is written to, until the block ends."""
    before = sys.stderr
    try:
        raw = _Forgiving(before.fileno(), "wb", closefd=False)
    except (OSError, ValueError):  # no file: nothing that could fail
        yield
        return
    with io.TextIOWrapper(
        io.BufferedWriter(raw), "utf-8", "backslashreplace", line_buffering=True
    ) as stream:
        sys.stderr = stream
        try:
            yield
        finally:
            sys.stderr = before
