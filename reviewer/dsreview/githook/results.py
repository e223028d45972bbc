"""Results of hooks, kept for each repository: to be shown once by the next hook, and again.

They lie in the cache folder, for the user alone (0700, 0600), and hold no code but what
findings quote: the code around it is read from the repository when they are shown.
"""

import json
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from dsreview.githook.places import UNSHOWN, make_private
from dsreview.report import Report

LAST = "last.json"
_MAX_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class ChangeResult:
    """The review of one change."""

    report: Report
    blobs: tuple[tuple[str, str], ...]
    """Path and id of each file with a finding, as it was reviewed."""
    closing: tuple[str, ...]
    """The last lines for the reader."""


@dataclass(frozen=True, slots=True)
class HookResult:
    event: str
    """Name of the hook."""
    finished_s: float
    """When, in seconds since 1970."""
    changes: tuple[ChangeResult, ...]
    problem: str = ""
    """Why there is no review; else empty."""


class ResultStore:
    """Of one repository. A disk that fails loses results, never commits."""

    def __init__(self, folder: Path) -> None:
        """
        Args:
            folder: as `places.folder_of` names it.
        """
        self._last = folder / LAST
        self._unshown = folder / UNSHOWN

    def keep_last(self, result: HookResult) -> None:
        """For `dsreview last`."""
        _write(self._last, result)

    def keep_unshown(self, result: HookResult) -> None:
        """For the next hook as well, which shows it once."""
        self.keep_last(result)
        name = f"{time.time_ns():020d}-{secrets.token_hex(4)}.json"
        _write(self._unshown / name, result)

    def last(self) -> HookResult | None:
        return _read(self._last)

    def take_unshown(self) -> Iterator[HookResult]:
        """Each result that nobody saw yet, oldest first; it is nobody else's from then on."""
        try:
            names = sorted(os.listdir(self._unshown))  # noqa: PTH208  (no Path each)
        except OSError:
            return
        for name in names:
            if not name.endswith(".json"):
                continue
            taken = self._unshown / f"{name}.{os.getpid()}.taken"
            try:
                (self._unshown / name).rename(taken)
            except OSError:  # another hook was faster
                continue
            result = _read(taken)
            with suppress(OSError):
                taken.unlink()
            if result is not None:
                yield result


def _write(path: Path, result: HookResult) -> None:
    # not msgspec's JSON: paths and code may hold bytes that are no UTF-8
    text = json.dumps(msgspec.to_builtins(result), ensure_ascii=True)
    beside = path.with_name(f"{path.name}.{secrets.token_hex(4)}.tmp")
    with suppress(OSError):
        make_private(path.parent)
        fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "w", encoding="ascii") as file:
            file.write(text)
        beside.replace(path)


def _read(path: Path) -> HookResult | None:
    """None where there is none, or none of this version."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            return None
        return msgspec.convert(json.loads(path.read_bytes()), type=HookResult)
    except (OSError, ValueError):  # msgspec's errors are ValueErrors
        return None
