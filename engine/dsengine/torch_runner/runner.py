"""Forward passes over a batch. B rows, Q new slots, S own slots, V vocabulary.

A row's tokens stand in slots 0, 1, ... behind the prefix; what a row has not reached yet is
masked. Padding stands on the right: it is written where the row's next tokens will be.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from dsengine.cache import BatchCache, Place, Prefix
from dsengine.graphs import StepGraph
from dsengine.network import Network

_BLOCK = 128
"""Own slots that a pass looks at are a multiple of it, so that few shapes occur."""


class Batch:
    """Rows in flight; those that run are the first ones."""

    def __init__(self, cache: BatchCache, device: torch.device) -> None:
        self.cache = cache
        self.device = device
        self.num_tokens: list[int] = []
        """Own tokens of each running row that are computed."""
        self.graphs: dict[tuple[int, int], StepGraph] = {}
        """By rows and visible slots."""

    @property
    def room(self) -> int:
        """Rows that could enter."""
        return self.cache.num_rows - len(self.num_tokens)

    def close(self) -> None:
        """Graphs refer to the batch: without this they would live until a garbage
        collection, which must not happen while another graph is captured."""
        self.graphs.clear()

    def leave(self, row: int) -> int:
        """Row `row` is done; the last one takes its place. Returns the row that moved."""
        last = len(self.num_tokens) - 1
        if row != last:
            self.cache.move(last, row, self.num_tokens[last])
            self.num_tokens[row] = self.num_tokens[last]
        self.num_tokens.pop()
        return last


@dataclass(slots=True)
class Entry:
    """Prompts on their way into a batch, in its last rows until they are through."""

    ids: Tensor
    """int64 (B, Q), padded on the right."""
    lengths: tuple[int, ...]
    first: int
    """Of its rows in the cache."""
    num_passed: int = 0
    """Tokens of each row that went through the network."""
    logits: Tensor | None = None


class Runner:
    def __init__(self, network: Network) -> None:
        self._network = network
        # a pass; bounds the memory of scores and the wait for a deadline
        self._max_pass_tokens = 8_192 if network.device.type == "cuda" else 512

    def compute_prefix(
        self, ids: Sequence[int], known: Prefix, is_over: Callable[[], bool]
    ) -> Prefix | None:
        """Keys and values of `ids`, from those of `known`, with which it begins.

        Returns:
            None if `is_over` said so between two passes.
        """
        rest = list(ids[len(known.ids) :])
        batch = self.start(known, 1, len(rest))
        entry = self.enter(batch, [rest])
        while not is_over():
            if self.advance(batch, entry) is not None:
                return batch.cache.as_prefix(ids)
        return None

    def start(self, prefix: Prefix, num_rows: int, num_slots: int) -> Batch:
        """An empty batch of `num_rows` rows with room for `num_slots` own tokens each."""
        network = self._network
        cache = BatchCache(
            prefix,
            network.num_layers,
            num_rows,
            _blocks(num_slots + 1),  # one for what rows that nobody runs write
            is_shared=network.shares_prefixes,
        )
        return Batch(cache, network.device)

    def enter(self, batch: Batch, rows: Sequence[Sequence[int]]) -> Entry:
        """Let prompts come in: the rest of each, at least one token a row.

        They run once `advance` has passed all of their tokens; one entry at a time.
        """
        width = max(len(row) for row in rows)
        ids = torch.tensor([list(row) + [0] * (width - len(row)) for row in rows])
        lengths = tuple(len(row) for row in rows)
        return Entry(ids.to(batch.device), lengths, batch.cache.num_rows - len(rows))

    def advance(self, batch: Batch, entry: Entry) -> Tensor | None:
        """One pass over the next tokens of an entry.

        Returns:
            float (B, V), logits of each row's next token after the last pass, when the rows
            run behind those that did; None before.
        """
        rows, width = entry.ids.shape
        stop = min(entry.num_passed + max(1, self._max_pass_tokens // rows), width)
        slots = torch.arange(entry.num_passed, stop)
        last = torch.tensor(entry.lengths) - 1 - entry.num_passed
        logits = self._forward(
            batch,
            slice(entry.first, entry.first + rows),
            entry.ids[:, entry.num_passed : stop],
            slots.expand(rows, -1).to(batch.device),
            _blocks(stop),
            last.clamp(0, len(slots) - 1),
        )
        is_here = ((last >= 0) & (last < len(slots))).unsqueeze(-1).to(batch.device)
        entry.logits = (
            logits if entry.logits is None else torch.where(is_here, logits, entry.logits)
        )
        entry.num_passed = stop
        if stop < width:
            return None
        for row, count in enumerate(entry.lengths, start=entry.first):
            batch.cache.move(row, len(batch.num_tokens), count)
            batch.num_tokens.append(count)
        return entry.logits

    def step(self, batch: Batch, tokens: Tensor) -> Tensor:
        """Append one token (int64 (B,), on the device) to each running row.

        Returns:
            float (B, V), logits of the token after it.
        """
        num_visible = _blocks(max(batch.num_tokens) + 1)
        slots = torch.tensor(batch.num_tokens, device=batch.device)
        if self._network.can_capture:
            logits = self._replay(batch, tokens, slots, num_visible)
        else:
            rows = slice(0, len(batch.num_tokens))
            ids = tokens.unsqueeze(-1)
            logits = self._forward(batch, rows, ids, slots.unsqueeze(-1), num_visible, None)
        batch.num_tokens = [count + 1 for count in batch.num_tokens]
        return logits

    def _replay(self, batch: Batch, tokens: Tensor, slots: Tensor, num_visible: int) -> Tensor:
        num_rows = len(batch.num_tokens)
        padded = min(1 << (num_rows - 1).bit_length(), batch.cache.num_rows)
        key = (padded, num_visible)
        if key not in batch.graphs:

            def forward(ids: Tensor, slots: Tensor) -> Tensor:
                return self._forward(batch, slice(0, padded), ids, slots, num_visible, None)

            batch.graphs[key] = StepGraph(forward, padded, batch.cache.num_slots - 1, batch.device)
        return batch.graphs[key](tokens, slots)[:num_rows]

    @torch.inference_mode()
    def _forward(
        self,
        batch: Batch,
        rows: slice,
        ids: Tensor,
        slots: Tensor,
        num_visible: int,
        wanted: Tensor | None,
    ) -> Tensor:
        """Pass `ids` (B, Q), which stand in own `slots` (B, Q), through the network.

        Args:
            wanted: int64 (B,), on the CPU: of which new slot the logits are given; None for
                one new slot.
        """
        batch.cache.place = Place(rows, slots, num_visible)
        keep = None if wanted is None else torch.unique(wanted)
        output = self._network.module(
            input_ids=ids,
            attention_mask=self._mask(batch.cache, slots, num_visible),
            position_ids=slots + len(batch.cache.prefix.ids),
            past_key_values=batch.cache.states,
            use_cache=True,
            logits_to_keep=1 if keep is None else keep.to(ids.device),
        )
        if wanted is None or keep is None:
            logits: Tensor = output.logits[:, -1]
        else:
            column = torch.searchsorted(keep, wanted).to(ids.device)
            logits = output.logits[torch.arange(len(column), device=ids.device), column]
        return logits.float()

    def _mask(self, cache: BatchCache, slots: Tensor, num_visible: int) -> Tensor:
        """What is added to the scores, (B, 1, Q, S): 0 where a query may look."""
        dtype = self._network.dtype
        own = torch.arange(num_visible, device=slots.device)
        is_hidden = own > slots.unsqueeze(-1)  # (B, Q, S)
        mask = torch.zeros(is_hidden.shape, dtype=dtype, device=slots.device)
        mask = mask.masked_fill_(is_hidden, torch.finfo(dtype).min).unsqueeze(1)
        if cache.is_shared or not cache.prefix.ids:
            return mask
        return torch.nn.functional.pad(mask, (len(cache.prefix.ids), 0))


def _blocks(num_slots: int) -> int:
    return -(-num_slots // _BLOCK) * _BLOCK
