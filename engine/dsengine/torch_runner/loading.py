"""From the files of a checkpoint to a module of transformers, tensor by tensor.

The module is built without memory, and each tensor is read to where it stays: a load never
holds more than what it ends with and `_CHUNK_BYTES`. Nothing is mapped, so that a file that
shrinks meanwhile is an error and no crash, and no page of it counts as taken.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from io import FileIO
from typing import Any

import torch
from torch import Tensor, nn

from dsengine.checkpoint import Checkpoint
from dsengine.errors import UnsupportedModelError
from dsengine.memory import bits_of, loaded_tensors
from dsengine.torch_runner.packing import PackedLinear, should_pack
from dsengine.torch_runner.quantized import QuantizedLinear, QuantizedWeight
from dsengine.torch_runner.quantized_experts import QUANTIZED_EXPERTS
from dsengine.weight_files import StoredTensor

_DTYPES: Mapping[str, torch.dtype] = {
    "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16,
}  # fmt: skip
_CHUNK_BYTES = 8 << 20
_PARTS: Mapping[str, tuple[str, ...]] = {
    "experts.gate_up_proj": ("gate_proj", "up_proj"),
    "experts.down_proj": ("down_proj",),
}
"""What stacks of experts are made of, one above the other, where a file has them apart."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """Rows of a parameter that one stored tensor holds."""

    stored: StoredTensor
    expert: int | None = None
    first: int = 0


def fill_module(
    module: Any, checkpoint: Checkpoint, device: torch.device, dtype: torch.dtype, weights: str
) -> None:
    """Give a module on the device `meta` the checkpoint's weights.

    Args:
        weights: full, int8 or int4.

    Raises:
        UnsupportedModelError: weights are missing, of another shape or of no known numbers.
    """
    stored = {tensor.name: tensor for tensor in loaded_tensors(checkpoint)}
    names = {**dict(module.named_parameters()), **_kept_buffers(module)}
    pieces = {name: _pieces(name, slot.shape, stored) for name, slot in names.items()}
    wrong = sorted(name for name, found in pieces.items() if not found)
    if wrong:
        raise UnsupportedModelError(
            f"{checkpoint.folder}: {len(wrong)} weights are missing or of another shape,"
            f" {wrong[0]} among them"
        )
    strict = tuple(getattr(module, "_keep_in_fp32_modules_strict", None) or ())
    for name, found in sorted(pieces.items(), key=lambda item: _late(names[item[0]].shape)):
        kind = torch.float32 if any(part in name for part in strict) else dtype
        _place(module, name, found, names[name].shape, _Target(device, kind, weights))
    if getattr(module.config, "tie_word_embeddings", False):
        module.get_output_embeddings().weight = module.get_input_embeddings().weight
    _compute_buffers(module, device)
    if weights != "full" and any(len(slot.shape) == 3 for slot in names.values()):
        module.config._experts_implementation = QUANTIZED_EXPERTS


@dataclass(frozen=True, slots=True)
class _Target:
    device: torch.device
    dtype: torch.dtype
    weights: str


def _kept_buffers(module: nn.Module) -> dict[str, Tensor]:
    """Those that checkpoints hold."""
    names = module.state_dict(keep_vars=True).keys()
    return {name: buffer for name, buffer in module.named_buffers() if name in names}


def _pieces(name: str, shape: torch.Size, stored: Mapping[str, StoredTensor]) -> tuple[_Piece, ...]:
    """Empty where something is missing or does not fit."""
    if name in stored:
        whole = stored[name]
        if whole.shape != tuple(shape):
            return ()
        if len(shape) == 3:
            return tuple(_Piece(part, expert) for expert, part in enumerate(_unstacked(whole)))
        return (_Piece(whole),)
    parts = next((parts for end, parts in _PARTS.items() if name.endswith(end)), ())
    if not parts or len(shape) != 3 or shape[1] % len(parts):
        return ()
    height = shape[1] // len(parts)
    prefix = name.rpartition(".")[0]
    found = tuple(
        _Piece(stored[key], expert, height * number)
        for expert in range(shape[0])
        for number, part in enumerate(parts)
        if (key := f"{prefix}.{expert}.{part}.weight") in stored
        and stored[key].shape == (height, shape[2])
    )
    return found if len(found) == shape[0] * len(parts) else ()


def _unstacked(whole: StoredTensor) -> Iterator[StoredTensor]:
    """One tensor for each matrix of a stack."""
    size = whole.num_bytes // whole.shape[0]
    for number in range(whole.shape[0]):
        start = whole.start + number * size
        yield replace(whole, shape=whole.shape[1:], start=start, num_bytes=size)


def _place(
    module: nn.Module, name: str, pieces: tuple[_Piece, ...], shape: torch.Size, target: _Target
) -> None:
    """Fill one parameter or buffer, quantised where it is to be."""
    owner_name, _, attribute = name.rpartition(".")
    owner = module.get_submodule(owner_name)
    is_matrix = type(owner) is nn.Linear or len(shape) == 3
    bits = bits_of(name, shape, target.weights) if is_matrix else None
    if bits is None:
        full = _read_full(pieces, shape, target)
        is_buffer = attribute in owner._buffers
        setattr(owner, attribute, full if is_buffer else nn.Parameter(full, requires_grad=False))
        if attribute == "weight" and should_pack(owner, owner_name):
            _exchange(module, owner_name, PackedLinear(owner))
        return
    quantized = QuantizedWeight(bits, tuple(shape), target.device)
    for piece in pieces:
        for first, rows in _read(piece.stored):
            quantized.fill(rows.to(target.device), piece.first + first, piece.expert)
    if type(owner) is nn.Linear:
        _exchange(module, owner_name, QuantizedLinear(quantized, owner.bias))
    else:
        delattr(owner, attribute)
        setattr(owner, attribute, quantized)


def _late(shape: torch.Size) -> tuple[bool, int]:
    """Biases first, for whoever takes their layer; then the largest, while there is room for
    it twice."""
    return len(shape) > 1, -shape.numel()


def _exchange(module: nn.Module, name: str, part: nn.Module) -> None:
    parent, _, child = name.rpartition(".")
    setattr(module.get_submodule(parent), child, part)


def _read_full(pieces: tuple[_Piece, ...], shape: torch.Size, target: _Target) -> Tensor:
    full = torch.empty(shape, dtype=target.dtype, device=target.device)
    for piece in pieces:
        place = full if piece.expert is None else full[piece.expert]
        for first, rows in _read(piece.stored):
            stop = piece.first + first + len(rows)
            place[piece.first + first : stop] = rows.to(target.device)
    return full


def _read(stored: StoredTensor) -> Iterator[tuple[int, Tensor]]:
    """The tensor's rows, some at a time, behind the number of the first; each may be used
    until the next one comes."""
    if stored.dtype not in _DTYPES:
        raise UnsupportedModelError(
            f"{stored.path}: {stored.name} is {stored.dtype}; use the full weights, or a GGUF file"
        )
    num_rows = stored.shape[0] if stored.shape else 1
    row_bytes = stored.num_bytes // max(1, num_rows)
    step = max(1, _CHUNK_BYTES // max(1, row_bytes))
    with stored.path.open("rb", buffering=0) as file:
        file.seek(stored.start)
        for first in range(0, num_rows if row_bytes else 0, step):
            count = min(step, num_rows - first)
            content = bytearray(count * row_bytes)
            if _read_into(file, content) < len(content):
                raise UnsupportedModelError(f"{stored.path}: became shorter while it was read")
            rows = torch.frombuffer(content, dtype=_DTYPES[stored.dtype])
            yield first, rows.reshape(count, *stored.shape[1:])


def _read_into(file: FileIO, content: bytearray) -> int:
    """Bytes that were there; systems give less than was asked for."""
    view, count = memoryview(content), 0
    while count < len(content) and (more := file.readinto(view[count:])):
        count += more
    return count


def _compute_buffers(module: nn.Module, device: torch.device) -> None:
    """What no file holds, such as frequencies of positions: their modules make them anew."""
    for name, part in list(module.named_modules()):
        if not any(buffer.is_meta for buffer in part.buffers(recurse=False)):
            continue
        _exchange(module, name, type(part)(module.config).to(device))
