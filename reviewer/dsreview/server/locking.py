"""One server at a time: a lock that the system frees with the process that held it."""

import fcntl
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from dsreview.backends.resident_place import Place
from dsreview.errors import ReviewError

_PATIENCE_S: Final = 0.5
"""Whoever only looks whether there is a server holds the lock for a moment."""
_LOOK_INTERVAL_S: Final = 0.02
_KILL_AFTER_S: Final = 10.0


class AlreadyRunning(ReviewError):
    """Another server of this user runs, or is just starting."""


@contextmanager
def locked(place: Place) -> Iterator[None]:
    """Be the server of `place`.

    Raises:
        AlreadyRunning: somebody else is.
    """
    descriptor = os.open(place.lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        end = time.monotonic() + _PATIENCE_S
        while not _is_taken(descriptor, fcntl.LOCK_EX):
            if time.monotonic() > end:
                raise AlreadyRunning(
                    f"a server runs already (process {_pid(descriptor)}); `dsreview stop` ends it"
                )
            time.sleep(_LOOK_INTERVAL_S)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)


def running_pid(place: Place) -> int | None:
    """The process of the server, whether it answers or not; None where there is none."""
    try:
        descriptor = os.open(place.lock, os.O_RDONLY)
    except OSError:
        return None
    try:
        return None if _is_taken(descriptor, fcntl.LOCK_SH) else _pid(descriptor)
    finally:
        os.close(descriptor)


def wait_for_end(place: Place, timeout_s: float = _KILL_AFTER_S) -> bool:
    """Whether the server ended in time."""
    end = time.monotonic() + timeout_s
    while running_pid(place) is not None:
        if time.monotonic() > end:
            return False
        time.sleep(_LOOK_INTERVAL_S)
    return True


def end_by_force(place: Place) -> None:
    """End a server that does not answer; its lock tells that the process is still that one."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        pid = running_pid(place)
        if pid is None:
            return
        with suppress(ProcessLookupError):
            os.kill(pid, number)
        if wait_for_end(place):
            return


def _is_taken(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _pid(descriptor: int) -> int | None:
    content = os.pread(descriptor, 32, 0)
    return int(content) if content.isdigit() else None
