"""What the headers of a model's safetensors files say, without trust in them.

Format: eight bytes with the length of a JSON header, the header, the bytes of all tensors.
Source: https://huggingface.co/docs/safetensors, "Format".
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from dsengine.errors import UnsupportedModelError

ITEMSIZES: Mapping[str, int] = {
    "F64": 8, "F32": 4, "F16": 2, "BF16": 2, "F8_E4M3": 1, "F8_E5M2": 1,
    "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U64": 8, "U32": 4, "U16": 2, "U8": 1, "BOOL": 1,
}  # fmt: skip
"""Bytes of a number, by its name in a header."""

_MAX_HEADER_BYTES = 100_000_000  # the format's own limit
_MAX_DIMENSIONS = 8


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """Where a tensor stands in a file."""

    name: str
    dtype: str
    """A key of `ITEMSIZES`."""
    shape: tuple[int, ...]
    path: Path
    start: int
    """Of its bytes, from the beginning of the file."""
    num_bytes: int

    @property
    def num_elements(self) -> int:
        return _product(self.shape)


def read_tensors(path: Path) -> tuple[StoredTensor, ...]:
    """All tensors of a file; its length must agree with what its header says.

    Raises:
        UnsupportedModelError: it is no safetensors file, a cut or a damaged one.
    """
    size = path.stat().st_size
    length = int.from_bytes(_first_bytes(path, 8), "little")
    if size < 8 or length > min(size - 8, _MAX_HEADER_BYTES):
        raise UnsupportedModelError(f"{path}: is no safetensors file, or a cut one")
    try:
        header = json.loads(_first_bytes(path, 8 + length)[8:])
        tensors = tuple(_tensors(path, header, 8 + length))
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
        raise UnsupportedModelError(f"{path}: has a damaged safetensors header") from None
    end = max((tensor.start + tensor.num_bytes for tensor in tensors), default=8 + length)
    if end != size:
        raise UnsupportedModelError(f"{path}: has {size} bytes where {end} belong")
    return tensors


def _tensors(path: Path, header: object, first: int) -> Iterator[StoredTensor]:
    """Raises: ValueError and the like where an entry makes no sense."""
    if not isinstance(header, dict):
        raise TypeError(header)
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        start, stop = entry["data_offsets"]
        shape = tuple(entry["shape"])
        dtype = entry["dtype"]
        lengths = (start, stop, *shape)
        if not all(type(length) is int and length >= 0 for length in lengths):
            raise ValueError(lengths)
        itemsize = ITEMSIZES.get(dtype)
        is_whole = itemsize is None or stop - start == _product(shape) * itemsize
        if len(shape) > _MAX_DIMENSIONS or start > stop or not is_whole:
            raise ValueError(entry)
        yield StoredTensor(name, dtype, shape, path, first + start, stop - start)


def _first_bytes(path: Path, count: int) -> bytes:
    with path.open("rb") as file:
        return file.read(count)


def _product(shape: tuple[int, ...]) -> int:
    count = 1
    for length in shape:
        count *= length
    return count
