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
    """Keys and values side by side: one tensor is written, moved and kept."""

    joined: Tensor
    """(B, H, S, D keys + D values)."""
    key_size: int

    @property
    def keys(self) -> Tensor:
        return self.joined[..., : self.key_size]

    @property
    def values(self) -> Tensor:
        return self.joined[..., self.key_size :]


@dataclass(frozen=True, slots=True)
class Prefix:
    """Tokens that several prompts begin with, computed once."""

    ids: tuple[int, ...]
    layers: tuple[States, ...]
    """One row, (1, H, P, D), of each layer."""

    def cut(self, num_tokens: int) -> "Prefix":
        layers = tuple(
            States(layer.joined[:, :, :num_tokens], layer.key_size) for layer in self.layers
        )
        return Prefix(self.ids[:num_tokens], layers if num_tokens else ())

    @property
    def size_bytes(self) -> int:
        return sum(layer.joined.nbytes for layer in self.layers)


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
        key_size = key_states.shape[-1]
        shape = (self._cache.num_rows, key_states.shape[1], self._cache.num_slots)
        joined = key_states.new_zeros((*shape, key_size + value_states.shape[-1]))
        self.states = States(joined, key_size)
        self.is_initialized = True

    def update(
        self, key_states: Tensor, value_states: Tensor, *args: object, **kwargs: object
    ) -> tuple["SlotLayer | Tensor", "SlotLayer | Tensor"]:
        """Write (B, H, Q, D); this layer for the attention that shares, else all in one."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        place = self._cache.place
        new = torch.cat([key_states, value_states], dim=-1).transpose(1, 2)
        self.states.joined[place.rows][place.indices, :, place.slots] = new
        if self._cache.is_shared:
            return self, self
        joined = self.own.joined
        if self.prefix is not None:
            shared = self.prefix.joined.expand(len(joined), -1, -1, -1)
            joined = torch.cat([shared, joined], dim=2)
        everything = States(joined, self.states.key_size)
        return everything.keys, everything.values

    @property
    def own(self) -> States:
        """What the rows of the running pass may see of their own slots."""
        place = self._cache.place
        joined = self.states.joined[place.rows, :, : place.num_visible]
        return States(joined, self.states.key_size)

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
            joined = layer.states.joined
            joined[target, :, :num_tokens] = joined[source, :, :num_tokens]

    def as_prefix(self, ids: Sequence[int]) -> Prefix:
        """The prefix and what the first row added, whose tokens are `ids`."""
        num_own = len(ids) - len(self.prefix.ids)
        layers = []
        for layer in self._layers:
            own = layer.states.joined[:1, :, :num_own]
            known = [layer.prefix.joined] if layer.prefix else []
            layers.append(States(torch.cat([*known, own], dim=2), layer.states.key_size))
        return Prefix(tuple(ids), tuple(layers))
