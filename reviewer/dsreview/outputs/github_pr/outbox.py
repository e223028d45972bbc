"""Plans on the disk from before their first request until all of them is on GitHub.

Whoever posts writes down when it asks, before it asks: after a crash the next run knows
that a request may still be on its way, waits until that is over, and looks. One run at a
time posts to a pull request from this machine.
"""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import msgspec

from dsreview.durable import flush_folder, replace_durably
from dsreview.errors import GitHubError
from dsreview.outputs.github_pr.limits import Patience
from dsreview.outputs.github_pr.values import PostingPlan

MAX_AGE_S: Final = 7 * 24 * 3600.0
"""What was not delivered by then is forgotten."""
_LOCK_POLL_S: Final = 1.0
_DIGEST_BYTES: Final = 32
_DELIVERY: Final = "delivery"


@dataclass(frozen=True, slots=True)
class Delivery:
    """A plan that is being posted."""

    plan: PostingPlan
    """With the comments that GitHub refused in their next form."""
    asked_at: float = 0.0
    """Seconds since 1970: when the last request was sent whose answer has not come; 0: none."""


class Outbox:
    """A folder; made with mode 0700 where it is not there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextmanager
    def opened(self, pull: str, patience: Patience) -> Iterator["PullBox"]:
        """The deliveries to one pull request, with nobody else at them until the exit.

        Args:
            pull: names the server, the repository and the number.

        Raises:
            GitHubError: the folder cannot be used.
            OutOfTime: another run keeps posting to this pull request.
        """
        name = hashlib.sha256(pull.encode()).hexdigest()[:32]
        with _usable(self.folder):
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = self._locked(name, patience)
        try:
            with _usable(self.folder):
                self._sweep(patience.clock.epoch())
            yield PullBox(self.folder, name, patience)
        finally:
            os.close(lock)  # which gives it back, as the end of the process would

    def _locked(self, name: str, patience: Patience) -> int:
        path = self.folder / f"{name}.lock"
        while True:
            lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if _is_still(path, lock):
                    os.utime(lock)
                    return lock
                os.close(lock)
            except BlockingIOError:
                os.close(lock)
                patience.wait(_LOCK_POLL_S, "another run posts to this pull request")
            except BaseException:
                os.close(lock)
                raise

    def _sweep(self, now: float) -> None:
        """Drop what nobody came back for; never what another run holds."""
        for path in self.folder.iterdir():
            with suppress(OSError):
                if now - path.stat().st_mtime <= MAX_AGE_S:
                    continue
                if path.suffix != ".lock":
                    path.unlink()
                    continue
                lock = os.open(path, os.O_RDWR | os.O_CLOEXEC)
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    path.unlink()
                finally:
                    os.close(lock)


@contextmanager
def _usable(folder: Path) -> Iterator[None]:
    """
    Raises:
        GitHubError: for every error of the disk.
    """
    try:
        yield
    except OSError as error:
        place = error.filename or folder
        raise GitHubError(f"the outbox cannot be used: {place}: {error.strerror}") from None


def _is_still(path: Path, lock: int) -> bool:
    """Whether what is locked has not been swept away in the meantime."""
    with suppress(OSError):
        return os.path.samestat(path.stat(), os.fstat(lock))
    return False


class PullBox:
    """The deliveries to one pull request."""

    def __init__(self, folder: Path, name: str, patience: Patience) -> None:
        self._folder = folder
        self._name = name
        self._patience = patience

    def deliveries(self) -> tuple[Delivery, ...]:
        """Those that are not finished, oldest first. What cannot be read is dropped."""
        found = []
        with _usable(self._folder):
            for path in self._folder.glob(f"{self._name}.*.{_DELIVERY}"):
                delivery = _read(path)
                if delivery is None:
                    path.unlink()
                else:
                    found.append((path.stat().st_mtime, delivery))
        return tuple(delivery for _, delivery in sorted(found, key=lambda pair: pair[0]))

    def keep(self, delivery: Delivery) -> Delivery:
        """
        Raises:
            GitHubError: the disk would not take it.
        """
        encoded = msgspec.msgpack.encode(delivery)
        path = self._path(delivery.plan.key)
        with _usable(path):
            replace_durably(path, hashlib.sha256(encoded).digest() + encoded)
        return delivery

    def asking(self, delivery: Delivery) -> Delivery:
        """Write down that a request is about to be sent."""
        return self.keep(replace(delivery, asked_at=self._patience.clock.epoch()))

    def finish(self, delivery: Delivery) -> None:
        """Forget it: it is on GitHub, or will never be."""
        with suppress(OSError):
            self._path(delivery.plan.key).unlink(missing_ok=True)
            flush_folder(self._folder)

    def settle(self, delivery: Delivery) -> None:
        """Wait until a request of a run that died can have no more effect.

        Raises:
            OutOfTime
        """
        if not delivery.asked_at:
            return
        settle_s = self._patience.limits.settle_s
        since_s = self._patience.clock.epoch() - delivery.asked_at
        # a clock that was set back must not make anyone wait for longer
        left_s = min(settle_s - since_s, settle_s)
        self._patience.wait(left_s, "a request of an earlier run may still be on its way")

    def _path(self, key: str) -> Path:
        digest = hashlib.sha256(key.encode()).hexdigest()[:32]
        return self._folder / f"{self._name}.{digest}.{_DELIVERY}"


def _read(path: Path) -> Delivery | None:
    content = path.read_bytes()
    encoded = content[_DIGEST_BYTES:]
    if hashlib.sha256(encoded).digest() != content[:_DIGEST_BYTES]:
        return None
    try:
        return msgspec.msgpack.decode(encoded, type=Delivery)
    except (msgspec.DecodeError, ValueError):  # of another version
        return None
