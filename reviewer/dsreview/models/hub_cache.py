"""The Hugging Face cache of this user, read and never changed.

Its layout, which other programs share: `models--OWNER--NAME/refs/main` holds a commit,
`snapshots/COMMIT/` the files, as links to `blobs/`.
"""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PREFIX: Final = "models--"
INDEX: Final = "model.safetensors.index.json"
SINGLE: Final = "model.safetensors"
MAX_JSON_BYTES: Final = 256 << 20


@dataclass(frozen=True, slots=True)
class CachedModel:
    name: str
    """`owner/name`, as `--model` takes it."""
    revision: str
    """The commit that this name means here."""
    folder: Path
    size_bytes: int
    is_whole: bool
    """Configuration, tokenizer and all weights are there, as safetensors."""


def cache_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Where models lie, by the variables that the hub's own programs obey."""
    for variable in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        if environment.get(variable):
            return _expanded(environment[variable])
    home = environment.get("HF_HOME")
    if not home:
        caches = environment.get("XDG_CACHE_HOME") or "~/.cache"
        home = f"{caches}/huggingface"
    return _expanded(home) / "hub"


def repository_folder(cache: Path, name: str) -> Path:
    return cache / (PREFIX + name.replace("/", "--"))


def cached_models(cache: Path) -> Iterator[CachedModel]:
    """Those that a name means now, by name."""
    if not cache.is_dir():
        return
    for folder in sorted(cache.glob(f"{PREFIX}*")):
        found = cached_model(cache, folder.name.removeprefix(PREFIX).replace("--", "/"))
        if found is not None:
            yield found


def cached_model(cache: Path, name: str) -> CachedModel | None:
    folder = repository_folder(cache, name)
    try:
        revision = (folder / "refs" / "main").read_text(encoding="utf-8").strip()
        snapshot = folder / "snapshots" / revision
        names = {path.name for path in snapshot.iterdir() if path.is_file()}
        size = sum((snapshot / each).stat().st_size for each in names)
        weights = _weight_names(snapshot, names)
    except (OSError, ValueError):
        return None
    needed = {"config.json", "tokenizer.json"} | weights
    return CachedModel(name, revision, snapshot, size, bool(weights) and needed <= names)


def weight_names(index: object) -> frozenset[str]:
    """The files that an index of weights names.

    Raises:
        ValueError: it is no index, or names something that is no file beside it.
    """
    table = index.get("weight_map") if isinstance(index, dict) else None
    names = frozenset(table.values()) if isinstance(table, dict) else frozenset()
    for name in names:
        if not isinstance(name, str) or not is_plain_name(name):
            raise ValueError(f"names {name!r} as a weight file")
    if not names:
        raise ValueError("names no weight files")
    return names


def is_plain_name(name: str) -> bool:
    """A file of the folder itself, whatever the system takes for a separator."""
    return bool(name) and name not in (".", "..") and not set(name) & set("/\\:\0")


def _weight_names(snapshot: Path, names: set[str]) -> frozenset[str]:
    if INDEX not in names:
        return frozenset({SINGLE} & names)
    if (snapshot / INDEX).stat().st_size > MAX_JSON_BYTES:
        raise ValueError(INDEX)
    try:
        return weight_names(json.loads((snapshot / INDEX).read_bytes()))
    except RecursionError:
        raise ValueError(INDEX) from None


def _expanded(text: str) -> Path:
    return Path(os.path.expandvars(text)).expanduser()
