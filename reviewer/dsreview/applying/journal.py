"""What was written, so that it can be taken back: one file per application.

Kept in the user's own state folder, mode 0700, apart for each repository. A record is on
the disk before anything is written, and says by its suffix how far the writing got.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from dsreview.applying.state_folder import State, journal_folder, state_folder
from dsreview.applying.values import NotApplied
from dsreview.durable import flush, flush_folder, write_all
from dsreview.sources.repository import Repository

MAX_RECORDS = 200
MAX_BYTES = 64 << 20
"""Of all records of a repository; the oldest go first."""
_NUM_DIGITS = 10


@dataclass(frozen=True, slots=True)
class IndexChange:
    index: bytes
    """Path of the index that was in effect; hooks may be given another one."""
    mode: int
    before: str
    after: str
    """Ids of the blobs."""


@dataclass(frozen=True, slots=True)
class Record:
    run: str
    """Shared by all applications of one command."""
    path: bytes
    """In the repository; bytes, since a name may be no text."""
    before: bytes
    after: bytes
    spare: str
    """Name of the spare file and of the index's ticket."""
    is_beside: bool
    """Where the spare is: see `file_place`."""
    summary: str
    index: IndexChange | None = None

    @property
    def file(self) -> str:
        return self.path.decode("utf-8", "surrogateescape")


@dataclass(frozen=True, slots=True)
class Noted:
    """A record with its place in the journal."""

    number: int
    state: State
    record: Record


class Journal:
    """Of one repository. Use `open_journal`: it keeps other processes out."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def begin(self, record: Record, state: State = State.PENDING) -> Noted:
        """Write a record; it is on the disk when this returns."""
        number = max(self._numbers(), default=0) + 1
        path = self._path(number, state)
        beside = self.folder / "next.tmp"
        fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            write_all(fd, msgspec.msgpack.encode(record))
            flush(fd)
        finally:
            os.close(fd)
        beside.replace(path)
        flush_folder(self.folder)
        return Noted(number, state, record)

    def mark(self, noted: Noted, state: State) -> Noted:
        self._path(noted.number, noted.state).replace(self._path(noted.number, state))
        flush_folder(self.folder)
        return Noted(noted.number, state, noted.record)

    def forget(self, noted: Noted) -> None:
        self._path(noted.number, noted.state).unlink(missing_ok=True)
        flush_folder(self.folder)

    def unfinished(self) -> list[Noted]:
        """What was cut off, the latest first."""
        return [one for one in self.records() if one.state is not State.APPLIED]

    def records(self) -> list[Noted]:
        """All that can be read, the latest first."""
        found = []
        for path in sorted(self.folder.glob("[0-9]*.*"), reverse=True):
            if path.suffix[1:] not in list(State):
                continue
            try:
                record = msgspec.msgpack.decode(path.read_bytes(), type=Record)
            except msgspec.DecodeError:
                raise NotApplied(f"{path}: a record that cannot be read; delete it") from None
            found.append(Noted(int(path.stem), State(path.suffix[1:]), record))
        return found

    def trim(self, max_records: int = MAX_RECORDS, max_bytes: int = MAX_BYTES) -> None:
        """Drop the oldest finished records over the limits."""
        total = 0
        files = sorted(self.folder.glob(f"[0-9]*.{State.APPLIED}"), reverse=True)
        for position, path in enumerate(files):
            total += path.stat().st_size
            if position >= max_records or total > max_bytes:
                with suppress(OSError):
                    path.unlink()

    def _numbers(self) -> Iterator[int]:
        for path in self.folder.glob("[0-9]*.*"):
            yield int(path.stem)

    def _path(self, number: int, state: State) -> Path:
        return self.folder / f"{number:0{_NUM_DIGITS}}.{state}"


@contextmanager
def open_journal(repository: Repository) -> Iterator[Journal]:
    """The journal, with nobody else in it until the exit.

    Raises:
        NotApplied: another dsreview is writing into this repository now.
    """
    folder = journal_folder(repository.git_dir)
    state_folder().mkdir(mode=0o700, parents=True, exist_ok=True)
    for private in (folder.parent, folder):
        private.mkdir(mode=0o700, exist_ok=True)
    fd = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise NotApplied("another dsreview is writing into this repository") from None
        yield Journal(folder)
    finally:
        os.close(fd)
