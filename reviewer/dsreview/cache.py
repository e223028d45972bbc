"""Content-addressed store of answers and indexes; a miss is never an error.

An entry is one file that carries the digest of its own content, written beside its
place, flushed and renamed: after a crash there is the old entry, the new one or none.
"""

import hashlib
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from dsreview.durable import write_new

_MAGIC = b"dsreview1"
_DIGEST_BYTES = 32
RUNNERS_FOLDER = "runners"
"""For how fast what runs models was measured to be on this machine."""
UNREADABLE = "unreadable"
"""Folder for answers that could not be read."""


class Cache(Protocol):
    def get(self, key: str) -> bytes | None:
        """What was put under `key`, verified; None where there is nothing sound."""
        ...

    def put(self, key: str, value: bytes) -> None: ...


@dataclass(frozen=True, slots=True)
class NoCache:
    """Remembers nothing."""

    def get(self, key: str) -> bytes | None:
        return None

    def put(self, key: str, value: bytes) -> None:
        return None


@dataclass(frozen=True, slots=True)
class ScopedCache:
    """A part of another cache: what is put by other scopes is not found here."""

    cache: Cache
    scope: str

    def get(self, key: str) -> bytes | None:
        return self.cache.get(self._key(key))

    def put(self, key: str, value: bytes) -> None:
        self.cache.put(self._key(key), value)

    def _key(self, key: str) -> str:
        return f"{len(self.scope)}:{self.scope}{key}"


@dataclass(slots=True)
class DirectoryCache:
    """Entries as files below `folder`, which is made with mode 0700.

    Any failure of the disk (full, read-only, gone) makes a miss, never an error: a
    review must not fail because it could not be remembered.
    """

    folder: Path
    max_bytes: int = 512 * 1024 * 1024
    _has_grown: bool = False

    def get(self, key: str) -> bytes | None:
        try:
            content = self._path(key).read_bytes()
        except OSError:
            return None
        head = len(_MAGIC) + _DIGEST_BYTES
        value = content[head:]
        if content[:head] != _MAGIC + _digest(key, value):
            return None
        with suppress(OSError):  # its time says when it was last of use, see `trim`
            os.utime(self._path(key))
        return value

    def put(self, key: str, value: bytes) -> None:
        path = self._path(key)
        beside = path.with_name(f"{path.name}.{secrets.token_hex(4)}.tmp")
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.parent.mkdir(mode=0o700, exist_ok=True)
            write_new(beside, _MAGIC + _digest(key, value) + value)
            beside.replace(path)
            self._has_grown = True
        except OSError:
            with suppress(OSError):
                beside.unlink(missing_ok=True)

    def trim(self) -> None:
        """Delete the entries unused for longest until `max_bytes` hold.

        What was kept for people counts as well. Where nothing was put, nothing is looked at:
        a run that found all its answers does not pay for a walk over the folder.
        """
        if not self._has_grown:
            return
        entries = []
        with suppress(OSError):
            for path in (*self.folder.glob("??/*"), *self.folder.glob(f"{UNREADABLE}/*")):
                status = path.stat()
                entries.append((status.st_mtime, status.st_size, path))
        total = sum(size for _, size, _ in entries)
        for _, size, path in sorted(entries, key=lambda entry: entry[0]):
            if total <= self.max_bytes:
                return
            with suppress(OSError):
                path.unlink(missing_ok=True)
                total -= size

    def keep_for_people(self, text: str) -> Path | None:
        """Write `text` where somebody can look at it later; None where that fails."""
        content = text.encode("utf-8", "surrogateescape")
        name = hashlib.sha256(content).hexdigest()[:16]
        path = self.folder / UNREADABLE / f"{name}.txt"
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.parent.mkdir(mode=0o700, exist_ok=True)
            path.write_bytes(content)
        except OSError:
            return None
        self._has_grown = True
        return path

    def _path(self, key: str) -> Path:
        name = hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()
        return self.folder / name[:2] / name[2:]


def default_folder() -> Path:
    named = os.environ.get("DSREVIEW_CACHE_DIR")
    if named:
        return Path(named)
    import platformdirs  # 4 ms that --help need not pay

    return Path(platformdirs.user_cache_dir("dsreview"))


def _digest(key: str, value: bytes) -> bytes:
    """Over the key as well: a file moved to another name is not served there."""
    name = key.encode("utf-8", "surrogateescape")
    return hashlib.sha256(len(name).to_bytes(8, "big") + name + value).digest()
