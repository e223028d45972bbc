"""What a run has done so far, on the disk as soon as it is done.

The first line says of what run; each other line is a chunk of items, all of its reviews. A
line that a crash cut is taken off, and its chunk done again. One run at a time writes here.
"""

import fcntl
import os
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

import msgspec

from dsreview.benchmark.replay import Replayed
from dsreview.durable import flush, flush_folder, write_all
from dsreview.errors import ReviewError, UsageError

JOURNAL = "journal.jsonl"
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW


@dataclass(frozen=True, slots=True)
class Header:
    """All that must be the same for two parts to be one run."""

    journal_version: int
    dsreview: str
    set_sha256: str
    model_identity: str
    settings: str
    """Digest of all settings, whether told or not."""
    chunk_size: int
    run_tests: bool


NAMES = {
    "journal_version": "format",
    "dsreview": "version of dsreview",
    "set_sha256": "set",
    "model_identity": "model",
    "settings": "settings",
    "chunk_size": "batch size",
    "run_tests": "--run-tests",
}


class Journal:
    """Held open, and locked, while a run writes to it."""

    def __init__(self, path: Path, fd: int, done: tuple[tuple[Replayed, ...], ...]) -> None:
        self.path = path
        self.done = done
        """The chunks that are known already, in order."""
        self._fd = fd

    @classmethod
    def open(cls, path: Path, header: Header, *, fresh: bool) -> Self:
        """Go on with the run at `path`, or begin one; `fresh` forgets what is there.

        Raises:
            UsageError: it is of another run, another process writes to it, or it cannot be
                written.
        """
        try:
            fd = os.open(path, _FLAGS, 0o600)
        except OSError as error:
            raise UsageError(f"{path}: {error.strerror}") from None
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if fresh:
                os.ftruncate(fd, 0)
            return cls(path, fd, _begin(path, fd, header))
        except BlockingIOError:
            os.close(fd)
            raise UsageError(f"{path}: another run writes to it") from None
        except BaseException:
            os.close(fd)
            raise

    def append(self, chunk: Sequence[Replayed]) -> None:
        """Returns when `chunk` is on the disk.

        Raises:
            ReviewError: it could not be written; what was there before still is.
        """
        try:
            write_all(self._fd, msgspec.json.encode(tuple(chunk)) + b"\n")
            flush(self._fd)
        except OSError as error:
            raise ReviewError(f"{self.path}: {error.strerror}") from None

    def forget(self) -> None:
        """Take it away: its result is written."""
        self.path.unlink(missing_ok=True)

    def close(self) -> None:
        os.close(self._fd)


def _begin(path: Path, fd: int, header: Header) -> tuple[tuple[Replayed, ...], ...]:
    """Read what is there; a new journal gets its header."""
    with os.fdopen(os.dup(fd), "rb") as file:
        content = file.read()
    *lines, cut = content.split(b"\n")
    own = msgspec.json.encode(header)
    if not lines and own.startswith(cut):
        os.ftruncate(fd, 0)
        os.lseek(fd, 0, os.SEEK_SET)
        write_all(fd, own + b"\n")
        flush(fd)
        flush_folder(path.parent)
        return ()
    _require_same(path, _header(path, lines[0] if lines else cut), header)
    try:
        done = tuple(msgspec.json.decode(line, type=tuple[Replayed, ...]) for line in lines[1:])
    except ValueError as error:
        raise UsageError(f"{path}: cannot be read: {error}; --fresh begins anew") from None
    os.ftruncate(fd, len(content) - len(cut))  # only now: it is a journal, and of this run
    os.lseek(fd, 0, os.SEEK_END)
    return done


def _header(path: Path, line: bytes) -> Header:
    try:
        return msgspec.json.decode(line, type=Header)
    except ValueError:
        raise UsageError(f"{path}: is no journal of this version; --fresh begins anew") from None


def _require_same(path: Path, old: Header, new: Header) -> None:
    other = [
        NAMES[field.name]
        for field in fields(Header)
        if getattr(old, field.name) != getattr(new, field.name)
    ]
    if other:
        raise UsageError(
            f"{path}: an unfinished run with another {' and another '.join(other)}; "
            "--fresh begins anew, --out names another folder"
        )
