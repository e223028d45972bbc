"""How long a download is tried again, and what a person sees of it meanwhile."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from dsreview.errors import DownloadError
from dsreview.models.revisions import RemoteFile

TRIES: Final = 6
"""In a row without a new byte."""
_LONGEST_WAIT_S: Final = 120.0


class Interrupted(Exception):
    """The hub or the way to it failed; the same request may well succeed later."""

    def __init__(self, reason: str, wait_s: float | None = None) -> None:
        super().__init__(reason)
        self.wait_s = wait_s
        """As the hub asks; None where it does not say."""


class Bar(Protocol):
    """Where a person sees how far it is."""

    def start(self, file: RemoteFile) -> None: ...

    def reach(self, num_bytes: int) -> None:
        """So many of the file are here, or have been checked."""
        ...

    def pause(self, reason: str, wait_s: float) -> None:
        """The next try comes in so many seconds."""
        ...


@dataclass(slots=True)
class Patience:
    """Of one request that is made until it succeeds."""

    what: str
    bar: Bar
    sleep: Callable[[float], None]
    num_fruitless: int = 0

    def wait(self, error: Interrupted, *, has_grown: bool) -> None:
        """Returns when it is time for the next try.

        Args:
            has_grown: the last one brought something.

        Raises:
            DownloadError: there were enough of them.
        """
        self.num_fruitless = 0 if has_grown else self.num_fruitless + 1
        if self.num_fruitless >= TRIES:
            raise DownloadError(
                f"{self.what}: {error}, {TRIES} times in a row; the same command goes on from here"
            ) from None
        asked_s = 2.0**self.num_fruitless if error.wait_s is None else error.wait_s
        wait_s = min(asked_s, _LONGEST_WAIT_S)
        self.bar.pause(str(error), wait_s)
        self.sleep(wait_s)
