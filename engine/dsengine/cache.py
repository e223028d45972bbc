"""Keys and values of the tokens that were computed.

Shapes: B sequences, H heads (1 where the model keeps latents), S slots, D head size; keys
and values may differ in D.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers.cache_utils import Cache, DynamicLayer

_GROWTH = 256  # slots; concatenating would copy everything at each step


class GrowingLayer(DynamicLayer):  # type: ignore[misc] # skipped, see pyproject.toml
    """Writes into a buffer with room to spare instead of concatenating at each step."""

    def update(
        self, key_states: Tensor, value_states: Tensor, *args: object, **kwargs: object
    ) -> tuple[Tensor, Tensor]:
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
            self._buffers = (key_states[:, :, :0], value_states[:, :, :0])
            self._num_slots = 0
        stop = self._num_slots + key_states.shape[-2]
        if stop > self._buffers[0].shape[-2]:
            self._buffers = (_grown(self._buffers[0], stop), _grown(self._buffers[1], stop))
        for buffer, states in zip(self._buffers, (key_states, value_states), strict=True):
            buffer[:, :, self._num_slots : stop] = states
        self._show(stop)
        return self.keys, self.values

    def hold(self, keys: Tensor, values: Tensor) -> None:
        """Start from keys and values (B, H, S, D) that were computed before."""
        self.lazy_initialization(keys, values)
        stop = keys.shape[-2]
        self._buffers = (_grown(keys, stop), _grown(values, stop))
        self._show(stop)

    def select(self, rows: Tensor) -> None:
        """Keep rows (int64, of B) only."""
        self._buffers = (self._buffers[0][rows], self._buffers[1][rows])
        self._show(self._num_slots)

    def _show(self, stop: int) -> None:
        self._num_slots = stop
        self.keys, self.values = (buffer[:, :, :stop] for buffer in self._buffers)


def _grown(buffer: Tensor, num_slots: int) -> Tensor:
    rows, heads, filled, size = buffer.shape
    grown = buffer.new_zeros((rows, heads, num_slots + _GROWTH, size))
    grown[:, :, :filled] = buffer
    return grown


@dataclass(frozen=True, slots=True)
class Prefix:
    """Tokens that several prompts begin with, computed once."""

    ids: tuple[int, ...]
    layers: tuple[tuple[Tensor, Tensor], ...]
    """Keys and values (1, H, S, D) of each layer, S tokens."""

    def cut(self, num_tokens: int) -> "Prefix":
        layers = tuple((k[:, :, :num_tokens], v[:, :, :num_tokens]) for k, v in self.layers)
        return Prefix(self.ids[:num_tokens], layers)


class BatchCache:
    """The cache of a batch, in the form that transformers' models take."""

    def __init__(self, prefix: Prefix, num_rows: int) -> None:
        """Every row begins with a copy of `prefix`."""
        self.states = Cache(layer_class_to_replicate=GrowingLayer)
        for keys, values in prefix.layers:
            layer = GrowingLayer()
            layer.hold(keys.expand(num_rows, -1, -1, -1), values.expand(num_rows, -1, -1, -1))
            self.states.layers.append(layer)

    def keep(self, rows: Sequence[int]) -> None:
        """Drop all rows but these."""
        for layer in self.states.layers:
            layer.select(torch.tensor(rows, device=layer.keys.device))

    def as_prefix(self, ids: Sequence[int]) -> Prefix:
        """The first row, whose tokens are `ids`."""
        layers = tuple((layer.keys[:1], layer.values[:1]) for layer in self.states.layers)
        return Prefix(tuple(ids), layers)


EMPTY_PREFIX = Prefix((), ())


def num_common(prompts: Sequence[Sequence[int]]) -> int:
    """Length of the longest prefix that all prompts share."""
    first, last = min(prompts, key=tuple), max(prompts, key=tuple)
    count = 0
    for left, right in zip(first, last, strict=False):
        if left != right:
            break
        count += 1
    return count
