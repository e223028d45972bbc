"""Which sequences run together, and what happens when memory or time runs out."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace

from dsengine.batching import ContinuousBatch
from dsengine.completion import EngineStats, StopReason
from dsengine.device import is_out_of_memory
from dsengine.errors import DeviceError
from dsengine.prefixes import PrefixStore, num_common
from dsengine.runner import AnyRunner, Prefix
from dsengine.sequence import Sequence as Row

OnProgress = Callable[[int, int], None]
IsOver = Callable[[], bool]


class Scheduler:
    """Runs rows in batches; keeps prefixes for later calls."""

    def __init__(
        self,
        runner: AnyRunner,
        max_rows: int,
        max_batch_tokens: int,
        max_prefix_bytes: int,
    ) -> None:
        """
        Args:
            max_rows: of one batch.
            max_batch_tokens: of one batch, padding and answers included.
            max_prefix_bytes: of all prefixes kept; the latest one is kept in any case.
        """
        self._runner = runner
        self._max_rows = max_rows
        self._max_batch_tokens = max_batch_tokens
        self._prefixes = PrefixStore(runner.empty_prefix, max_prefix_bytes)
        self.stats = EngineStats()

    def run(
        self,
        rows: Sequence[Row],
        max_new_tokens: int,
        deadline: float | None,
        on_progress: OnProgress | None,
    ) -> None:
        """Give every row its `stop`. `deadline` is a time of `time.monotonic`."""

        def is_over() -> bool:
            if deadline is not None and time.monotonic() >= deadline:
                return True
            return not any(row.stop is None and row.is_wanted() for row in rows)

        def report() -> None:
            if on_progress:
                on_progress(sum(row.stop is not None for row in rows), len(rows))

        report()
        prefix = self._shared_prefix(rows, is_over)
        # the longest first, so that memory fails early
        waiting = deque(sorted(rows, key=lambda row: len(row.prompt), reverse=True))
        while waiting and prefix is not None and not is_over():
            with closing(self._start(waiting, prefix, max_new_tokens)) as batch:
                has_run = self._has_run(batch, is_over, report)
            if not has_run:
                del batch  # or its memory would still be taken
                self._runner.release_memory()
        for row in rows:
            row.stop = row.stop or StopReason.DEADLINE
        report()

    def _start(self, waiting: deque[Row], prefix: Prefix, max_new_tokens: int) -> ContinuousBatch:
        num_slots = len(waiting[0].prompt) - len(prefix.ids) + max_new_tokens
        num_fitting = max(1, self._max_batch_tokens // num_slots)
        num_rows = min(self._max_rows, num_fitting, len(waiting))
        return ContinuousBatch(
            self._runner, self._runner.start(prefix, num_rows, num_slots), waiting
        )

    def _has_run(self, batch: ContinuousBatch, is_over: IsOver, report: Callable[[], None]) -> bool:
        """Until all rows are done or time is over; False where memory ran out before."""
        num_done = 0
        try:
            while batch.has_work and not is_over():
                started = time.monotonic()
                batch.enter()
                entered = time.monotonic()
                has_stepped = batch.step()
                self._count(entered - started, time.monotonic() - entered, has_stepped)
                if batch.num_done > num_done:
                    num_done = batch.num_done
                    report()
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            self._halve(batch.abandon())
            return False
        return True

    def _halve(self, rows: Sequence[Row]) -> None:
        if len(rows) == 1:
            raise self._too_small(len(rows[0].prompt)) from None
        self.stats = replace(self.stats, batches_halved=self.stats.batches_halved + 1)
        self._max_rows = max(1, len(rows) // 2)

    def _shared_prefix(self, rows: Sequence[Row], is_over: IsOver) -> Prefix | None:
        """What all prompts begin with; a lone prompt shares with those of earlier calls.

        Returns:
            None if time was over before it was computed.
        """
        started = time.monotonic()
        prompts = [tuple(row.prompt) for row in rows]
        shortest = min(prompts, key=len)
        known = self._prefixes.longest(shortest[:-1])  # each row needs a token to start from
        num_shared = num_common(prompts) if len(prompts) > 1 else len(known.ids)
        num_shared = min(num_shared, len(shortest) - 1)
        known = known.cut(min(len(known.ids), num_shared))
        prefix: Prefix | None = known
        if num_shared > len(known.ids):
            prefix = self._compute_prefix(shortest[:num_shared], known, is_over)
            if prefix is not None:
                self._prefixes.keep(prefix)
        for number, row in enumerate(rows):
            row.cached_prefix_tokens = num_shared if number else len(known.ids)
        self._count(time.monotonic() - started, 0.0, has_stepped=False)
        return prefix

    def _compute_prefix(self, ids: Sequence[int], known: Prefix, is_over: IsOver) -> Prefix | None:
        try:
            return self._runner.compute_prefix(ids, known, is_over)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            raise self._too_small(len(ids)) from None

    def _too_small(self, num_tokens: int) -> DeviceError:
        return DeviceError(
            f"{self._runner.device_name} has no memory for a prompt of {num_tokens} tokens"
        )

    def _count(self, prefill_s: float, decode_s: float, has_stepped: bool) -> None:
        self.stats = replace(
            self.stats,
            prefill_s=self.stats.prefill_s + prefill_s,
            decode_s=self.stats.decode_s + decode_s,
            decode_steps=self.stats.decode_steps + has_stepped,
        )
