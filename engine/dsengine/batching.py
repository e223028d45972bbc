"""Continuous batching: rows enter a running batch when there is room, and leave it when done."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from dsengine.errors import DeviceError
from dsengine.runner import AnyRunner, Batch
from dsengine.sampler import NOT_A_NUMBER, Masks, Ranking, rank, sample
from dsengine.sequence import Sequence as Row


class ContinuousBatch:
    """Rows that share a prefix: those that enter and those that run."""

    def __init__(self, runner: AnyRunner, batch: Batch, next_row: Callable[[], Row | None]) -> None:
        """
        Args:
            next_row: asked for one that enters, while there is room; None while there is none.
        """
        self._runner = runner
        self._batch = batch
        self._next_row = next_row
        self._entering: list[Row] = []
        self._entry: object | None = None
        self._running: list[Row] = []
        self.num_done = 0
        self._masks = Masks(batch.device)
        self._tokens = torch.empty(0, dtype=torch.long, device=batch.device)
        """int64 (B,), drawn and not yet passed through the network."""

    @property
    def has_work(self) -> bool:
        return bool(self._entering or self._running)

    def enter(self) -> None:
        """One pass over prompts that come in; the rows that run wait no longer than that."""
        if self._entry is None:
            self._admit()
        if self._entry is None or self._has_left():
            return
        logits = self._runner.advance(self._batch, self._entry)
        if logits is None:
            return
        tokens, ranking = self._draw(self._entering, logits)
        entered, self._entering, self._entry = self._entering, [], None
        self._running += entered
        self._tokens = torch.cat([self._tokens, tokens])
        self._accept(entered, tokens, ranking)

    def _admit(self) -> None:
        """Let as many prompts in as rows are free."""
        while len(self._entering) < self._batch.room:
            row = self._next_row()
            if row is None:
                break
            self._entering.append(row)
        if self._entering:
            num_known = len(self._batch.prefix.ids)
            rest = [row.prompt[num_known:] for row in self._entering]
            self._entry = self._runner.enter(self._batch, rest)

    def _has_left(self) -> bool:
        """Nobody wants what enters any more: the next entry takes its place."""
        if any(row.is_wanted() for row in self._entering):
            return False
        for row in self._entering:
            row.leave_unwanted()
        self.num_done += len(self._entering)
        self._entering, self._entry = [], None
        return True

    def step(self) -> bool:
        """One more token for each row that runs; False if none does."""
        if not self._running:
            return False
        logits = self._runner.step(self._batch, self._tokens)
        self._tokens, ranking = self._draw(self._running, logits)
        self._accept(self._running, self._tokens, ranking)
        return True

    def close(self) -> None:
        self._batch.close()

    def abandon(self) -> list[Row]:
        """Memory ran out: those that ran or entered, back at their start."""
        rows = [*self._running, *self._entering]
        for row in rows:
            row.restart()
        return rows

    def _draw(self, rows: Sequence[Row], logits: Tensor) -> tuple[Tensor, Ranking | None]:
        """int64 (B,) on the device; masks are made while it still computes the logits.

        Ranked where a row asks for it.
        """
        allowed = self._masks.of([row.allowed() for row in rows])
        temperature = torch.tensor([row.temperature for row in rows])
        uniform = torch.tensor([row.uniform() for row in rows])
        tokens = sample(logits, allowed, temperature, uniform)
        num_top = max(row.top_logprobs for row in rows)
        return tokens, rank(logits, allowed, tokens, num_top) if num_top else None

    def _accept(self, rows: Sequence[Row], tokens: Tensor, ranking: Ranking | None) -> None:
        """Tell the rows their tokens; those that are done leave."""
        drawn = tokens.tolist()
        ranks = ranking.ranks() if ranking is not None else [None] * len(drawn)
        for row, token, token_rank in zip(rows, drawn, ranks, strict=True):
            if token == NOT_A_NUMBER:
                name = self._runner.device_name
                raise DeviceError(f"{name} computed no numbers (NaN); use --device cpu")
            row.accept(token, token_rank)
            row.leave_unwanted()
        staying = list(range(len(self._running)))
        for place in reversed(range(len(staying))):
            if self._running[place].stop is not None:
                last = self._batch.leave(place)
                self._running[place] = self._running[last]
                staying[place] = staying[last]
                del self._running[last], staying[last]
                self.num_done += 1
        if len(staying) < len(self._tokens):
            self._tokens = self._tokens[torch.tensor(staying, device=self._tokens.device).long()]
