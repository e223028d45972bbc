"""Attention over a prefix that is held once and slots that are each row's own.

Registered with transformers under `SHARED`; `SlotLayer` hands itself to it in place of keys
and values. Shapes as in `cache`; G queries of one key head stand together.

Source: one softmax over both parts, as in "Hydragen: High-Throughput LLM Inference with
Shared Prefixes", Juravsky et al., 2024; latents are attended without expanding them, as in
"DeepSeek-V2", 2024, section 2.1.
"""

from collections.abc import Iterable
from functools import partial
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import AttentionInterface

from dsengine.torch_runner.cache import SlotLayer, States

SHARED = "dsengine_shared_prefix"

has_triton = find_spec("triton") is not None
_blocks_kernel = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
"""Attended states, and the logarithms of the sums of their weights (B, H, Q)."""

_FEW_QUERIES = 16
"""Up to so many new slots a row the scores fit anywhere; beyond it they are not kept."""
_FUSED_HEAD = 256
"""Largest head of the fused kernels."""


def attend_shared(
    module: nn.Module,
    query: Tensor,
    key: SlotLayer,
    value: SlotLayer,  # noqa: ARG001 - transformers gives it
    attention_mask: Tensor,
    scaling: float | None = None,
    **_: object,
) -> tuple[Tensor, None]:
    """One layer's attention, as transformers calls it.

    Args:
        query: (B, Hq, Q, D).
        attention_mask: added to scores of own slots, (B, 1, Q, S).

    Returns:
        (B, Q, Hq, D), and None for the weights.
    """
    scaling = query.shape[-1] ** -0.5 if scaling is None else scaling
    if hasattr(module, "expand_kv"):  # versions of transformers without it cache what it makes
        attended = _attend_latents(module, query, key, attention_mask, scaling)
    else:
        attended = _attend(query, key.prefix, key.own, attention_mask, key.slots, scaling)
    return attended.transpose(1, 2).contiguous(), None


def _attend(
    query: Tensor,
    prefix: States | None,
    own: States,
    mask: Tensor,
    slots: Tensor,
    scaling: float,
) -> Tensor:
    if query.is_cuda and query.shape[2] == 1 and has_triton:
        from dsengine.torch_runner.decode_kernel import attend_step

        return attend_step(query, prefix, own, slots, scaling)
    return attend(query, prefix, own, mask, scaling)


def attend(
    query: Tensor, prefix: States | None, own: States, mask: Tensor, scaling: float
) -> Tensor:
    """softmax(query keys^T * scaling + mask) values over prefix and own slots, (B, Hq, Q, D)."""
    if query.device.type == "cpu" and query.shape[-1] == own.values.shape[-1]:
        return _attend_blocks(query, prefix, own, mask, scaling)
    if query.shape[2] > _FEW_QUERIES and query.shape[-1] <= _FUSED_HEAD:
        return _attend_fused(query, prefix, own, mask, scaling)
    rows, heads, num_queries, _ = query.shape
    keys, values = own.keys, own.values
    grouped, own_mask = _by_key_head(query * scaling, mask, keys.shape[1])
    scores = grouped @ keys.transpose(2, 3) + own_mask  # (B, H, G Q, S)
    if prefix is None:
        attended = torch.softmax(scores, dim=-1, dtype=torch.float32).to(query.dtype) @ values
    else:
        attended = _merged(grouped, scores, prefix, values)
    return attended.reshape(rows, heads, num_queries, -1)


def _by_key_head(query: Tensor, mask: Tensor, key_heads: int) -> tuple[Tensor, Tensor]:
    """(B, H, G Q, D) and the mask (B, 1, G Q, S)."""
    rows, heads, num_queries, _ = query.shape
    groups = heads // key_heads
    grouped = query.reshape(rows, key_heads, groups * num_queries, -1)
    if groups > 1:
        mask = mask.expand(-1, groups, -1, -1).reshape(rows, 1, groups * num_queries, -1)
    return grouped, mask


def _attend_blocks(
    query: Tensor, prefix: States | None, own: States, mask: Tensor, scaling: float
) -> Tensor:
    """The CPU's fused kernel over each part, weighed by the sums that it tells.

    Scores are never whole in memory, and the prefix is read once for the queries of all rows.
    """
    rows, key_heads = query.shape[0], own.keys.shape[1]
    grouped, own_mask = _by_key_head(query, mask, key_heads)
    num_grouped, size = grouped.shape[2:]
    attended: Tensor
    attended, own_sum = _blocks_kernel(
        grouped, own.keys, own.values, 0.0, False, attn_mask=own_mask, scale=scaling
    )
    if prefix is not None:
        together = grouped.transpose(0, 1).reshape(1, key_heads, rows * num_grouped, size)
        shared, shared_sum = _blocks_kernel(
            together, prefix.keys, prefix.values, 0.0, False, scale=scaling
        )
        shared = shared.reshape(key_heads, rows, num_grouped, size).transpose(0, 1)
        shared_sum = shared_sum.reshape(key_heads, rows, num_grouped).transpose(0, 1)
        share = torch.sigmoid(shared_sum - own_sum).unsqueeze(-1).to(attended.dtype)
        attended = torch.lerp(attended, shared, share)
    return attended.reshape(query.shape)


def _merged(grouped: Tensor, own_scores: Tensor, prefix: States, values: Tensor) -> Tensor:
    """One product with the prefix serves the queries of all rows: it is read once."""
    rows, heads, num_queries, size = grouped.shape
    together = grouped.transpose(0, 1).reshape(heads, rows * num_queries, size)
    scores = together @ prefix.keys[0].transpose(1, 2)  # (H, B G Q, P)
    num_prefix = scores.shape[-1]
    scores = scores.reshape(heads, rows, num_queries, num_prefix).transpose(0, 1)
    both = torch.cat([scores, own_scores], dim=-1)
    weights = torch.softmax(both, dim=-1, dtype=torch.float32).to(grouped.dtype)
    over_prefix = weights[..., :num_prefix].transpose(0, 1)  # (H, B, G Q, P)
    over_prefix = over_prefix.reshape(heads, rows * num_queries, num_prefix) @ prefix.values[0]
    over_prefix = over_prefix.reshape(heads, rows, num_queries, -1).transpose(0, 1)
    return over_prefix + weights[..., num_prefix:] @ values


def _attend_fused(
    query: Tensor, prefix: States | None, own: States, mask: Tensor, scaling: float
) -> Tensor:
    """Many queries: the prefix is copied beside each row's slots, for this layer alone."""
    rows, heads = query.shape[:2]
    if prefix is not None:
        own = own.behind(prefix.repeated(rows))
        mask = functional.pad(mask, (own.keys.shape[2] - mask.shape[-1], 0))
    keys, values = own.keys, own.values
    groups = heads // keys.shape[1]
    if groups > 1:
        keys, values = (one.repeat_interleave(groups, dim=1) for one in (keys, values))
    return functional.scaled_dot_product_attention(
        query, keys, values, attn_mask=mask, scale=scaling
    )


def _attend_latents(
    module: Any, query: Tensor, layer: SlotLayer, mask: Tensor, scaling: float
) -> Tensor:
    """Queries go to the latents, and what was attended comes back to values.

    Cached are latents (B, 1, S, L) as "keys" and rotated keys (B, 1, S, R) as "values".
    """
    plain_size = module.qk_nope_head_dim
    plain, rotated = query[..., :plain_size], query[..., plain_size:]  # (B, Hq, Q, .)
    weight = module.kv_b_proj.weight.view(query.shape[1], -1, module.kv_lora_rank)
    to_keys, to_values = weight[:, :plain_size], weight[:, plain_size:]
    latent_query = torch.cat([_by_head(plain, to_keys), rotated], dim=-1)  # (B, Hq, Q, L + R)
    own, prefix = layer.own, layer.prefix
    attended = _attend(
        latent_query,
        prefix and _latents(prefix),
        _latents(own),
        mask,
        layer.slots,
        scaling,
    )
    return _by_head(attended, to_values.transpose(1, 2))  # from (B, Hq, Q, L)


def _by_head(states: Tensor, weight: Tensor) -> Tensor:
    """(B, H, Q, D) by (H, D, E): (B, H, Q, E); a product of rows would copy the weight."""
    rows, heads, num_queries, _ = states.shape
    together = states.transpose(0, 1).reshape(heads, rows * num_queries, -1) @ weight
    return together.reshape(heads, rows, num_queries, -1).transpose(0, 1)


def _latents(states: States) -> States:
    """States whose keys are all there is and whose values are the latents among them."""
    assert states.joined is not None
    return States(states.joined, states.keys)


def share_prefixes(module: nn.Module) -> None:
    """Let the layers of a loaded model hand their cache to `attend_shared` as it is."""
    parts: Iterable[Any] = module.modules()
    for part in parts:
        if hasattr(part, "kv_b_proj") and hasattr(part, "expand_kv"):
            part.expand_kv = _unexpanded
        if type(part).__name__.endswith("RMSNorm") and hasattr(part, "variance_epsilon"):
            part.forward = partial(_normalized, part)


def _normalized(norm: Any, states: Tensor) -> Tensor:
    """The same numbers in one kernel instead of eight."""
    return functional.rms_norm(states, norm.weight.shape, norm.weight, norm.variance_epsilon)


def _unexpanded(latents: SlotLayer, rotated: SlotLayer) -> tuple[SlotLayer, SlotLayer]:
    return latents, rotated


AttentionInterface.register(SHARED, attend_shared)
