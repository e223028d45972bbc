"""How long to wait for GitHub, and how often to ask: bounded in every case.

Sources: GitHub's "Best practices for using the REST API" (a secondary limit without a
header: at least a minute, then longer each time; a second between writes) and "Rate limits
for the REST API" (80 requests that create content in a minute).
"""

import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Protocol

from dsreview.errors import GitHubError

WRITES_WINDOW_S = 60.0
MIN_PAUSE_S = 1.0
TOO_MANY_REQUESTS = 429
FORBIDDEN = 403
CONFLICT = 409
UNPROCESSABLE = 422

RETRY_AFTER = "retry-after"
REMAINING = "x-ratelimit-remaining"
RESET = "x-ratelimit-reset"
DATE = "date"


class Clock(Protocol):
    def monotonic(self) -> float:
        """Seconds since some moment; never goes back."""
        ...

    def epoch(self) -> float:
        """Seconds since 1970, as other runs and other machines count them."""
        ...

    def sleep(self, seconds: float) -> None: ...


class SystemClock:
    """The machine's own."""

    def monotonic(self) -> float:
        return time.monotonic()

    def epoch(self) -> float:
        return time.time()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


@dataclass(frozen=True, slots=True)
class WaitLimits:
    """Seconds, where nothing else is said."""

    total_s: float = 600.0
    """For one command, answers of the server included."""
    request_s: float = 30.0
    """For one request, from its first byte to the answer's last."""
    settle_s: float = 40.0
    """How long a request that nobody waits for any more may still take effect; more than
    `request_s`."""
    between_writes_s: float = 1.0
    max_writes_per_minute: int = 60
    """GitHub's limit is 80."""
    max_tries: int = 4
    """Of one request."""
    first_pause_s: float = 2.0
    """After an answer 5xx or none; doubled each time."""
    secondary_pause_s: float = 60.0
    """After a secondary limit that names no time; doubled each time."""


class OutOfTime(GitHubError):
    """More waiting than allowed would be needed."""


class Patience:
    """The waiting of one command: pauses, paces, and ends it."""

    def __init__(self, limits: WaitLimits, clock: Clock) -> None:
        self.limits = limits
        self.clock = clock
        self.waited_s = 0.0
        """Time asleep."""
        self._deadline = clock.monotonic() + limits.total_s
        self._writes: deque[float] = deque(maxlen=limits.max_writes_per_minute)

    @property
    def left_s(self) -> float:
        return self._deadline - self.clock.monotonic()

    def wait(self, seconds: float, reason: str) -> None:
        """Sleep.

        Raises:
            OutOfTime: it would be past the command's end; nothing was waited.
        """
        if seconds <= 0:
            return
        if seconds > self.left_s:
            raise OutOfTime(
                f"{reason}: {seconds:,.0f} s more to wait, of at most {self.limits.total_s:,.0f} s"
            )
        self.clock.sleep(seconds)
        self.waited_s += seconds

    def wait_for_turn(self, *, is_write: bool) -> None:
        """Before each request: keeps the pace of writes, and the command's end.

        Raises:
            OutOfTime: there is no time left.
        """
        if is_write:
            self.wait(self._until_next_write_s(), "the pace of writing")
            self._writes.append(self.clock.monotonic())
        if self.left_s <= 0:
            raise OutOfTime(f"GitHub was too slow: {self.limits.total_s:,.0f} s are over")

    def _until_next_write_s(self) -> float:
        if not self._writes:
            return 0.0
        earliest = self._writes[-1] + self.limits.between_writes_s
        if len(self._writes) == self._writes.maxlen:
            earliest = max(earliest, self._writes[0] + WRITES_WINDOW_S)
        return earliest - self.clock.monotonic()

    def pause_s(self, attempt: int) -> float:
        """After the `attempt`-th failure of a request, 1 for the first."""
        return float(self.limits.first_pause_s * 2 ** (attempt - 1))

    def refused_pause_s(self, status: int, headers: Mapping[str, str], attempt: int) -> float:
        """How long a server that refuses for now wants to be left alone.

        Args:
            headers: of its answer; names in lower case.
        """
        if status == CONFLICT:
            return self.pause_s(attempt)
        named = _seconds(headers.get(RETRY_AFTER, ""), self._server_epoch(headers))
        if named is not None:
            return named
        if headers.get(REMAINING) == "0" and headers.get(RESET, "").isdecimal():
            # a second more: it is not said when in its second the limit ends
            return max(0.0, float(headers[RESET]) - self._server_epoch(headers)) + 1.0
        return float(self.limits.secondary_pause_s * 2 ** (attempt - 1))

    def _server_epoch(self, headers: Mapping[str, str]) -> float:
        """The server's clock, which its times are of, as far as it says."""
        date = _epoch(headers.get(DATE, ""))
        return self.clock.epoch() if date is None else date


def is_for_now(status: int, headers: Mapping[str, str], said: str) -> bool:
    """Whether the server would do later what it refuses now, and has not done.

    Args:
        said: its message and details.
    """
    if status in (TOO_MANY_REQUESTS, CONFLICT):
        return True
    if status == UNPROCESSABLE:
        return "too quickly" in said.lower()
    if status != FORBIDDEN:
        return False
    is_said = any(words in said.lower() for words in ("rate limit", "abuse detection"))
    return is_said or RETRY_AFTER in headers or headers.get(REMAINING) == "0"


def _seconds(text: str, now: float) -> float | None:
    """Of a Retry-After header: a number, or a date; None where it is neither."""
    if text.isdecimal():
        return max(MIN_PAUSE_S, float(text))
    at = _epoch(text)
    return None if at is None else max(MIN_PAUSE_S, at - now)


def _epoch(date: str) -> float | None:
    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, OverflowError):
        return None
