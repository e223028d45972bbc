"""A model's folder, read without trust: JSON and safetensors headers, nothing executed."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dsengine.errors import ModelNotFoundError, UnsupportedModelError
from dsengine.weight_files import StoredTensor, read_tensors

if TYPE_CHECKING:
    from dsengine.gguf_model import GgufModel

Json = Mapping[str, object]

_MAX_JSON_BYTES = 256 << 20
_FULL_DIGEST_BYTES = 256 << 20
_SAMPLE_BYTES = 1 << 20
_USUAL_WINDOW = 2_048
_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")
# Keys of config.json that choose code: an implementation, a remote class, a plan, a kernel.
_CODE_KEYS = re.compile(r"^_|implementation|auto_map|kernel|_plan$|custom_pipeline|adapter")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    folder: Path
    config: Json
    """config.json without what could choose code."""
    generation_config: Json
    tokenizer: str
    """Text of tokenizer.json."""
    tokenizer_config: Json
    chat_template: str
    """Never executed; "" if there is none."""
    weights: tuple[Path, ...]
    tensors: tuple[StoredTensor, ...]
    """Of all `weights`."""
    gguf: "GgufModel | None" = None
    """What a GGUF file says of itself, where `folder` is one."""

    @property
    def model_type(self) -> str:
        return str(self.config.get("model_type", ""))

    @property
    def window(self) -> int:
        """Tokens that the model takes, as its configuration says."""
        return self.count("max_position_embeddings") or _USUAL_WINDOW

    def count(self, key: str) -> int | None:
        """A number from 1 of the configuration; None where it says none."""
        value = self.config.get(key)
        return value if type(value) is int and value > 0 else None

    @property
    def num_parameters(self) -> int:
        return sum(tensor.num_elements for tensor in self.tensors)


def open_checkpoint(model: str | Path) -> Checkpoint:
    """Read all of a model's folder but its weights.

    Args:
        model: a folder, a GGUF file, the name of a model (`owner/name`) in the local cache, or
            one that `gguf_stores` knows (`ollama:name`).

    Raises:
        ModelNotFoundError: none exists.
        UnsupportedModelError: a part is missing, damaged or could run code.
    """
    from dsengine.gguf_checkpoint import find_gguf, open_gguf

    file = find_gguf(model)
    if file is not None:
        return open_gguf(file)
    folder = find_folder(model)
    config = _clean(_read_json(folder, "config.json"))
    _refuse_what_needs_code(folder, config)
    tokenizer_config = _read_json(folder, "tokenizer_config.json", is_required=False)
    weights = _weight_files(folder)
    return Checkpoint(
        folder=folder,
        config=config,
        generation_config=_read_json(folder, "generation_config.json", is_required=False),
        tokenizer=_read_text(folder, "tokenizer.json"),
        tokenizer_config=tokenizer_config,
        chat_template=_chat_template(folder, tokenizer_config),
        weights=weights,
        tensors=tuple(tensor for path in weights for tensor in read_tensors(path)),
    )


def find_folder(model: str | Path) -> Path:
    """A path (absolute, or beginning with a dot or `~`), or a name of the local cache.

    `owner/name` never means a folder below the current one: whoever wrote the repository
    that is worked in could put a model of their own there.
    """
    if is_path(model):
        folder = Path(model).expanduser()
        if folder.is_dir():
            return folder.resolve()
        raise ModelNotFoundError(f"{model}: no such folder and no GGUF file")
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        found = try_to_load_from_cache(str(model), "config.json")
    except HFValidationError:
        raise ModelNotFoundError(f"{model}: no name of a model; a folder is ./{model}") from None
    if not isinstance(found, str):
        raise ModelNotFoundError(
            f"{model}: not in the local Hugging Face cache; a folder is ./{model}"
        )
    return Path(found).parent


def is_path(model: str | Path) -> bool:
    """Not a name: what begins so, and no other, is looked for below some folder."""
    return str(model).startswith(("/", ".", "~"))


def digest(checkpoint: Checkpoint) -> str:
    """SHA-256 of the configuration, the tokenizer and the weights.

    Weights of up to 256 MiB are hashed whole. Of larger ones each file's size, header and
    first, middle and last MiB: enough to tell two models apart, no proof of integrity.
    """
    parts = hashlib.sha256()
    for text in (json.dumps(checkpoint.config, sort_keys=True), checkpoint.tokenizer):
        parts.update(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest())
    total = sum(path.stat().st_size for path in checkpoint.weights)
    for path in checkpoint.weights:
        header = min((one.start for one in checkpoint.tensors if one.path == path), default=0)
        whole = [(0, path.stat().st_size)]
        spans = whole if total <= _FULL_DIGEST_BYTES else _samples(path, header)
        parts.update(f"{path.name} {path.stat().st_size}".encode())
        for block in _blocks(path, spans):
            parts.update(block)
    return parts.hexdigest()


def _samples(path: Path, header: int) -> list[tuple[int, int]]:
    size = path.stat().st_size
    starts = (header, (header + size) // 2, size - _SAMPLE_BYTES)
    return [(0, header), *((start, start + _SAMPLE_BYTES) for start in starts)]


def _blocks(path: Path, spans: list[tuple[int, int]]) -> Iterator[bytes]:
    with path.open("rb") as file:
        for start, stop in spans:
            file.seek(max(start, 0))
            left = stop - max(start, 0)
            while left > 0 and (block := file.read(min(left, _SAMPLE_BYTES))):
                left -= len(block)
                yield block


def _first_bytes(path: Path, count: int) -> bytes:
    with path.open("rb") as file:
        return file.read(count)


def _read_text(folder: Path, name: str) -> str:
    path = folder / name
    if not path.is_file():
        raise UnsupportedModelError(f"{folder}: has no {name}")
    if path.stat().st_size > _MAX_JSON_BYTES:
        raise UnsupportedModelError(f"{path}: is larger than {_MAX_JSON_BYTES >> 20} MiB")
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UnsupportedModelError(f"{path}: cannot be read: {error}") from None


def _read_json(folder: Path, name: str, *, is_required: bool = True) -> dict[str, object]:
    if not is_required and not (folder / name).is_file():
        return {}
    try:
        value = json.loads(_read_text(folder, name))
    except (ValueError, RecursionError) as error:
        raise UnsupportedModelError(f"{folder / name}: is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise UnsupportedModelError(f"{folder / name}: is not a JSON object")
    return value


def _clean(config: Json) -> dict[str, object]:
    return {
        key: _clean(value) if isinstance(value, dict) else value
        for key, value in config.items()
        if not _CODE_KEYS.search(key)
    }


def _refuse_what_needs_code(folder: Path, config: Json) -> None:
    if "model_type" not in config:
        raise UnsupportedModelError(f"{folder / 'config.json'}: has no model_type")
    if (folder / "adapter_config.json").exists():
        raise UnsupportedModelError(f"{folder}: is an adapter; merge it into its model first")
    packed_for_mlx = config.get("quantization")
    for key in ("quantization_config", "compression_config"):
        if config.get(key) and config[key] != packed_for_mlx:  # mlx-lm writes it twice
            raise UnsupportedModelError(
                f"{folder}: is quantised ({key}); use its GGUF file, or the full weights with"
                " --weights int8 or int4"
            )


def _chat_template(folder: Path, tokenizer_config: Json) -> str:
    if (folder / "chat_template.jinja").is_file():
        return _read_text(folder, "chat_template.jinja")
    value = tokenizer_config.get("chat_template", "")
    return value if isinstance(value, str) else json.dumps(value)


def _weight_files(folder: Path) -> tuple[Path, ...]:
    if (folder / "model.safetensors.index.json").is_file():
        index = _read_json(folder, "model.safetensors.index.json").get("weight_map")
        names = set(index.values()) if isinstance(index, dict) else set()
    else:
        names = {"model.safetensors"} if (folder / "model.safetensors").is_file() else set()
    if not names:
        pickles = [path.name for pattern in _PICKLES for path in folder.glob(pattern)]
        reason = f"only pickled weights ({sorted(pickles)[0]})" if pickles else "no weights"
        raise UnsupportedModelError(f"{folder}: has {reason}; safetensors files are needed")
    for name in names:
        if not isinstance(name, str) or Path(name).name != name or not (folder / name).is_file():
            raise UnsupportedModelError(f"{folder}: lacks the weight file {name!r}")
    return tuple(folder / name for name in sorted(names))
