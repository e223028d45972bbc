"""Keys and values of the tokens that were computed, as mlx-lm's layers ask for them.

Shapes: R rows of a batch, B of them in a pass, H heads (1 where the model keeps latents),
S slots, P slots of the prefix, Q new slots, D head size; keys and values may differ in D.

Rows share one prefix, which is held once; what is their own stands in buffers of fixed shape.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import mlx.core as mx


@dataclass(frozen=True, slots=True)
class Prefix:
    """Tokens that several prompts begin with, computed once."""

    ids: tuple[int, ...]
    layers: tuple[tuple[mx.array, mx.array], ...]
    """Keys and values of each layer, (1, H, P, D)."""

    def cut(self, num_tokens: int) -> "Prefix":
        layers = tuple(
            (keys[:, :, :num_tokens], values[:, :, :num_tokens]) for keys, values in self.layers
        )
        return Prefix(self.ids[:num_tokens], layers if num_tokens else ())

    @property
    def size_bytes(self) -> int:
        return sum(keys.nbytes + values.nbytes for keys, values in self.layers)


EMPTY_PREFIX = Prefix((), ())


@dataclass(frozen=True, slots=True)
class Place:
    """Where a pass writes and looks."""

    rows: range
    slots: mx.array
    """int32 (B, Q), own slots that are written."""
    num_visible: int
    """Own slots that any query sees; the mask hides the rest."""
    num_prefix: int

    def mask(self) -> mx.array:
        """bool (B, 1, Q, P + S), True where a query may look."""
        own = mx.arange(self.num_visible) <= self.slots[..., None]
        shared = mx.ones((*self.slots.shape, self.num_prefix), dtype=mx.bool_)
        return mx.concatenate([shared, own], axis=-1)[:, None]


class LayerStates:
    """One layer's; what mlx-lm calls a cache."""

    def __init__(
        self, prefix: tuple[mx.array, mx.array] | None, num_rows: int, num_slots: int
    ) -> None:
        self._prefix = prefix
        self._shape = (num_rows, num_slots)
        self.own: tuple[mx.array, ...] = ()
        """Keys and values, (R, H, S, D), once there are any."""
        self._place: Place | None = None

    @property
    def offset(self) -> mx.array:
        """int32 (B,), position of each row's first new token."""
        place = self._current
        return place.slots[:, 0] + place.num_prefix

    def begin(self, place: Place) -> None:
        self._place = place

    def make_mask(self, _length: int, **_options: object) -> mx.array:
        return self._current.mask()

    def update_and_fetch(self, keys: mx.array, values: mx.array) -> tuple[mx.array, mx.array]:
        """Write (B, H, Q, D) into the slots of the pass.

        Returns:
            All that its rows may see, (B, H, P + S, D).
        """
        place = self._current
        if not self.own:
            self.own = tuple(self._room(new) for new in (keys, values))
        rows = mx.array(list(place.rows))[:, None]
        for buffer, new in zip(self.own, (keys, values), strict=True):
            buffer[rows, :, place.slots] = new.transpose(0, 2, 1, 3)
        seen_keys, seen_values = (
            buffer[place.rows.start : place.rows.stop, :, : place.num_visible]
            for buffer in self.own
        )
        if self._prefix is None:
            return seen_keys, seen_values
        return _behind(self._prefix[0], seen_keys), _behind(self._prefix[1], seen_values)

    def move(self, source: int, target: int, num_slots: int) -> None:
        for buffer in self.own:
            buffer[target, :, :num_slots] = buffer[source, :, :num_slots]

    def as_prefix(self, num_slots: int) -> tuple[mx.array, mx.array]:
        """The first slots of the first row, with the prefix before them; a copy."""
        own = [mx.contiguous(buffer[:1, :, :num_slots]) for buffer in self.own]
        if self._prefix is not None:
            own = [_behind(known, new) for known, new in zip(self._prefix, own, strict=True)]
        mx.eval(own)
        return own[0], own[1]

    @property
    def _current(self) -> Place:
        assert self._place is not None, "no pass has begun"
        return self._place

    def _room(self, new: mx.array) -> mx.array:
        num_rows, num_slots = self._shape
        return mx.zeros((num_rows, new.shape[1], num_slots, new.shape[-1]), dtype=new.dtype)


def _behind(known: mx.array, own: mx.array) -> mx.array:
    """Both along the slots; `known` (1, H, P, D) is the same for all rows."""
    shared = mx.broadcast_to(known, (own.shape[0], *known.shape[1:]))
    return mx.concatenate([shared, own], axis=2)


def padded(rows: Sequence[Sequence[int]]) -> mx.array:
    """int32 (B, Q), zeros on the right."""
    width = max(len(row) for row in rows)
    return mx.array([[*row, *[0] * (width - len(row))] for row in rows], dtype=mx.int32)
