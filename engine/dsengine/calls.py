"""What one thread asks of an engine, while other threads ask as well."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import ParamSpec

from dsengine.completion import StopReason
from dsengine.sequence import Sequence as Row

P = ParamSpec("P")

OnProgress = Callable[[int, int], None]
"""Told how many rows are done, and how many there are."""


@dataclass(slots=True, eq=False)
class Call:
    """The prompts of one call of `Engine.generate`, until each of them has ended."""

    rows: Sequence[Row]
    report: OnProgress
    waiting: deque[Row] = field(init=False)
    """The longest first, so that memory fails early."""
    num_shared: int = 0
    """First tokens of its prompts that others have as well, so that they are computed once."""
    problem: BaseException | None = None
    """Why it ends before its rows do; raised where it was called."""
    _num_told: int = -1

    def __post_init__(self) -> None:
        self.waiting = deque(sorted(self.rows, key=lambda row: len(row.prompt), reverse=True))
        for row in self.rows:
            wants, on_token = row.is_wanted, row.on_token
            row.is_wanted = partial(self._wants, wants)
            row.on_token = on_token and self._guarded(on_token)

    @property
    def is_told(self) -> bool:
        """All rows are done and the caller has heard of it, so that the call may end."""
        return self.problem is not None or self._num_told == len(self.rows)

    def next_wanted(self) -> Row | None:
        """The row that waits in front; those that nobody wants end here."""
        while self.waiting:
            if self.waiting[0].is_wanted():
                return self.waiting[0]
            self.waiting.popleft().stop = StopReason.DEADLINE
        return None

    def tell(self) -> None:
        """Report, where more rows are done than were told."""
        num_done = sum(row.stop is not None for row in self.rows)
        if num_done > self._num_told and self.problem is None:
            self._guarded(self.report)(num_done, len(self.rows))
            self._num_told = num_done  # another thread returns as soon as it sees this

    def _wants(self, wants: Callable[[], bool]) -> bool:
        if self.problem is not None:
            return False
        try:
            return wants()
        except Exception as error:  # noqa: BLE001 - the caller's own, raised to the caller
            self.problem = error
            return False

    def _guarded(self, callback: Callable[P, None]) -> Callable[P, None]:
        """What a caller's function raises is the caller's, whose thread may not be this one."""

        def call(*args: P.args, **kwargs: P.kwargs) -> None:
            try:
                callback(*args, **kwargs)
            except Exception as error:  # noqa: BLE001 - see above
                self.problem = error

        return call


class Turns:
    """Calls of all threads; one thread at a time works for all of them."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._submitted: list[Call] = []
        self._is_driven = False

    def lead(self, call: Call) -> bool:
        """Submit `call`; True once this thread must do the work, False once it is done."""
        with self._condition:
            self._submitted.append(call)
            while self._is_driven and not call.is_told:
                self._condition.wait()
            if call.is_told:
                return False
            self._is_driven = True
            return True

    def hand_over(self) -> None:
        """Somebody else may lead."""
        with self._condition:
            self._is_driven = False
            self._condition.notify_all()

    def wake(self) -> None:
        """Some calls are done: let those who wait for them see it."""
        with self._condition:
            self._condition.notify_all()

    def take(self) -> list[Call]:
        """Calls that came since the last time."""
        with self._condition:
            taken, self._submitted = self._submitted, []
        return taken
