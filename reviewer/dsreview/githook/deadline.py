"""The hook's deadline, in three steps that each need less of the program to be well.

The review has a time budget, and ends by itself with what it has. Where something does not
look at the clock (a model that is being loaded), an alarm ends that step as if the model had
failed. Where even that does not help, a thread ends the process.
"""

import os
import select
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from dsreview.errors import BackendError

LATE_S = 0.6
"""After the deadline: the process ends, whatever it does."""
_GATHER_S = 1.0
"""Before it: the review's own budget ends, since proving and writing takes time as well."""
_ALARM_S = 0.5
_MAX_SHARE = 0.4
"""Of a short deadline that is kept back for that."""
_LEAST_S = 0.05
_STDERR = 2


class OutOfTime(BackendError):
    """The deadline is near, and something did not look at the clock."""


class Deadline:
    """Counts from the start of the process, as far as its own clock knows."""

    def __init__(self, seconds: float) -> None:
        self._started = time.monotonic() - time.process_time()  # imports took it
        self._watch: threading.Timer | None = None
        self.seconds = seconds
        self.exit_code = 0
        """What the process ends with where it has to be ended."""
        self.last_words = ""
        """Written then; empty once there is nothing more to say."""

    @property
    def left_s(self) -> float:
        return self._started + self.seconds - time.monotonic()

    @property
    def budget_s(self) -> float:
        """Seconds that a review that starts now may take; above 0."""
        return max(_LEAST_S, self.left_s - min(_GATHER_S, self.seconds * _MAX_SHARE))

    @property
    def is_near(self) -> bool:
        """No review that starts now could end."""
        return self.budget_s == _LEAST_S

    @contextmanager
    def held(self) -> Iterator[None]:
        """Until the exit the process lasts no longer than the deadline and `LATE_S`.

        Raises:
            OutOfTime: at any place, once, shortly before the deadline.
        """
        before = signal.signal(signal.SIGALRM, _out_of_time)
        try:
            self.move(self.seconds)
            yield
        finally:
            self.stop()
            signal.signal(signal.SIGALRM, before)

    def move(self, seconds: float) -> None:
        """Another deadline, from the same start."""
        self.seconds = seconds
        self._unwatch()
        self._watch = threading.Timer(max(0.0, self.left_s + LATE_S), self._end)
        self._watch.daemon = True
        self._watch.start()
        alarm_s = self.left_s - min(_ALARM_S, seconds * _MAX_SHARE / 2)
        signal.setitimer(signal.ITIMER_REAL, max(_LEAST_S, alarm_s))

    def disarm(self) -> None:
        """No alarm any more; the process still ends in time."""
        signal.setitimer(signal.ITIMER_REAL, 0.0)

    def stop(self) -> None:
        """There is no deadline any more."""
        self.disarm()
        self._unwatch()

    def _unwatch(self) -> None:
        if self._watch is not None:
            self._watch.cancel()

    def _end(self) -> None:
        # past the stream, whose lock the main thread may hold, and never into a full pipe
        if self.last_words and select.select([], [_STDERR], [], 0)[1]:
            with suppress(OSError):
                os.write(_STDERR, f"{self.last_words}\n".encode()[: select.PIPE_BUF])
        os._exit(self.exit_code)


def _out_of_time(_number: int, _frame: FrameType | None) -> None:
    raise OutOfTime("out of time")
