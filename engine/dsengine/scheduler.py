"""Which prompts run together, and what happens when memory or time runs out.

There is one batch at a time. Prompts of all calls enter it while it runs, calls taking
turns, as long as they begin with its prefix and fit its slots. What cannot enter is
overtaken so often and no more: then the batch runs empty and the next one begins with it.
"""

import time
from collections.abc import Sequence
from dataclasses import replace

from dsengine.batching import ContinuousBatch
from dsengine.calls import Call, Turns
from dsengine.completion import EngineStats
from dsengine.device import is_out_of_memory
from dsengine.drafts import Drafter
from dsengine.errors import DeviceError
from dsengine.prefixes import PrefixStore
from dsengine.runner import AnyRunner, Prefix
from dsengine.sequence import Sequence as Row

_WORTH_WAITING = 256
"""Tokens of a longer shared prefix for which a prompt does not enter the running batch."""
_MAX_OVERTAKING = 2
"""Batches' worth of rows that may enter while a call waits that cannot."""


class Scheduler:
    """Runs rows in batches; keeps prefixes for later calls. Safe for several threads."""

    def __init__(
        self,
        runner: AnyRunner,
        max_rows: int,
        max_batch_tokens: int,
        max_prefix_bytes: int,
        drafter: Drafter,
    ) -> None:
        """
        Args:
            max_rows: of one batch.
            max_batch_tokens: of one batch, padding and answers included.
            max_prefix_bytes: of all prefixes kept; the latest one is kept in any case.
        """
        self._runner = runner
        self._drafter = drafter
        self._max_rows = max_rows
        self._max_batch_tokens = max_batch_tokens
        self._prefixes = PrefixStore(runner.empty_prefix, max_prefix_bytes)
        self._turns = Turns()
        self._calls: list[Call] = []
        """That are not done; the one whose turn it is stands first."""
        self._has_company = False
        """Calls were seen to come while others ran: batches keep room for more."""
        self._batch: ContinuousBatch | None = None
        self._first: Call | None = None
        """For which the batch was begun and its prefix computed."""
        self._prefix: Prefix = runner.empty_prefix
        self._num_slots = 0
        self._num_rows = 0
        """Of the running batch; 0 while its prefix is computed."""
        self._num_overtaking = 0
        self.stats = EngineStats()

    def run(self, call: Call) -> None:
        """Until every row of `call` has its `stop`; rows of other threads go along.

        Raises:
            DeviceError: not even one prompt fits the memory, or the device fails.
        """
        try:
            if self._turns.lead(call):
                self._drive(call)
        except BaseException as error:
            call.problem = call.problem or error
            raise
        if call.problem is not None:
            raise call.problem

    def _drive(self, call: Call) -> None:
        """Work for all calls until `call` is done; another thread goes on from there."""
        try:
            while not call.is_told:
                self._turn()
        except BaseException:
            self._abandon()
            raise
        finally:
            self._calls = [one for one in self._calls if one is not call and not one.is_told]
            if not self._calls:
                self._close()
            self._turns.hand_over()

    def _turn(self) -> None:
        """One pass over prompts that enter and one over rows that run."""
        self._welcome()
        has_work = self._has_worked()
        if has_work is None:  # outside of `except`, whose traceback would hold the memory
            self._halve(self._abandon())
        elif not has_work:
            self._close()

    def _welcome(self) -> None:
        for call in self._turns.take():
            self._has_company |= bool(self._calls)
            call.num_shared = self._prefixes.num_shareable([row.prompt for row in call.rows])
            self._calls.append(call)
            call.tell()

    def _has_worked(self) -> bool | None:
        """Whether there is more to do in the running batch; None where memory ran out."""
        started = time.monotonic()
        try:
            if self._batch is None:
                self._batch = self._start()
            if self._batch is None:
                self._tell()
                return False
            self._batch.enter()
            entered = time.monotonic()
            has_stepped = self._batch.step()
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            return None
        self._count(entered - started, time.monotonic() - entered, has_stepped)
        self._tell()
        return self._batch.has_work

    def _tell(self) -> None:
        """Report what is done; calls that are leave."""
        for call in self._calls:
            call.tell()
        staying = [call for call in self._calls if not call.is_told]
        if len(staying) < len(self._calls):
            self._calls = staying
            self._turns.wake()

    def _start(self) -> ContinuousBatch | None:
        """A new batch, for whoever's turn it is; None where nobody wants anything."""
        first = next((call for call in self._calls if call.next_wanted() is not None), None)
        self._first, self._prefix, self._num_rows = first, self._runner.empty_prefix, 0
        prefix = None if first is None else self._shared_prefix(first)
        if prefix is None:
            return None
        self._prefix, self._num_overtaking = prefix, 0
        together = [call for call in self._calls if self._suits(call)]
        rows = [row for call in together for row in call.waiting if self._begins_right(row)]
        num_slots = max(map(self._num_own, rows))
        self._num_slots = max(num_slots, self._num_slots if self._has_company else 0)
        num_fitting = max(1, self._max_batch_tokens // self._num_slots)
        num_wanted = self._max_rows if self._has_company else len(rows)
        num_rows = min(self._max_rows, num_fitting, num_wanted)
        self._num_rows = num_rows
        batch = self._runner.start(prefix, num_rows, self._num_slots)
        return ContinuousBatch(self._runner, batch, self._next_row, self._drafter)

    def _next_row(self) -> Row | None:
        """The next one that may enter the running batch: calls take turns."""
        self._welcome()
        is_overtaking = False
        for call in list(self._calls):
            row = call.next_wanted()
            if row is None:
                continue
            if (
                self._suits(call)
                and self._begins_right(row)
                and self._num_own(row) <= self._num_slots
            ):
                break
            is_overtaking = True
        else:
            return None
        if self._num_overtaking >= _MAX_OVERTAKING * self._max_rows:
            return None
        self._num_overtaking += is_overtaking
        self._calls.remove(call)
        self._calls.append(call)
        if call is not self._first:
            row.cached_prefix_tokens = len(self._prefix.ids)
        return call.waiting.popleft()

    def _suits(self, call: Call) -> bool:
        return call.num_shared - len(self._prefix.ids) < _WORTH_WAITING

    def _begins_right(self, row: Row) -> bool:
        num_prefix = len(self._prefix.ids)
        return len(row.prompt) > num_prefix and tuple(row.prompt[:num_prefix]) == self._prefix.ids

    def _num_own(self, row: Row) -> int:
        """Slots that a row may need."""
        return len(row.prompt) - len(self._prefix.ids) + row.max_tokens

    def _abandon(self) -> list[Row]:
        """Rows of the batch, back at their start, wait again in front."""
        if self._batch is None:
            return []
        rows = self._batch.abandon()
        for call in self._calls:
            call.waiting.extendleft(row for row in reversed(rows) if row in call.rows)
        self._close()
        self._runner.release_memory()
        return rows

    def _close(self) -> None:
        if self._batch is not None:
            self._batch.close()
        self._batch = None

    def _halve(self, rows: Sequence[Row]) -> None:
        """Smaller batches from now on, then none of the prefixes that others may ask for; a
        row that has no memory even so ends its call, and no other one."""
        num_tried = max(len(rows), self._num_rows)
        if num_tried > 1:
            self.stats = replace(self.stats, batches_halved=self.stats.batches_halved + 1)
            self._max_rows = num_tried // 2
            return
        if self._prefixes.forget_others(self._prefix):
            self._runner.release_memory()
            return
        for call in self._calls:
            if rows[0] in call.rows if rows else call is self._first:
                longest = max(len(row.prompt) for row in rows or call.rows)
                call.problem = self._too_small(longest)
        self._tell()

    def _shared_prefix(self, call: Call) -> Prefix | None:
        """What the prompts of `call` share with each other, or a lone one with others.

        Returns:
            None if nobody wanted it any more before it was computed.
        """
        ids = call.waiting[0].prompt[: call.num_shared]
        known = self._prefixes.longest(ids)
        for row in call.waiting:
            row.cached_prefix_tokens = len(ids)
        call.rows[0].cached_prefix_tokens = len(known.ids)
        if len(known.ids) == len(ids):
            return known
        prefix: Prefix | None = self._runner.compute_prefix(ids, known, self._is_over)
        if prefix is not None:
            self._prefixes.keep(prefix)
        return prefix

    def _is_over(self) -> bool:
        return not any(row.is_wanted() for call in self._calls for row in call.waiting)

    def _too_small(self, num_tokens: int) -> DeviceError:
        name = self._runner.device_name
        return DeviceError(f"{name} has no memory for a prompt of {num_tokens} tokens")

    def _count(self, prefill_s: float, decode_s: float, has_stepped: bool) -> None:
        self.stats = replace(
            self.stats,
            prefill_s=self.stats.prefill_s + prefill_s,
            decode_s=self.stats.decode_s + decode_s,
            decode_steps=self.stats.decode_steps + has_stepped,
        )
