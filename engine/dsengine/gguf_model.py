"""The sizes of a model that GGUF files hold, checked for sense before llama.cpp sees them."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dsengine.errors import UnsupportedModelError
from dsengine.gguf import GgufHeader, read_header
from dsengine.gguf_types import FILE_TYPES

PART: Final = re.compile(r"-(\d{5})-of-(\d{5})\.gguf$")
"""How the name of one of several files ends."""
NO_MODEL: Final = re.compile(r"mmproj|imatrix", re.IGNORECASE)
"""In names of files that lie beside a model and are none."""
_MAX_PARTS: Final = 999


@dataclass(frozen=True, slots=True)
class GgufModel:
    """Sizes of a model that a GGUF file holds, checked for sense."""

    headers: tuple[GgufHeader, ...]
    """One for each part."""
    architecture: str
    num_layers: int
    window: int
    vocab_size: int
    values_per_token: int
    """Keys and values of one token, all layers."""
    has_experts: bool

    @property
    def paths(self) -> tuple[Path, ...]:
        return tuple(header.path for header in self.headers)

    @property
    def weight_bytes(self) -> int:
        return sum(tensor.num_bytes for header in self.headers for tensor in header.tensors)

    @property
    def file_type(self) -> str:
        """For people: F32, Q4_K_M and so on."""
        number = self.headers[0].integer("general.file_type")
        tensors = [tensor for header in self.headers for tensor in header.tensors]
        largest = max(tensors, key=lambda tensor: tensor.num_bytes)
        return FILE_TYPES.get(-1 if number is None else number, largest.dtype)


def read_model(path: Path) -> GgufModel:
    """Raises: UnsupportedModelError: damaged, cut, a part is missing, or no language model."""
    headers = tuple(read_header(part) for part in _parts(path))
    header = headers[0]
    architecture = header.architecture
    kind = header.text("general.type")
    if kind not in ("", "model") or not re.fullmatch(r"[a-z0-9_.-]{1,64}", architecture):
        raise UnsupportedModelError(
            f"{path}: holds {kind or 'something'!r} of the architecture {architecture!r};"
            " a language model is needed"
        )
    named = {tensor.name: tensor for part in headers for tensor in part.tensors}
    embedding = named.get("token_embd.weight")
    if embedding is None or len(embedding.shape) != 2:
        raise UnsupportedModelError(f"{path}: has no token embeddings; a language model is needed")
    sizes = _Sizes(header, architecture)
    layers = sizes.required("block_count", 1_024)
    return GgufModel(
        headers=headers,
        architecture=architecture,
        num_layers=layers,
        window=sizes.required("context_length", 1 << 26),
        vocab_size=embedding.shape[0],
        values_per_token=_values_per_token(sizes, layers),
        has_experts=bool(sizes.optional("expert_count")),
    )


class _Sizes:
    """Integers of the architecture, within bounds that models have."""

    def __init__(self, header: GgufHeader, architecture: str) -> None:
        self.header = header
        self._architecture = architecture

    def optional(self, name: str) -> int:
        """0 where the file does not say."""
        return self.header.integer(f"{self._architecture}.{name}") or 0

    def required(self, name: str, most: int) -> int:
        value = self.optional(name)
        if not 1 <= value <= most:
            raise UnsupportedModelError(
                f"{self.header.path}: {self._architecture}.{name} is {value}; 1 to {most} is sound"
            )
        return value

    def by_layer(self, name: str, default: tuple[int, ...]) -> tuple[int, ...]:
        return self.header.integers(f"{self._architecture}.{name}") or default


def _values_per_token(sizes: _Sizes, num_layers: int) -> int:
    width = sizes.required("embedding_length", 1 << 20)
    heads = sizes.by_layer("attention.head_count", ())
    if not heads or min(heads) < 0 or max(heads) < 1 or max(heads) > 1 << 16:
        raise UnsupportedModelError(f"{sizes.header.path}: has attention heads {heads[:4]}")
    key_heads = sizes.by_layer("attention.head_count_kv", heads)
    if min(key_heads) < 0 or max(key_heads) > 1 << 16:
        raise UnsupportedModelError(f"{sizes.header.path}: has key heads {key_heads[:4]}")
    key_size = sizes.optional("attention.key_length") or width // max(heads)
    value_size = sizes.optional("attention.value_length") or width // max(heads)
    if sizes.optional("attention.key_length_mla"):
        value_size = 0  # latents are keys and values in one
    if len(key_heads) == 1:
        key_heads = key_heads * num_layers
    return sum(key_heads[:num_layers]) * (key_size + value_size)


def _parts(path: Path) -> list[Path]:
    match = PART.search(path.name)
    if match is None:
        return [path]
    number, count = int(match[1]), int(match[2])
    if number != 1 or not 1 <= count <= _MAX_PARTS:
        raise UnsupportedModelError(f"{path}: is part {number} of {count}; name the first one")
    stem = path.name[: match.start()]
    parts = [path.with_name(f"{stem}-{n:05}-of-{count:05}.gguf") for n in range(1, count + 1)]
    missing = [part.name for part in parts if not part.is_file()]
    if missing:
        raise UnsupportedModelError(f"{path}: lacks its part {missing[0]}")
    return parts
