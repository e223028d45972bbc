"""The header of a GGUF file, read without trust: what it claims is held against its length.

Nothing is allocated for a count that the file is too short for, no value decides what is
called, and no weight is read.

Source: the GGUF specification, github.com/ggml-org/ggml/blob/master/docs/gguf.md.
"""

import math
import struct
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Final

from dsengine.errors import UnsupportedModelError
from dsengine.gguf_types import TENSOR_TYPES
from dsengine.weight_files import StoredTensor

Value = str | int | float | bool | tuple[str, ...] | tuple[int, ...] | tuple[float, ...]

MAGIC: Final = b"GGUF"
_VERSIONS = (2, 3)
_MAX_KEYS = 4_096
_MAX_TENSORS = 65_536
_MAX_NAME_BYTES = 65_535
_MAX_TEXT_BYTES = 64 << 20
_MAX_ITEMS = 4 << 20
"""Of an array: no vocabulary has as many tokens or merges."""
_MAX_DIMENSIONS = 4
_DEFAULT_ALIGNMENT = 32
_MAX_ALIGNMENT = 1 << 16

_TEXT, _ARRAY, _BOOL = 8, 9, 7
_NUMBERS: Mapping[int, str] = {
    0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 10: "Q", 11: "q", 12: "d", _BOOL: "B",
}  # fmt: skip
"""Value types and how `struct` and `array` call them."""


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """What one file says of itself."""

    path: Path
    metadata: Mapping[str, Value]
    tensors: tuple[StoredTensor, ...]
    data_start: int
    """Byte at which the weights begin."""

    @property
    def architecture(self) -> str:
        return self.text("general.architecture")

    def text(self, key: str) -> str:
        """ "" where the file has no such key.

        Raises:
            UnsupportedModelError: it is of another type.
        """
        value = self.metadata.get(key, "")
        if not isinstance(value, str):
            raise UnsupportedModelError(f"{self.path}: {key} is no text")
        return value

    def integer(self, key: str) -> int | None:
        """None where the file has no such key.

        Raises:
            UnsupportedModelError: it is of another type.
        """
        value = self.metadata.get(key)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
            raise UnsupportedModelError(f"{self.path}: {key} is no integer")
        return value

    def integers(self, key: str) -> tuple[int, ...]:
        """() where the file has no such key; a single number stands alone.

        Raises:
            UnsupportedModelError: it is of another type.
        """
        value = self.metadata.get(key, ())
        values = value if isinstance(value, tuple) else (value,)
        if not all(isinstance(one, int) and not isinstance(one, bool) for one in values):
            raise UnsupportedModelError(f"{self.path}: {key} is no list of integers")
        return values  # type: ignore[return-value] # just looked at

    def texts(self, key: str) -> tuple[str, ...]:
        """() where the file has no such key.

        Raises:
            UnsupportedModelError: it is of another type.
        """
        value = self.metadata.get(key, ())
        if not isinstance(value, tuple) or not all(isinstance(one, str) for one in value):
            raise UnsupportedModelError(f"{self.path}: {key} is no list of texts")
        return value  # type: ignore[return-value] # just looked at

    def flag(self, key: str, default: bool) -> bool:
        value = self.metadata.get(key, default)
        if not isinstance(value, bool):
            raise UnsupportedModelError(f"{self.path}: {key} is neither true nor false")
        return value


def is_gguf(path: Path) -> bool:
    """By its first bytes; False where it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


def read_header(path: Path) -> GgufHeader:
    """All metadata, and where each tensor lies.

    Raises:
        UnsupportedModelError: no GGUF file, a cut or a damaged one, or of unknown types.
    """
    with _open(path) as file:
        cursor = _Cursor(path, file)
        num_tensors, num_keys = _counts(cursor)
        metadata: dict[str, Value] = {}
        for key, value in _entries(cursor, num_keys):
            if key in metadata:
                raise cursor.damage(f"has {key!r} twice")
            metadata[key] = value
        infos = [_tensor(cursor) for _ in range(num_tensors)]
        alignment = metadata.get("general.alignment", _DEFAULT_ALIGNMENT)
        start = _aligned(cursor, cursor.place, alignment)
        tensors = tuple(_placed(cursor, info, start) for info in infos)
        _require_order(cursor, tensors, start, alignment)
        return GgufHeader(path, metadata, tensors, start)


def read_facts(path: Path) -> GgufHeader:
    """Metadata up to where the tokenizer begins, and no tensors: enough for a list.

    Raises:
        UnsupportedModelError: as `read_header`.
    """
    with _open(path) as file:
        cursor = _Cursor(path, file)
        _, num_keys = _counts(cursor)
        metadata = dict(_entries(cursor, num_keys, stop="tokenizer."))
        return GgufHeader(path, metadata, (), cursor.place)


def _open(path: Path) -> BinaryIO:
    try:
        return path.open("rb", buffering=1 << 20)
    except OSError as error:
        raise UnsupportedModelError(f"{path}: cannot be read: {error.strerror}") from None


class _Cursor:
    """Reads forward, never past the end."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.path = path
        self._file = file
        self.size = file.seek(0, 2)
        self.place = file.seek(0)

    def damage(self, what: str) -> UnsupportedModelError:
        return UnsupportedModelError(f"{self.path}: {what}; not a sound GGUF file")

    def take(self, count: int) -> bytes:
        if count > self.size - self.place:
            raise self.damage(f"is cut: {count} bytes are due at byte {self.place}")
        taken = self._file.read(count)
        if len(taken) != count:
            raise self.damage("became shorter while it was read")
        self.place += count
        return taken

    def number(self, code: str) -> int:
        layout = struct.Struct(f"<{code}")
        value: int = layout.unpack(self.take(layout.size))[0]
        return value

    def text(self, max_bytes: int) -> str:
        length = self.number("Q")
        if length > max_bytes:
            raise self.damage(f"has a text of {length} bytes at byte {self.place}")
        return self.take(length).decode("utf-8", "replace")


def _counts(cursor: _Cursor) -> tuple[int, int]:
    """Tensors and keys."""
    if cursor.size < len(MAGIC) or cursor.take(len(MAGIC)) != MAGIC:
        raise cursor.damage("does not begin with GGUF")
    version = cursor.number("I")
    if version not in _VERSIONS:
        raise cursor.damage(f"is of version {version}, known are {_VERSIONS}")
    num_tensors, num_keys = cursor.number("Q"), cursor.number("Q")
    if num_tensors > _MAX_TENSORS or num_keys > _MAX_KEYS:
        raise cursor.damage(f"claims {num_tensors} tensors and {num_keys} keys")
    return num_tensors, num_keys


def _entries(cursor: _Cursor, count: int, stop: str | None = None) -> Iterator[tuple[str, Value]]:
    for _ in range(count):
        key = cursor.text(_MAX_NAME_BYTES)
        if stop is not None and key.startswith(stop):
            return
        kind = cursor.number("I")
        yield key, _array(cursor) if kind == _ARRAY else _scalar(cursor, kind)


def _scalar(cursor: _Cursor, kind: int) -> Value:
    if kind == _TEXT:
        return cursor.text(_MAX_TEXT_BYTES)
    if kind not in _NUMBERS:
        raise cursor.damage(f"has a value of the unknown type {kind}")
    value = cursor.number(_NUMBERS[kind])
    return bool(value) if kind == _BOOL else value


def _array(cursor: _Cursor) -> Value:
    kind, count = cursor.number("I"), cursor.number("Q")
    if count > _MAX_ITEMS:
        raise cursor.damage(f"has an array of {count} items")
    if kind == _TEXT:
        return tuple(cursor.text(_MAX_TEXT_BYTES) for _ in range(count))
    if kind not in _NUMBERS:
        raise cursor.damage(f"has an array of the unknown type {kind}")
    items = array(_NUMBERS[kind])
    items.frombytes(cursor.take(count * struct.calcsize(f"<{_NUMBERS[kind]}")))
    return tuple(items)


def _tensor(cursor: _Cursor) -> StoredTensor:
    """As it is claimed; `start` counts from where the weights begin."""
    name = cursor.text(_MAX_NAME_BYTES)
    num_dimensions = cursor.number("I")
    if not 1 <= num_dimensions <= _MAX_DIMENSIONS:
        raise cursor.damage(f"has a tensor of {num_dimensions} dimensions")
    shape = tuple(cursor.number("Q") for _ in range(num_dimensions))
    kind = cursor.number("I")
    if kind not in TENSOR_TYPES:
        raise cursor.damage(f"has a tensor of the unknown type {kind}")
    type_name, per_block, block_bytes = TENSOR_TYPES[kind]
    if min(shape) < 1 or shape[0] % per_block:
        raise cursor.damage(f"has a tensor of the shape {shape}")
    size = math.prod(shape) // per_block * block_bytes
    start = cursor.number("Q")
    return StoredTensor(name, type_name, shape[::-1], cursor.path, start, size)


def _placed(cursor: _Cursor, tensor: StoredTensor, start: int) -> StoredTensor:
    placed = replace(tensor, start=start + tensor.start)
    if placed.start + placed.num_bytes > cursor.size:
        end = placed.start + placed.num_bytes
        raise cursor.damage(f"is cut: {tensor.name!r} ends at byte {end}")
    return placed


def _require_order(
    cursor: _Cursor, tensors: tuple[StoredTensor, ...], start: int, alignment: Value
) -> None:
    """Each begins where the one before it ends, and no name occurs twice."""
    place = start
    for tensor in tensors:
        if tensor.start != place:
            raise cursor.damage(f"has {tensor.name!r} at byte {tensor.start}, not at {place}")
        place = _aligned(cursor, place + tensor.num_bytes, alignment)
    if len({tensor.name for tensor in tensors}) < len(tensors):
        raise cursor.damage("has two tensors of one name")


def _aligned(cursor: _Cursor, place: int, alignment: Value) -> int:
    """The next multiple.

    Raises:
        UnsupportedModelError: the alignment is no power of two, or absurd.
    """
    if not isinstance(alignment, int) or not 0 < alignment <= _MAX_ALIGNMENT:
        raise cursor.damage(f"has an alignment of {alignment!r}")
    if alignment & (alignment - 1):
        raise cursor.damage(f"has an alignment of {alignment}")
    return -(-place // alignment) * alignment
