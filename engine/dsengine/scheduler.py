"""Which sequences run together, and the loop that runs them."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import torch

from dsengine.cache import EMPTY_PREFIX, Prefix, num_common
from dsengine.completion import EngineStats, StopReason
from dsengine.device import is_out_of_memory, release_memory
from dsengine.errors import DeviceError
from dsengine.runner import Batch, Runner
from dsengine.sampler import sample
from dsengine.sequence import Sequence as Row

OnProgress = Callable[[int, int], None]


class Scheduler:
    """Runs rows in batches; keeps the prefix of the last call for the next one."""

    def __init__(
        self, runner: Runner, device: torch.device, max_rows: int, max_batch_tokens: int
    ) -> None:
        """
        Args:
            max_rows: of one batch.
            max_batch_tokens: of one batch, padding and answers included.
        """
        self._runner = runner
        self._device = device
        self._max_rows = max_rows
        self._max_batch_tokens = max_batch_tokens
        self._prefix = EMPTY_PREFIX
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
        waiting = list(self._batches(rows, max_new_tokens))
        while waiting and prefix is not None and not is_over():
            batch = [row for row in waiting.pop(0) if row.is_wanted()]
            if batch and not self._has_run(batch, prefix, is_over, report):
                waiting[:0] = self._halves(batch)
        for row in rows:
            row.stop = row.stop or StopReason.DEADLINE
        report()

    def _batches(self, rows: Sequence[Row], max_new_tokens: int) -> Iterator[list[Row]]:
        """Rows of like length together; the longest first, so that memory fails early."""
        batch: list[Row] = []
        for row in sorted(rows, key=lambda row: len(row.prompt), reverse=True):
            longest = len(batch[0].prompt if batch else row.prompt) + max_new_tokens
            is_full = longest * (len(batch) + 1) > self._max_batch_tokens
            if batch and (is_full or len(batch) == self._max_rows):
                yield batch
                batch = []
            batch.append(row)
        if batch:
            yield batch

    def _has_run(
        self,
        batch: list[Row],
        prefix: Prefix,
        is_over: Callable[[], bool],
        report: Callable[[], None],
    ) -> bool:
        """False where memory ran out; on return all that the batch took is free again."""
        try:
            self._run_batch(batch, prefix, is_over, report)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            return False
        return True

    def _halves(self, batch: list[Row]) -> list[list[Row]]:
        release_memory(self._device)
        if len(batch) == 1:
            raise self._too_small(len(batch[0].prompt))
        self.stats = replace(self.stats, batches_halved=self.stats.batches_halved + 1)
        self._max_rows = max(1, len(batch) // 2)
        for row in batch:
            row.restart()
        half = len(batch) // 2
        return [batch[:half], batch[half:]]

    def _shared_prefix(self, rows: Sequence[Row], is_over: Callable[[], bool]) -> Prefix | None:
        """What all prompts begin with; a lone prompt shares with those of the last call."""
        prompts = [tuple(row.prompt) for row in rows]
        shortest = min(len(prompt) for prompt in prompts)
        num_known = num_common([self._prefix.ids, *prompts])
        num_shared = num_common(prompts) if len(prompts) > 1 else num_known
        num_shared = min(num_shared, shortest - 1)  # each row needs a token to start from
        known = self._prefix.cut(min(num_known, num_shared))
        started = time.monotonic()
        prefix: Prefix | None = known
        if num_shared > len(known.ids):
            self._prefix = EMPTY_PREFIX
            prefix = self._compute_prefix(prompts[0][:num_shared], known, is_over)
            self._prefix = prefix or EMPTY_PREFIX
        for number, row in enumerate(rows):
            row.cached_prefix_tokens = num_shared if number else len(known.ids)
        self._count(prefill_s=time.monotonic() - started)
        return prefix

    def _compute_prefix(
        self, ids: Sequence[int], known: Prefix, is_over: Callable[[], bool]
    ) -> Prefix | None:
        try:
            return self._runner.compute_prefix(ids, known, is_over)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            raise self._too_small(len(ids)) from None

    def _too_small(self, num_tokens: int) -> DeviceError:
        return DeviceError(f"{self._device.type} has no memory for a prompt of {num_tokens} tokens")

    def _run_batch(
        self,
        rows: list[Row],
        prefix: Prefix,
        is_over: Callable[[], bool],
        report: Callable[[], None],
    ) -> None:
        started = time.monotonic()
        batch = self._runner.start(prefix, len(rows))
        rest = [row.prompt[len(prefix.ids) :] for row in rows]
        logits = self._runner.prefill(batch, rest, is_over)
        prefilled = time.monotonic()
        self._count(prefill_s=prefilled - started)
        if logits is not None:
            self._decode(rows, batch, logits, is_over, report)
        self._count(decode_s=time.monotonic() - prefilled)

    def _decode(
        self,
        rows: list[Row],
        batch: Batch,
        logits: torch.Tensor,
        is_over: Callable[[], bool],
        report: Callable[[], None],
    ) -> None:
        """Until every row has its `stop`, or time is over."""
        while rows:
            tokens = self._draw(rows, logits)
            for row, token in zip(rows, tokens, strict=True):
                row.accept(token)
                row.leave_unwanted()
            running = [number for number, row in enumerate(rows) if row.stop is None]
            if len(running) < len(rows):
                report()
                rows = [rows[number] for number in running]
                tokens = [tokens[number] for number in running]
                if rows:
                    batch.keep(running)
            if not rows or is_over():
                return
            logits = self._runner.step(batch, tokens)
            self._count(decode_steps=1)

    def _draw(self, rows: Sequence[Row], logits: torch.Tensor) -> list[int]:
        if bool(logits.isnan().any()):
            raise DeviceError(f"{self._device.type} computed no numbers (NaN); use --device cpu")
        allowed = torch.stack([row.allowed() for row in rows])
        return sample(
            logits,
            allowed.to(logits.device),
            torch.tensor([row.temperature for row in rows], device=logits.device),
            torch.tensor([row.uniform() for row in rows], device=logits.device),
        ).tolist()

    def _count(
        self, *, prefill_s: float = 0.0, decode_s: float = 0.0, decode_steps: int = 0
    ) -> None:
        self.stats = replace(
            self.stats,
            prefill_s=self.stats.prefill_s + prefill_s,
            decode_s=self.stats.decode_s + decode_s,
            decode_steps=self.stats.decode_steps + decode_steps,
        )
