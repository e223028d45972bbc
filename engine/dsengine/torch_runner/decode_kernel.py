"""One token a row over a shared prefix and own slots, on CUDA: two passes and a merge.

The first pass reads each stretch of keys and values once, for all queries that look at it,
and leaves a running maximum, a sum and a weighted sum; the merge weighs them. Shapes as in
`cache`; N stretches, M queries that read the same stretch.

Source: Dao et al., "Flash-Decoding for long-context inference", 2023; the prefix as in
"Hydragen", Juravsky et al., 2024.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

from dsengine.torch_runner.cache import States

_STRETCH = 64
_QUERIES = 16
"""The narrowest product of the tensor cores; fewer queries are padded."""


def attend_step(
    query: Tensor, prefix: States | None, own: States, slots: Tensor, scaling: float
) -> Tensor:
    """softmax(query keys^T * scaling) values over the prefix and own slots up to `slots`.

    Args:
        query: (B, Hq, 1, D).
        slots: int64 (B, 1), the last own slot that each row sees.

    Returns:
        (B, Hq, 1, D values).
    """
    rows, heads, _, _ = query.shape
    value_size = own.values.shape[-1]
    num_own = triton.cdiv(own.keys.shape[2], _STRETCH)
    num_prefix = triton.cdiv(prefix.keys.shape[2], _STRETCH) if prefix else 0
    num_stretches = num_own + num_prefix
    sums = query.new_empty((rows, heads, num_stretches, value_size), dtype=torch.float32)
    scales = query.new_empty((rows, heads, num_stretches, 2), dtype=torch.float32)
    _read(query, own, slots, 1, 0, sums, scales, scaling)
    if prefix is not None:
        _read(query, prefix, None, rows, num_own, sums, scales, scaling)
    merged = query.new_empty((rows, heads, 1, value_size))
    _merge[(rows * heads,)](
        sums, scales, merged, num_stretches, value_size,
        stretch_width=triton.next_power_of_2(num_stretches),
        value_width=triton.next_power_of_2(value_size),
    )  # fmt: skip
    return merged


def _read(
    query: Tensor,
    states: States,
    slots: Tensor | None,
    rows_a_group: int,
    first: int,
    sums: Tensor,
    scales: Tensor,
    scaling: float,
) -> None:
    """Fill the stretches from `first` on; `rows_a_group` rows look at the same states."""
    keys, values = states.keys, states.values
    groups, key_heads, num_slots, key_size = keys.shape
    heads = query.shape[1] // key_heads
    main = 1 << (key_size.bit_length() - 1)
    num_queries = rows_a_group * heads
    grid = (
        groups * key_heads,
        triton.cdiv(num_queries, _QUERIES),
        triton.cdiv(num_slots, _STRETCH),
    )
    _partial[grid](
        query, keys, values, slots if slots is not None else keys, sums, scales,
        query.stride(0), query.stride(1), keys.stride(0), keys.stride(1), keys.stride(2),
        num_slots, num_queries, heads, rows_a_group, key_heads, first, sums.shape[2],
        key_size - main, values.shape[-1], scaling,
        has_limits=slots is not None, main=main, has_tail=key_size > main,
        tail=max(16, triton.next_power_of_2(max(1, key_size - main))),
        value_width=max(16, triton.next_power_of_2(values.shape[-1])),
        query_width=_QUERIES, width=_STRETCH,
        precision="ieee" if query.dtype == torch.float32 else "tf32",
        num_warps=8 if main > 256 else 4,
    )  # fmt: skip


@triton.jit
def _partial(
    query, keys, values, slots, sums, scales,
    query_row, query_head, state_group, state_head, state_slot,
    num_slots, num_queries, heads, rows_a_group, key_heads, first, num_stretches,
    tail_size, value_size, scaling,
    has_limits: tl.constexpr, main: tl.constexpr, has_tail: tl.constexpr, tail: tl.constexpr,
    value_width: tl.constexpr, query_width: tl.constexpr, width: tl.constexpr,
    precision: tl.constexpr,
):  # fmt: skip
    group = tl.program_id(0) // key_heads
    key_head = tl.program_id(0) % key_heads
    number = tl.program_id(1) * query_width + tl.arange(0, query_width)
    is_query = number < num_queries
    row = group * rows_a_group + number // heads
    head = key_head * heads + number % heads
    stretch = tl.program_id(2)
    slot = stretch * width + tl.arange(0, width)
    is_visible = slot < num_slots
    if has_limits:
        is_visible = slot <= tl.load(slots + group)
    at = group.to(tl.int64) * state_group + key_head * state_head + slot.to(tl.int64) * state_slot
    query_at = query + row.to(tl.int64) * query_row + head * query_head
    size = tl.arange(0, main)
    part = tl.load(query_at[:, None] + size[None, :], mask=is_query[:, None], other=0.0)
    key = tl.load(keys + at[:, None] + size[None, :], mask=is_visible[:, None], other=0.0)
    scores = tl.dot(part, tl.trans(key), input_precision=precision)
    if has_tail:
        rest = tl.arange(0, tail)
        is_rest = rest[None, :] < tail_size
        part = tl.load(
            query_at[:, None] + main + rest[None, :], mask=is_query[:, None] & is_rest, other=0.0
        )
        key = tl.load(
            keys + at[:, None] + main + rest[None, :], mask=is_visible[:, None] & is_rest, other=0.0
        )
        scores += tl.dot(part, tl.trans(key), input_precision=precision)
    scores = tl.where(is_visible[None, :], scores * scaling, float("-inf"))
    highest = tl.maximum(tl.max(scores, axis=1), -1e30)  # of a stretch that nobody sees
    weights = tl.exp(scores - highest[:, None])
    of_value = tl.arange(0, value_width)
    is_value = of_value[None, :] < value_size
    value = tl.load(
        values + at[:, None] + of_value[None, :], mask=is_visible[:, None] & is_value, other=0.0
    )
    summed = tl.dot(weights.to(value.dtype), value, input_precision=precision)
    place = (row.to(tl.int64) * key_heads * heads + head) * num_stretches + first + stretch
    tl.store(
        sums + place[:, None] * value_size + of_value[None, :],
        summed, mask=is_query[:, None] & is_value,
    )  # fmt: skip
    tl.store(scales + place * 2, highest, mask=is_query)
    tl.store(scales + place * 2 + 1, tl.sum(weights, axis=1), mask=is_query)


@triton.jit
def _merge(
    sums, scales, merged, num_stretches, value_size,
    stretch_width: tl.constexpr, value_width: tl.constexpr,
):  # fmt: skip
    place = tl.program_id(0).to(tl.int64)
    stretch = tl.arange(0, stretch_width)
    is_stretch = stretch < num_stretches
    at = place * num_stretches + stretch
    highest = tl.load(scales + at * 2, mask=is_stretch, other=-1e30)
    total = tl.load(scales + at * 2 + 1, mask=is_stretch, other=0.0)
    weights = tl.exp(highest - tl.max(highest, axis=0))
    of_value = tl.arange(0, value_width)
    is_value = of_value < value_size
    parts = tl.load(
        sums + at[:, None] * value_size + of_value[None, :],
        mask=is_stretch[:, None] & is_value[None, :], other=0.0,
    )  # fmt: skip
    summed = tl.sum(parts * weights[:, None], axis=0) / tl.sum(total * weights, axis=0)
    tl.store(
        merged + place * value_size + of_value, summed.to(merged.dtype.element_ty), mask=is_value
    )
