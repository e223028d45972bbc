"""A model's folder, read without trust: JSON and safetensors headers, nothing executed."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from dsengine.errors import ModelNotFoundError, UnsupportedModelError

Json = Mapping[str, object]

BYTES_OF: Mapping[str, int] = {"float32": 4, "bfloat16": 2, "float16": 2}

_MAX_JSON_BYTES = 256 << 20
_MAX_HEADER_BYTES = 100_000_000  # the format's own limit
_FULL_DIGEST_BYTES = 256 << 20
_SAMPLE_BYTES = 1 << 20
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
    num_parameters: int

    @property
    def model_type(self) -> str:
        return str(self.config.get("model_type", ""))


def open_checkpoint(model: str | Path) -> Checkpoint:
    """Read all of a model's folder but its weights.

    Args:
        model: a folder, or the name of a model (`owner/name`) in the local cache.

    Raises:
        ModelNotFoundError: neither exists.
        UnsupportedModelError: a part is missing, damaged or could run code.
    """
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
        num_parameters=sum(_num_parameters(path) for path in weights),
    )


def find_folder(model: str | Path) -> Path:
    """A path (absolute, or beginning with a dot or `~`), or a name of the local cache.

    `owner/name` never means a folder below the current one: whoever wrote the repository
    that is worked in could put a model of their own there.
    """
    if str(model).startswith(("/", ".", "~")):
        folder = Path(model).expanduser()
        if folder.is_dir():
            return folder.resolve()
        raise ModelNotFoundError(f"{model}: no such folder")
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


def estimate_memory(folder: Path, dtype: str) -> int:
    """Bytes that the weights take in memory, and a tenth more for the work around them.

    Args:
        folder: of the model; only the headers of its safetensors files are read.
        dtype: float32, bfloat16 or float16.
    """
    num_parameters = sum(_num_parameters(path) for path in _weight_files(folder))
    return num_parameters * BYTES_OF[dtype] * 11 // 10


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
        spans = [(0, path.stat().st_size)] if total <= _FULL_DIGEST_BYTES else _samples(path)
        parts.update(f"{path.name} {path.stat().st_size}".encode())
        for block in _blocks(path, spans):
            parts.update(block)
    return parts.hexdigest()


def _samples(path: Path) -> list[tuple[int, int]]:
    size = path.stat().st_size
    header = 8 + int.from_bytes(_first_bytes(path, 8), "little")
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
    for key in ("quantization_config", "compression_config"):
        if config.get(key):
            raise UnsupportedModelError(f"{folder}: is quantised ({key}); use full weights")


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


def _num_parameters(path: Path) -> int:
    """Elements of all tensors, from the header; the file's length must agree with it."""
    size = path.stat().st_size
    length = int.from_bytes(_first_bytes(path, 8), "little")
    if size < 8 or length > min(size - 8, _MAX_HEADER_BYTES):
        raise UnsupportedModelError(f"{path}: is no safetensors file, or a cut one")
    try:
        header = json.loads(_first_bytes(path, 8 + length)[8:])
        tensors = [value for key, value in header.items() if key != "__metadata__"]
        end = max((tensor["data_offsets"][1] for tensor in tensors), default=0)
        count = sum(_product(tensor["shape"]) for tensor in tensors)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
        raise UnsupportedModelError(f"{path}: has a damaged safetensors header") from None
    if 8 + length + end != size:
        raise UnsupportedModelError(f"{path}: has {size} bytes where {8 + length + end} belong")
    return count


def _product(shape: list[int]) -> int:
    count = 1
    for length in shape:
        count *= length
    return count
