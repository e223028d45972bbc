"""Continuous batching: rows enter a running batch when there is room, and leave it when done."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from dsengine.drafts import NO_DRAFT, Draft, Drafter
from dsengine.errors import DeviceError
from dsengine.runner import AnyRunner, Batch
from dsengine.sampler import NOT_A_NUMBER, Masks, Rank, rank, sample
from dsengine.sequence import Sequence as Row

DEAD_END = -2
"""In place of a token where the grammar allows none."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """What one place of a pass came to."""

    token: int
    rank: Rank | None


_ENTERING_SHARE = 0.25
"""Of a batch's rows that are free before prompts enter beside those that run."""


class ContinuousBatch:
    """Rows that share a prefix: those that enter and those that run."""

    def __init__(
        self,
        runner: AnyRunner,
        batch: Batch,
        next_row: Callable[[], Row | None],
        drafter: Drafter,
    ) -> None:
        """
        Args:
            next_row: asked for one that enters, while there is room; None while there is none.
            drafter: kept from batch to batch, since it learns.
        """
        self._runner = runner
        self._batch = batch
        self._next_row = next_row
        self._entering: list[Row] = []
        self._entry: object | None = None
        self._running: list[Row] = []
        self._drafter = drafter
        self._masks = Masks(batch.device, runner.vocab_size)
        self._tokens: list[int] = []
        """Of each running row, drawn and not yet passed through the network."""

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
        drawn = self._draw(self._entering, [NO_DRAFT] * len(self._entering), logits)
        entered, self._entering, self._entry = self._entering, [], None
        for row, (first,) in zip(entered, drawn, strict=True):
            self._take(row, first)
            self._running.append(row)
            self._tokens.append(first.token)
        self._release()

    def _admit(self) -> None:
        """Let as many prompts in as rows are free, several at once while others run.

        A pass over one prompt takes hardly less than one over two, where models are small or
        launches are what costs.
        """
        num_rows = self._batch.room + len(self._running)
        if self._running and self._batch.room < num_rows * _ENTERING_SHARE:
            return
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
        self._entering, self._entry = [], None
        return True

    def step(self) -> bool:
        """One more token for each row that runs, or more where drafts hold; False if none does."""
        if not self._running:
            return False
        started = time.perf_counter()
        proposed = self._drafter.propose(self._running)
        drafts = self._drafter.choose(proposed, self._runner.is_ragged)
        logits = self._pass(drafts)
        drawn = self._draw(self._running, drafts, logits)
        self._learn_pass(drafts, time.perf_counter() - started)
        for place, (row, draft) in enumerate(zip(self._running, drafts, strict=True)):
            taken = self._take_run(row, draft, drawn[place])
            self._tokens[place] = taken[-1]
            self._drafter.learn(proposed[place], len(draft.tokens), taken)
            if len(taken) <= len(draft.tokens):
                self._runner.forget(self._batch, place, len(draft.tokens) + 1 - len(taken))
        self._release()
        return True

    def _pass(self, drafts: Sequence[Draft]) -> Tensor:
        """Logits (N, V) after each row's last token and each token of its draft."""
        if not any(draft.tokens for draft in drafts):
            return self._runner.step(
                self._batch, torch.tensor(self._tokens).to(self._batch.device, non_blocking=True)
            )
        rows = [[token, *draft.tokens] for token, draft in zip(self._tokens, drafts, strict=True)]
        logits = self._runner.extend(self._batch, rows)
        width = logits.shape[1]
        places = [number * width + at for number, row in enumerate(rows) for at in range(len(row))]
        flat = logits.flatten(0, 1)
        return flat if len(places) == len(flat) else flat[torch.tensor(places).to(flat.device)]

    def _learn_pass(self, drafts: Sequence[Draft], seconds: float) -> None:
        longest = max(len(draft.tokens) for draft in drafts)
        pace, num_rows = self._drafter.pace, len(drafts)
        if not longest:
            pace.learn_step(num_rows, seconds)
        elif self._runner.is_ragged:
            pace.learn_pass(num_rows + sum(len(draft.tokens) for draft in drafts), seconds)
        else:
            pace.learn_pass(num_rows * (longest + 1), seconds)

    def _take_run(self, row: Row, draft: Draft, drawn: Sequence[Drawn]) -> list[int]:
        """Tokens that the row has now: drawn while the draft held, and the one behind."""
        taken = []
        for place, one in enumerate(drawn):
            self._take(row, one)
            taken.append(one.token)
            is_drafted = place < len(draft.tokens) and draft.tokens[place] == one.token
            if row.stop is not None or not is_drafted:
                break
        return taken

    def close(self) -> None:
        self._batch.close()

    def abandon(self) -> list[Row]:
        """Memory ran out: those that ran or entered, back at their start."""
        rows = [*self._running, *self._entering]
        for row in rows:
            row.restart()
        return rows

    def _draw(
        self, rows: Sequence[Row], drafts: Sequence[Draft], logits: Tensor
    ) -> list[list[Drawn]]:
        """What follows each row's last token and each token of its draft.

        Masks are made while the device still computes the logits, (N, V). Ranked where a row
        asks for it.
        """
        sizes = [len(draft.tokens) + 1 for draft in drafts]
        packed = self._masks.packed(len(logits))
        first = 0
        for row, draft, size in zip(rows, drafts, sizes, strict=True):
            row.fill_allowed(packed[first : first + size], draft.tokens)
            first += size
        is_open = packed.any(dim=-1).tolist()
        allowed = self._masks.unpacked(len(logits))
        temperature = torch.tensor([row.temperature for row in rows])
        uniform = [
            number for row, size in zip(rows, sizes, strict=True) for number in row.uniforms(size)
        ]
        temperature = temperature.repeat_interleave(torch.tensor(sizes))
        tokens = sample(logits, allowed, temperature, torch.tensor(uniform))
        num_top = max(row.top_logprobs for row in rows)
        ranks: Sequence[Rank | None] = [None] * len(logits)
        if num_top:
            ranks = rank(logits, allowed, tokens, num_top).ranks()
        places = iter(
            Drawn(token if can_go_on else DEAD_END, one_rank)
            for token, can_go_on, one_rank in zip(tokens.tolist(), is_open, ranks, strict=True)
        )
        return [[next(places) for _ in range(size)] for size in sizes]

    def _take(self, row: Row, drawn: Drawn) -> None:
        """Tell the row its token."""
        if drawn.token == NOT_A_NUMBER:
            name = self._runner.device_name
            raise DeviceError(f"{name} computed no numbers (NaN); use --device cpu")
        if drawn.token == DEAD_END:
            raise ValueError("no token is allowed for some sequence")
        row.accept(drawn.token, drawn.rank)
        row.leave_unwanted()

    def _release(self) -> None:
        """Rows that are done leave."""
        for place in reversed(range(len(self._running))):
            if self._running[place].stop is None:
                continue
            self._drafter.remember(self._running[place].answer)
            last = self._batch.leave(place)
            self._running[place] = self._running[last]
            self._tokens[place] = self._tokens[last]
            del self._running[last], self._tokens[last]
