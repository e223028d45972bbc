"""Weights in the order in which the CPU's kernels read them.

A product of a few rows by a plain weight runs at a third of the memory's bandwidth, since
the library reorders the weight in each call: bench/RESULTS.md, "The engine on a CPU".

Source: packed weights of oneDNN, as `torch.compile` uses them when it freezes a model.
"""

from typing import TypeGuard

import torch
from torch import Tensor, nn

_WIDTH_HINT = 8
"""Rows that a product mostly has; the order serves others as well."""
_READ_ELSEWHERE = frozenset({"kv_b_proj"})
"""Layers whose weight the attention reads itself."""


class PackedLinear(nn.Module):
    """`nn.Linear` over a packed weight; the plain one is not kept."""

    def __init__(self, plain: nn.Linear) -> None:
        super().__init__()
        self.in_features = plain.in_features
        self.out_features = plain.out_features
        self._packed = torch.ops.mkldnn._reorder_linear_weight(plain.weight, _WIDTH_HINT)
        self._bias = plain.bias

    def forward(self, states: Tensor) -> Tensor:
        """(..., in_features) to (..., out_features)."""
        product: Tensor = torch.ops.mkldnn._linear_pointwise(
            states, self._packed, self._bias, "none", [], ""
        )
        return product


def can_pack(device: torch.device, dtype: torch.dtype) -> bool:
    """Whether this build of torch has the kernels and they are known to help."""
    return (
        device.type == "cpu"
        and dtype == torch.float32
        and torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
        and hasattr(torch.ops.mkldnn, "_reorder_linear_weight")
        and hasattr(torch.ops.mkldnn, "_linear_pointwise")
    )


def should_pack(part: nn.Module, name: str) -> TypeGuard[nn.Linear]:
    """Whether `part`, a loaded layer of that name, is better packed."""
    if type(part) is not nn.Linear or name.rpartition(".")[2] in _READ_ELSEWHERE:
        return False
    return can_pack(part.weight.device, part.weight.dtype)


def pack_linears(module: nn.Module) -> None:
    """Put a packed layer in place of every plain one, one at a time.

    One that is tied to the embedding stays: packing would keep a second copy.
    """
    counts: dict[int, int] = {}
    for part in module.modules():
        for weight in part.parameters(recurse=False):
            counts[id(weight)] = counts.get(id(weight), 0) + 1
    # names, not layers: a list of those would keep every plain weight until the end
    places = [
        (part, name)
        for part in module.modules()
        for name, child in part.named_children()
        if type(child) is nn.Linear and name not in _READ_ELSEWHERE
    ]
    for part, name in places:
        plain = part.get_submodule(name)
        assert isinstance(plain, nn.Linear)
        if counts[id(plain.weight)] == 1:
            setattr(part, name, PackedLinear(plain))
