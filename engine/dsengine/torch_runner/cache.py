"""Keys and values of the tokens that were computed.

Shapes: B rows, H heads (1 where the model keeps latents), S slots, P slots of the prefix,
Q new slots, D head size; keys and values may differ in D.

Rows of a batch begin with one prefix, which is held once. What is their own stands in
buffers of fixed shape, so that a row can leave and another take its place, and so that a
step can be captured as a graph.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor
from transformers.cache_utils import Cache, CacheLayerMixin


@dataclass(frozen=True, slots=True)
class States:
    """Keys and values of one layer."""

    keys: Tensor
    """(B, H, S, D keys)."""
    values: Tensor
    """(B, H, S, D values)."""
    joined: Tensor | None = None
    """(B, H, S, D keys + D values), where one tensor holds both: CUDA's kernel walks them
    together. A CPU reads them eight times as fast apart (bench/RESULTS.md)."""

    @classmethod
    def side_by_side(cls, joined: Tensor, key_size: int) -> "States":
        return cls(joined[..., :key_size], joined[..., key_size:], joined)

    @classmethod
    def empty(cls, keys: Tensor, values: Tensor, num_rows: int, num_slots: int) -> "States":
        """Room for `num_slots` slots of states like `keys` and `values`."""
        heads, key_size, value_size = keys.shape[1], keys.shape[-1], values.shape[-1]
        shape = (num_rows, heads, num_slots)
        # one head: latents, whose two parts are attended as one
        if keys.device.type == "cuda" or key_size != value_size or heads == 1:
            return cls.side_by_side(keys.new_zeros((*shape, key_size + value_size)), key_size)
        return cls(keys.new_zeros((*shape, key_size)), keys.new_zeros((*shape, value_size)))

    def part(self, rows: slice, num_slots: int) -> "States":
        """The first slots of some rows; a view."""
        if self.joined is not None:
            return States.side_by_side(self.joined[rows, :, :num_slots], self.keys.shape[-1])
        return States(self.keys[rows, :, :num_slots], self.values[rows, :, :num_slots])

    def behind(self, known: "States | None") -> "States":
        """A copy, with `known` before it."""
        first = [] if known is None else [known]
        if self.joined is not None:
            joined = torch.cat([*(one.joined for one in first if one.joined is not None),
                                self.joined], dim=2)  # fmt: skip
            return States.side_by_side(joined, self.keys.shape[-1])
        return States(
            torch.cat([*(one.keys for one in first), self.keys], dim=2),
            torch.cat([*(one.values for one in first), self.values], dim=2),
        )

    def repeated(self, num_rows: int) -> "States":
        """The only row, as often as wanted; a view."""
        if self.joined is not None:
            joined = self.joined.expand(num_rows, -1, -1, -1)
            return States.side_by_side(joined, self.keys.shape[-1])
        return States(
            self.keys.expand(num_rows, -1, -1, -1), self.values.expand(num_rows, -1, -1, -1)
        )

    def move(self, source: int, target: int, num_slots: int) -> None:
        tensors = [self.keys, self.values] if self.joined is None else [self.joined]
        for tensor in tensors:
            tensor[target, :, :num_slots] = tensor[source, :, :num_slots]

    @property
    def nbytes(self) -> int:
        return self.keys.nbytes + self.values.nbytes


@dataclass(frozen=True, slots=True)
class Prefix:
    """Tokens that several prompts begin with, computed once."""

    ids: tuple[int, ...]
    layers: tuple[States, ...]
    """One row, (1, H, P, D), of each layer."""

    def cut(self, num_tokens: int) -> "Prefix":
        layers = tuple(layer.part(slice(None), num_tokens) for layer in self.layers)
        return Prefix(self.ids[:num_tokens], layers if num_tokens else ())

    @property
    def size_bytes(self) -> int:
        return sum(layer.nbytes for layer in self.layers)


EMPTY_PREFIX = Prefix((), ())


@dataclass(slots=True)
class Place:
    """Where the pass that runs now writes and looks."""

    rows: slice
    slots: Tensor
    """int64 (B, Q), own slots that are written."""
    num_visible: int
    """Own slots that any query sees; the mask hides the rest."""
    indices: Tensor = field(init=False)
    """int64 (B, 1), of `rows` from 0."""

    def __post_init__(self) -> None:
        self.indices = torch.arange(len(self.slots), device=self.slots.device).unsqueeze(-1)


class SlotLayer(CacheLayerMixin):  # type: ignore[misc] # skipped, see pyproject.toml
    """One layer's own keys and values, (B, H, S, D), and the prefix that all rows share."""

    def __init__(self, cache: "BatchCache", prefix: States | None) -> None:
        super().__init__()
        self._cache = cache
        self.prefix = prefix

    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None:
        cache = self._cache
        self.states = States.empty(key_states, value_states, cache.num_rows, cache.num_slots)
        self.is_initialized = True

    def update(
        self, key_states: Tensor, value_states: Tensor, *args: object, **kwargs: object
    ) -> tuple["SlotLayer | Tensor", "SlotLayer | Tensor"]:
        """Write (B, H, Q, D); this layer for the attention that shares, else all in one."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        place = self._cache.place
        states = self.states
        states.keys[place.rows][place.indices, :, place.slots] = key_states.transpose(1, 2)
        states.values[place.rows][place.indices, :, place.slots] = value_states.transpose(1, 2)
        if self._cache.is_shared:
            return self, self
        own = self.own
        if self.prefix is None:
            return own.keys, own.values
        everything = own.behind(self.prefix.repeated(len(own.keys)))
        return everything.keys, everything.values

    @property
    def own(self) -> States:
        """What the rows of the running pass may see of their own slots."""
        place = self._cache.place
        return self.states.part(place.rows, place.num_visible)

    @property
    def slots(self) -> Tensor:
        """int64 (B, Q), where the tokens of the running pass stand."""
        return self._cache.place.slots

    def get_seq_length(self) -> int:
        return 0  # positions are given

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return query_length, 0  # masks are given

    def get_max_length(self) -> int:
        return -1


class BatchCache:
    """The cache of a batch, in the form that transformers' models take."""

    def __init__(
        self, prefix: Prefix, num_layers: int, num_rows: int, num_slots: int, *, is_shared: bool
    ) -> None:
        """
        Args:
            num_slots: own tokens that each row has room for.
            is_shared: the model's attention reads the prefix where it is; else it is copied
                to the rows of each pass, one layer at a time.
        """
        self.prefix = prefix
        self.num_rows = num_rows
        self.num_slots = num_slots
        self.is_shared = is_shared
        self.place = Place(slice(0), torch.empty(0, 0), 0)
        self._layers = [SlotLayer(self, layer) for layer in prefix.layers or [None] * num_layers]
        self.states = Cache(layers=self._layers)

    @torch.inference_mode()
    def move(self, source: int, target: int, num_tokens: int) -> None:
        """Let row `target` hold what row `source` held."""
        if source == target:
            return
        for layer in self._layers:
            layer.states.move(source, target, num_tokens)

    def as_prefix(self, ids: Sequence[int]) -> Prefix:
        """The prefix and what the first row added, whose tokens are `ids`."""
        num_own = len(ids) - len(self.prefix.ids)
        layers = [
            layer.states.part(slice(0, 1), num_own).behind(layer.prefix) for layer in self._layers
        ]
        return Prefix(tuple(ids), tuple(layers))
