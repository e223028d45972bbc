"""One file of a model, from the hub onto the disk: resumed, checked, then named.

Its place in the cache is named by its checksum, so nothing half or wrong is ever there; what
has come so far stands beside it and is gone on with, whatever ended the last try.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dsreview.durable import flush, flush_folder, write_all
from dsreview.errors import DownloadError
from dsreview.models.hub import Hub
from dsreview.models.patience import Bar, Interrupted, Patience
from dsreview.models.revisions import Hashing, RemoteFile, RemoteModel


@dataclass(frozen=True, slots=True)
class Fetching:
    """What all files of a pull share."""

    hub: Hub
    model: RemoteModel
    folder: Path
    """Of the model in the cache."""
    locks: Path
    bar: Bar
    sleep: Callable[[float], None]

    def place(self, file: RemoteFile) -> Path:
        return self.folder / "blobs" / file.checksum.digest

    def missing_bytes(self, file: RemoteFile) -> int:
        place = self.place(file)
        if place.exists():
            return 0
        part = _beside(place)
        return max(0, file.size - (part.stat().st_size if part.exists() else 0))

    def fetch(self, file: RemoteFile) -> Path:
        """The file's place, when it is there and its checksum is right.

        Raises:
            DownloadError: the hub does not give it, what came is not what was announced, or
                another process is at it.
            OSError: the disk is full or cannot be written.
        """
        place = self.place(file)
        place.parent.mkdir(parents=True, exist_ok=True)
        with self._alone(file):
            self.bar.start(file)
            if place.exists() and _is_sound(place, file):
                self.bar.reach(file.size)
            else:
                self._bring(file, place)
        return place

    def _bring(self, file: RemoteFile, place: Path) -> None:
        part = _beside(place)
        was_begun = part.exists()
        is_right = self._complete(part, file) or (was_begun and self._complete(part, file))
        if not is_right:
            raise DownloadError(
                f"{self.model.name}: {file.name} is not what the hub announced: its"
                f" {file.checksum.kind} checksum differs; what came was deleted"
            )
        part.replace(place)
        flush_folder(place.parent)

    def _complete(self, path: Path, file: RemoteFile) -> bool:
        """Get what is missing; where the checksum is wrong then, nothing is left of it."""
        patience = Patience(f"{self.model.name}: {file.name}", self.bar, self.sleep)
        with path.open("ab") as stream:
            part = _Part(stream.fileno(), path, file)
            while part.size < file.size:
                before = part.size
                self.bar.reach(before)
                try:
                    self._append(part)
                except Interrupted as error:
                    patience.wait(error, has_grown=part.size > before)
            self.bar.reach(file.size)
            if part.hashing.agrees:
                flush(stream.fileno())
                return True
        path.unlink()
        return False

    def _append(self, part: "_Part") -> None:
        """Raises: Interrupted: before its end."""
        with self.hub.open(self.model, part.file, part.size) as body:
            if body.start != part.size:
                part.restart()
            for block in body.blocks:
                part.append(block)
                self.bar.reach(part.size)
                if part.size == part.file.size:  # whatever follows is none of it
                    return
        raise Interrupted("the connection ended early")

    @contextmanager
    def _alone(self, file: RemoteFile) -> Iterator[None]:
        """The lock that the hub's own programs take for this file."""
        self.locks.mkdir(parents=True, exist_ok=True)
        path = self.locks / f"{file.checksum.digest}.lock"
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            _lock(fd, f"{self.model.name}: {file.name}")
            yield
        finally:
            os.close(fd)


class _Part:
    """What is here of a file, and the checksum of that."""

    def __init__(self, fd: int, path: Path, file: RemoteFile) -> None:
        self._fd = fd
        self.file = file
        self.size = os.fstat(fd).st_size
        self.hashing = Hashing(file)
        if self.size > file.size:
            self.restart()
        self.hashing.add_file(path)

    def restart(self) -> None:
        os.ftruncate(self._fd, 0)
        self.size = 0
        self.hashing = Hashing(self.file)

    def append(self, block: bytes) -> None:
        block = block[: self.file.size - self.size]
        write_all(self._fd, block)
        self.hashing.add(block)
        self.size += len(block)


def _is_sound(place: Path, file: RemoteFile) -> bool:
    hashing = Hashing(file)
    if place.stat().st_size == file.size:
        hashing.add_file(place)
    return hashing.agrees


def _lock(fd: int, what: str) -> None:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise DownloadError(f"{what}: another process downloads it") from None


def _beside(place: Path) -> Path:
    return place.with_name(f"{place.name}.incomplete")
