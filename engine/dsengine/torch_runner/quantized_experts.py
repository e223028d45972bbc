"""Experts whose stacked weights are quantised, for the classes of transformers that have them.

T tokens, C chosen experts of each.
"""

from typing import Any

import torch
from torch import Tensor
from transformers.integrations.moe import ALL_EXPERTS_FUNCTIONS

QUANTIZED_EXPERTS = "dsengine_quantized_experts"


def run_experts(module: Any, states: Tensor, chosen: Tensor, shares: Tensor) -> Tensor:
    """One layer's experts, as transformers calls them: each one's weights are made full alone.

    Args:
        states: (T, H).
        chosen: int64 (T, C).
        shares: (T, C), of each chosen expert in the sum.

    Returns:
        (T, H).
    """
    made = torch.zeros_like(states)
    order = chosen.flatten().argsort(stable=True)
    counts = torch.bincount(chosen.flatten(), minlength=module.num_experts)
    rows, weights = order // chosen.shape[-1], shares.flatten()[order]
    first = 0
    for expert, count in enumerate(counts.tolist()):
        if not count:
            continue
        span = rows[first : first + count]
        inner = module._apply_gate(module.gate_up_proj.product(states[span], expert))
        outcome = module.down_proj.product(inner, expert)
        share = weights[first : first + count].unsqueeze(-1)
        made.index_add_(0, span, (outcome * share).to(made.dtype))
        first += count
    return made


ALL_EXPERTS_FUNCTIONS.register(QUANTIZED_EXPERTS, run_experts)
