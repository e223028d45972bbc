"""Weights of 8 or 4 bits; what is computed with them are full numbers.

N rows of K numbers. At 8 bits a row has one scale; at 4 bits each `GROUP` numbers of it have
one, and two numbers share a byte: the first half of a row in the low bits, the second in the
high ones. A number is its scale times a small integer. Plain operations alone, so that cpu,
mps and cuda compute alike.

Source: "LLM.int8()", Dettmers et al., 2022, section 2.1 (scales by row); blocks of 32 whose
largest number becomes -8 are those of llama.cpp's q4_0.
"""

import torch
from torch import Tensor, nn

from dsengine.memory import GROUP

_SCALE_8, _SCALE_4 = torch.float32, torch.bfloat16
_MOST_8 = 127
_LEAST_4, _MOST_4 = -8, 7
_BLOCK_NUMBERS = 1 << 22
"""So many numbers are made full at once on a CPU: 16 MiB of scratch, whatever the matrix."""


class QuantizedWeight(nn.Module):
    """A matrix (N, K), or a stack (E, N, K) of them."""

    packed: Tensor
    """int8 (..., N, K), or uint8 (..., N, K / 2)."""
    scales: Tensor
    """(..., N, 1), or (..., N, K / GROUP)."""

    def __init__(self, bits: int, shape: tuple[int, ...], device: torch.device) -> None:
        """
        Args:
            bits: 8 or 4; at 4, `GROUP` divides K.
        """
        super().__init__()
        *rows, size = shape
        self.bits = bits
        self.shape = shape
        empty = torch.empty(*rows, size if bits == 8 else size // 2, device=device, dtype=(
            torch.int8 if bits == 8 else torch.uint8
        ))  # fmt: skip
        scales = torch.empty(*rows, 1 if bits == 8 else size // GROUP, device=device, dtype=(
            _SCALE_8 if bits == 8 else _SCALE_4
        ))  # fmt: skip
        self.register_buffer("packed", empty)
        self.register_buffer("scales", scales)

    def fill(self, full: Tensor, first: int, place: int | None = None) -> None:
        """Quantise rows (n, K) of full numbers into those from `first` of the matrix."""
        packed, scales = quantize(full, self.bits)
        span = slice(first, first + len(full))
        where = (span,) if place is None else (place, span)
        self.packed[where] = packed
        self.scales[where] = scales

    def full(self, dtype: torch.dtype, place: int | None = None) -> Tensor:
        """The matrix at `place`, or all there is, in full numbers."""
        if place is None:
            return dequantize(self.packed, self.scales, self.bits, dtype)
        return dequantize(self.packed[place], self.scales[place], self.bits, dtype)

    def product(self, states: Tensor, place: int | None = None) -> Tensor:
        """(T, K) by the matrix at `place`: (T, N)."""
        packed = self.packed if place is None else self.packed[place]
        scales = self.scales if place is None else self.scales[place]
        num_rows, size = len(packed), states.shape[-1]
        step = _BLOCK_NUMBERS // size if states.device.type == "cpu" else num_rows
        if step >= num_rows:
            return states @ dequantize(packed, scales, self.bits, states.dtype).t()
        made = states.new_empty(num_rows, len(states))
        for first in range(0, num_rows, max(1, step)):
            span = slice(first, first + max(1, step))
            weight = dequantize(packed[span], scales[span], self.bits, states.dtype)
            torch.mm(weight, states.t(), out=made[span])
        return made.t()


class QuantizedLinear(nn.Module):
    """`nn.Linear` over a quantised weight."""

    def __init__(self, weight: QuantizedWeight, bias: nn.Parameter | None) -> None:
        super().__init__()
        self.out_features, self.in_features = weight.shape
        self.weight = weight
        self.bias = bias

    def forward(self, states: Tensor) -> Tensor:
        """(..., in_features) to (..., out_features)."""
        made = self.weight.product(states.reshape(-1, self.in_features))
        made = made.reshape(*states.shape[:-1], self.out_features)
        return made if self.bias is None else made + self.bias


def quantize(full: Tensor, bits: int) -> tuple[Tensor, Tensor]:
    """Full numbers (..., K) to packed ones and their scales, as `QuantizedWeight` keeps them."""
    full = full.float()
    if bits == 8:
        scales = (full.abs().amax(dim=-1, keepdim=True) / _MOST_8).to(_SCALE_8)
        return _rounded(full, scales, -_MOST_8, _MOST_8), scales
    groups = _in_groups(full)
    largest = groups.gather(-1, groups.abs().argmax(dim=-1, keepdim=True))
    scales = (largest / _LEAST_4).to(_SCALE_4)
    numbers = _rounded(groups, scales.float(), _LEAST_4, _MOST_4).flatten(-2)
    low, high = numbers.chunk(2, dim=-1)
    return ((low & 15) | (high << 4)).view(torch.uint8), scales.squeeze(-1)


def _in_groups(full: Tensor) -> Tensor:
    """(..., K) as (..., K / GROUP, GROUP)."""
    return full.reshape(*full.shape[:-1], -1, GROUP)


def _rounded(full: Tensor, scales: Tensor, least: int, most: int) -> Tensor:
    inverse = torch.where(scales == 0, 0.0, 1 / scales)
    return (full * inverse).round_().clamp_(least, most).to(torch.int8)


def dequantize(packed: Tensor, scales: Tensor, bits: int, dtype: torch.dtype) -> Tensor:
    """Full numbers (..., K)."""
    if bits == 8:
        return packed.to(dtype).mul_(scales.to(dtype))
    half = packed.shape[-1]
    full = torch.empty(*packed.shape[:-1], 2 * half, dtype=dtype, device=packed.device)
    signed = packed.view(torch.int8)
    full[..., :half] = (signed << 4) >> 4  # the shift back brings the sign along
    full[..., half:] = signed >> 4
    _in_groups(full).mul_(scales.to(dtype).unsqueeze(-1))
    return full
