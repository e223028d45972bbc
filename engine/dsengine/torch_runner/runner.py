"""Forward passes over a batch. B rows, Q new slots, S own slots, V vocabulary.

A row's tokens stand in slots 0, 1, ... behind the prefix; what a row has not reached yet is
masked. Padding stands on the right: it is written where the row's next tokens will be.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version

import torch
from torch import Tensor

from dsengine.device import free_memory, release_memory
from dsengine.torch_runner.cache import EMPTY_PREFIX, BatchCache, Place, Prefix
from dsengine.torch_runner.graphs import StepGraph
from dsengine.torch_runner.network import Network
from dsengine.torch_runner.packing import can_pack, pack_linears

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
    def prefix(self) -> Prefix:
        return self.cache.prefix

    @property
    def room(self) -> int:
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


class TorchRunner:
    """A model of transformers; see `dsengine.runner.Runner`."""

    empty_prefix = EMPTY_PREFIX
    is_ragged = False

    def __init__(self, network: Network) -> None:
        self._network = network
        if can_pack(network.device, network.dtype):
            pack_linears(network.module)
        self.device_name = network.device.type
        dtype = str(network.dtype).removeprefix("torch.")
        self.dtype_name = dtype if network.weights == "full" else f"{network.weights}, {dtype}"
        self.window = network.window
        self.vocab_size = network.vocab_size
        self.bytes_per_token = network.bytes_per_token
        self.versions = tuple(f"{name} {version(name)}" for name in ("torch", "transformers"))
        # a pass; bounds the memory of scores and the wait for a deadline
        self._max_pass_tokens = 8_192 if network.device.type == "cuda" else 512

    def free_memory(self) -> int:
        return free_memory(self._network.device)

    def release_memory(self) -> None:
        release_memory(self._network.device)

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
        keep = torch.unique(last.clamp(0, len(slots) - 1))
        logits = self._forward(
            batch,
            slice(entry.first, entry.first + rows),
            entry.ids[:, entry.num_passed : stop],
            slots.expand(rows, -1).to(batch.device),
            _blocks(stop),
            keep.to(batch.device),
        )
        column = torch.searchsorted(keep, last.clamp(0, len(slots) - 1)).to(batch.device)
        logits = logits[torch.arange(rows, device=batch.device), column]
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
            logits = self._forward(batch, rows, ids, slots.unsqueeze(-1), num_visible)[:, -1]
        batch.num_tokens = [count + 1 for count in batch.num_tokens]
        return logits

    def extend(self, batch: Batch, rows: Sequence[Sequence[int]]) -> Tensor:
        """Append one or more tokens to each running row, in one pass.

        Returns:
            float (B, Q, V), logits after each of a row's tokens, Q those of the longest;
            behind a shorter row's own they mean nothing.
        """
        width = max(len(row) for row in rows)
        ids = torch.tensor([list(row) + [0] * (width - len(row)) for row in rows])
        first = torch.tensor(batch.num_tokens).unsqueeze(-1)
        slots = (first + torch.arange(width)).clamp_max(batch.cache.num_slots - 1)
        num_visible = _blocks(max(batch.num_tokens) + width)
        logits = self._forward(
            batch,
            slice(0, len(rows)),
            ids.to(batch.device),
            slots.to(batch.device),
            min(num_visible, batch.cache.num_slots),
            keep=0,
        )
        batch.num_tokens = [
            count + len(row) for count, row in zip(batch.num_tokens, rows, strict=True)
        ]
        return logits

    def forget(self, batch: Batch, row: int, num_tokens: int) -> None:
        """Take the last `num_tokens` of a running row back: the next ones overwrite them."""
        batch.num_tokens[row] -= num_tokens

    def _replay(self, batch: Batch, tokens: Tensor, slots: Tensor, num_visible: int) -> Tensor:
        num_rows = len(batch.num_tokens)
        padded = min(1 << (num_rows - 1).bit_length(), batch.cache.num_rows)
        key = (padded, num_visible)
        if key not in batch.graphs:

            def forward(ids: Tensor, slots: Tensor) -> Tensor:
                return self._forward(batch, slice(0, padded), ids, slots, num_visible)[:, -1]

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
        keep: int | Tensor = 1,
    ) -> Tensor:
        """Pass `ids` (B, Q), which stand in own `slots` (B, Q), through the network.

        Args:
            keep: of how many of the last slots, or of which ones (int64, on the device), the
                logits are given; 0 for all.

        Returns:
            float (B, K, V).
        """
        batch.cache.place = Place(rows, slots, num_visible)
        output = self._network.module(
            input_ids=ids,
            attention_mask=self._mask(batch.cache, slots, num_visible),
            position_ids=slots + len(batch.cache.prefix.ids),
            past_key_values=batch.cache.states,
            use_cache=True,
            logits_to_keep=keep,
        )
        logits: Tensor = output.logits
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
