"""MLX behind `dsengine.runner.Runner`.

A pass is evaluated before it returns, so that time and memory are those of the pass. Shapes:
B rows, Q new tokens, V vocabulary.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import mlx.core as mx
import numpy as np
import torch
from torch import Tensor

from dsengine.mlx_runner.network import Network
from dsengine.mlx_runner.states import EMPTY_PREFIX, LayerStates, Place, Prefix, padded

_MAX_PASS_TOKENS = 512  # bounds the memory of scores and the wait for a deadline
_BLOCK = 64
"""Visible slots come in blocks: MLX makes a kernel for each new shape."""


class Batch:
    """Rows in flight; those that run are the first ones."""

    device = torch.device("cpu")

    def __init__(self, prefix: Prefix, num_layers: int, num_rows: int, num_slots: int) -> None:
        self.prefix = prefix
        self.num_rows = num_rows
        self.num_slots = num_slots
        self.num_tokens: list[int] = []
        known = prefix.layers or (None,) * num_layers
        self.layers = [LayerStates(layer, num_rows, num_slots) for layer in known]

    @property
    def room(self) -> int:
        return self.num_rows - len(self.num_tokens)

    def leave(self, row: int) -> int:
        last = len(self.num_tokens) - 1
        if row != last:
            self.move(last, row, self.num_tokens[last])
            self.num_tokens[row] = self.num_tokens[last]
        self.num_tokens.pop()
        return last

    def move(self, source: int, target: int, num_slots: int) -> None:
        if source != target:
            for layer in self.layers:
                layer.move(source, target, num_slots)

    def close(self) -> None:
        self.layers = []


@dataclass(slots=True)
class Entry:
    """Prompts on their way into a batch, in its last rows until they are through."""

    ids: mx.array
    """int32 (B, Q), padded on the right."""
    lengths: tuple[int, ...]
    first: int
    """Of its rows in the batch."""
    logits: list[Tensor | None]
    """Of each row that is through, (V,)."""
    num_passed: int = 0


@dataclass(frozen=True, slots=True)
class Facts:
    """What a loaded model is, for people and for the scheduler."""

    device_name: str
    bytes_per_token: int
    versions: tuple[str, ...]


class MlxRunner:
    """A model of mlx-lm; see `dsengine.runner.Runner`."""

    empty_prefix = EMPTY_PREFIX
    is_ragged = False

    def __init__(self, network: Network, facts: Facts, free_memory: Callable[[], int]) -> None:
        self._network = network
        self.device_name = facts.device_name
        self.dtype_name = network.dtype_name
        self.window = network.window
        self.vocab_size = network.vocab_size
        self.bytes_per_token = facts.bytes_per_token
        self.versions = facts.versions
        self.free_memory = free_memory
        self._device = mx.gpu if facts.device_name == "metal" else mx.cpu

    def release_memory(self) -> None:
        mx.clear_cache()

    def compute_prefix(
        self, ids: Sequence[int], known: Prefix, is_over: Callable[[], bool]
    ) -> Prefix | None:
        rest = list(ids[len(known.ids) :])
        if not rest:
            return known
        batch = self.start(known, 1, len(rest))
        entry = self.enter(batch, [rest])
        while not is_over():
            if self.advance(batch, entry) is not None:
                with mx.stream(self._device):
                    layers = tuple(layer.as_prefix(len(rest)) for layer in batch.layers)
                return Prefix(tuple(ids), layers)
        return None

    def start(self, prefix: Prefix, num_rows: int, num_slots: int) -> Batch:
        # one slot more for what padding writes
        return Batch(prefix, self._network.num_layers, num_rows, _blocks(num_slots + 1))

    def enter(self, batch: Batch, rows: Sequence[Sequence[int]]) -> Entry:
        with mx.stream(self._device):
            ids = padded(rows)
        lengths = tuple(len(row) for row in rows)
        return Entry(ids, lengths, batch.num_rows - len(rows), [None] * len(rows))

    def advance(self, batch: Batch, entry: Entry) -> Tensor | None:
        num_rows, width = entry.ids.shape
        start = entry.num_passed
        stop = min(start + max(1, _MAX_PASS_TOKENS // num_rows), width)
        rows = range(entry.first, entry.first + num_rows)
        with mx.stream(self._device):
            slots = mx.broadcast_to(
                mx.arange(start, stop, dtype=mx.int32), (num_rows, stop - start)
            )
            hidden = self._pass(batch, rows, entry.ids[:, start:stop], slots, stop)
            ending = [row for row, length in enumerate(entry.lengths) if start < length <= stop]
            self._take_logits(entry, hidden, ending)
        entry.num_passed = stop
        done = [logits for logits in entry.logits if logits is not None]
        if len(done) < num_rows:
            return None
        with mx.stream(self._device):
            for row, count in enumerate(entry.lengths, start=entry.first):
                batch.move(row, len(batch.num_tokens), count)
                batch.num_tokens.append(count)
        return torch.stack(done)

    def step(self, batch: Batch, tokens: Tensor) -> Tensor:
        return self.extend(batch, tokens.unsqueeze(-1).tolist())[:, 0]

    def extend(self, batch: Batch, rows: Sequence[Sequence[int]]) -> Tensor:
        width = max(len(row) for row in rows)
        visible = min(_blocks(max(batch.num_tokens) + width), batch.num_slots)
        with mx.stream(self._device):
            first = mx.array(batch.num_tokens, dtype=mx.int32)[:, None]
            slots = mx.minimum(first + mx.arange(width, dtype=mx.int32), batch.num_slots - 1)
            hidden = self._pass(batch, range(len(rows)), padded(rows), slots, visible)
            logits = _as_torch(self._network.logits(hidden))
        batch.num_tokens = [
            count + len(row) for count, row in zip(batch.num_tokens, rows, strict=True)
        ]
        return logits

    def forget(self, batch: Batch, row: int, num_tokens: int) -> None:
        """The next ones overwrite them."""
        batch.num_tokens[row] -= num_tokens

    def _pass(
        self, batch: Batch, rows: range, ids: mx.array, slots: mx.array, num_visible: int
    ) -> mx.array:
        """(B, Q) to hidden states (B, Q, D), evaluated."""
        place = Place(rows, slots, num_visible, len(batch.prefix.ids))
        for layer in batch.layers:
            layer.begin(place)
        hidden = self._network.hidden(ids, batch.layers)
        mx.eval(hidden, [layer.own for layer in batch.layers])
        return hidden

    def _take_logits(self, entry: Entry, hidden: mx.array, ending: Sequence[int]) -> None:
        """Of the rows whose last token was in this pass."""
        if not ending:
            return
        last = [entry.lengths[row] - 1 - entry.num_passed for row in ending]
        logits = _as_torch(self._network.logits(hidden[mx.array(list(ending)), mx.array(last)]))
        for row, one in zip(ending, logits, strict=True):
            entry.logits[row] = one


def _as_torch(array: mx.array) -> Tensor:
    return torch.from_numpy(np.array(array))


def _blocks(num_slots: int) -> int:
    return -(-num_slots // _BLOCK) * _BLOCK
