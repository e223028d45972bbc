"""GGUF files that other programs keep: Ollama, LM Studio and the Hugging Face cache.

They are read and never changed. What lies there came from somebody else: names, manifests
and links are taken only where they say what these programs write. Links are not followed out
of a store.
"""

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dsengine.errors import ModelNotFoundError, UnsupportedModelError
from dsengine.gguf import read_facts
from dsengine.gguf_model import NO_MODEL, PART
from dsengine.gguf_types import FILE_TYPES

_MAX_ENTRIES: Final = 2_000
"""Of one folder, and models of one store: what is beyond is not looked at."""
_MAX_MANIFEST_BYTES: Final = 1 << 20
_WORD: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,199}")
_DIGEST: Final = re.compile(r"sha256:([0-9a-f]{64})")
_MODEL_LAYER: Final = "application/vnd.ollama.image.model"
_ADAPTER_LAYER: Final = "application/vnd.ollama.image.adapter"
_USUAL_HOST, _USUAL_OWNER, _USUAL_TAG = "registry.ollama.ai", "library", "latest"
_SUFFIX: Final = ".gguf"


@dataclass(frozen=True, slots=True)
class StoredModel:
    name: str
    """As `Engine` takes it: `ollama:deepseek-coder:6.7b`."""
    source: str
    """Whose it is, for people."""
    path: Path
    """Of its file, or of the first part."""
    size_bytes: int
    """Of all parts."""
    architecture: str
    quantisation: str
    """For example Q4_K_M; "" where the file does not say."""


@dataclass(frozen=True, slots=True)
class _Store:
    source: str
    roots: Callable[[Path, Mapping[str, str]], Sequence[Path]]
    """Folders that it may have, by home and environment."""
    names: Callable[[Path], Iterator[str]]
    """Of models in a root, without the prefix."""
    find: Callable[[Path, str], Path | None]
    """The file of a name in a root; None where there is none."""


def is_stored_name(model: str | Path) -> bool:
    return isinstance(model, str) and model.partition(":")[0] in _STORES


def find_stored(
    model: str, home: Path | None = None, environment: Mapping[str, str] = os.environ
) -> Path:
    """The file behind a name with a store's prefix.

    Raises:
        ModelNotFoundError: no such store, or nothing of that name in it.
        UnsupportedModelError: what the store says of it is damaged, or is no plain model.
    """
    prefix, _, name = model.partition(":")
    store = _STORES.get(prefix)
    if store is None:
        raise ModelNotFoundError(f"{model}: no store {prefix!r}; known are {', '.join(_STORES)}")
    roots = store.roots(home or Path.home(), environment)
    for root in roots:
        found = store.find(root, name) if root.is_dir() else None
        if found is not None:
            return found
    places = " or ".join(map(str, roots))
    raise ModelNotFoundError(f"{model}: nothing of that name in {places}")


def stored_models(
    home: Path | None = None, environment: Mapping[str, str] = os.environ
) -> tuple[StoredModel, ...]:
    """All that can be run, by name; what is damaged is left out."""
    found: dict[str, StoredModel] = {}
    for prefix, store in _STORES.items():
        for root in store.roots(home or Path.home(), environment):
            for name in store.names(root) if root.is_dir() else ():
                model = _described(store, root, f"{prefix}:{name}")
                if model is not None:
                    found.setdefault(model.name, model)
    return tuple(found[name] for name in sorted(found))


def _described(store: _Store, root: Path, name: str) -> StoredModel | None:
    try:
        path = store.find(root, name.partition(":")[2])
        if path is None:
            return None
        facts = read_facts(path)
        file_type = facts.integer("general.file_type")
        size = sum(part.stat().st_size for part in _parts(path))
        quantisation = FILE_TYPES.get(-1 if file_type is None else file_type, "")
        return StoredModel(name, store.source, path, size, facts.architecture, quantisation)
    except (UnsupportedModelError, OSError):
        return None


def _parts(path: Path) -> list[Path]:
    match = PART.search(path.name)
    if match is None:
        return [path]
    stem = path.name[: match.start()]
    return [
        path.with_name(f"{stem}-{n:05}-of-{match[2]}.gguf") for n in range(1, int(match[2]) + 1)
    ]


def _ollama_roots(home: Path, environment: Mapping[str, str]) -> Sequence[Path]:
    chosen = environment.get("OLLAMA_MODELS", "")
    if chosen:
        return (Path(chosen),)
    return (home / ".ollama" / "models", Path("/usr/share/ollama/.ollama/models"))


def _ollama_names(root: Path) -> Iterator[str]:
    for host in _folders(root / "manifests"):
        for owner in _folders(host):
            for model in _folders(owner):
                for tag in _files(model):
                    yield _ollama_name(host.name, owner.name, model.name, tag.name)


def _ollama_name(host: str, owner: str, model: str, tag: str) -> str:
    if host != _USUAL_HOST:
        return f"{host}/{owner}/{model}:{tag}"
    return f"{model}:{tag}" if owner == _USUAL_OWNER else f"{owner}/{model}:{tag}"


def _ollama_file(root: Path, name: str) -> Path | None:
    path, _, tag = name.partition(":")
    words = path.split("/")
    usual = [_USUAL_HOST, _USUAL_OWNER]
    words = [*usual[: max(0, 3 - len(words))], *words, tag or _USUAL_TAG]
    if len(words) != 4 or not all(map(_WORD.fullmatch, words)):
        return None
    manifest = root.joinpath("manifests", *words)
    if not _is_inside(manifest, root):
        return None
    return _blob(root, manifest)


def _blob(root: Path, manifest: Path) -> Path:
    """Raises: UnsupportedModelError: the manifest names no single model that is there."""
    layers = _layers(manifest)
    if any(layer.get("mediaType") == _ADAPTER_LAYER for layer in layers):
        raise UnsupportedModelError(f"{manifest}: has an adapter; a plain model is needed")
    models = [layer for layer in layers if layer.get("mediaType") == _MODEL_LAYER]
    digest = _DIGEST.fullmatch(str(models[0].get("digest"))) if len(models) == 1 else None
    if digest is None:
        raise UnsupportedModelError(f"{manifest}: names no single model")
    blob = root / "blobs" / f"sha256-{digest[1]}"
    if not _is_inside(blob, root):
        raise UnsupportedModelError(f"{blob}: is missing, or a link out of the store")
    return blob.resolve()


def _layers(manifest: Path) -> list[Mapping[str, object]]:
    try:
        if manifest.stat().st_size > _MAX_MANIFEST_BYTES:
            raise UnsupportedModelError(f"{manifest}: is too large for a manifest")
        value = json.loads(manifest.read_bytes())
    except (OSError, ValueError, RecursionError):
        raise UnsupportedModelError(f"{manifest}: is no manifest") from None
    layers = value.get("layers") if isinstance(value, dict) else None
    return [one for one in layers if isinstance(one, dict)] if isinstance(layers, list) else []


def _studio_roots(home: Path, _: Mapping[str, str]) -> Sequence[Path]:
    return (home / ".lmstudio" / "models", home / ".cache" / "lm-studio" / "models")


def _studio_names(root: Path) -> Iterator[str]:
    for publisher in _folders(root):
        for repository in _folders(publisher):
            for file in _models(repository):
                stem = file.name.removesuffix(_SUFFIX)
                yield f"{publisher.name}/{repository.name}/{stem}"


def _studio_file(root: Path, name: str) -> Path | None:
    words = name.removesuffix(_SUFFIX).split("/")
    if len(words) != 3 or not all(map(_WORD.fullmatch, words)):
        return None
    file = root.joinpath(*words[:2], words[2] + _SUFFIX)
    return file.resolve() if _is_inside(file, root) else None


def _hub_roots(home: Path, environment: Mapping[str, str]) -> Sequence[Path]:
    cache = environment.get("HF_HUB_CACHE", "")
    hub = environment.get("HF_HOME", "")
    return (Path(cache) if cache else Path(hub or home / ".cache" / "huggingface") / "hub",)


def _hub_names(root: Path) -> Iterator[str]:
    for folder in _folders(root):
        kind, _, name = folder.name.partition("--")
        snapshot = _snapshot(folder)
        if kind == "models" and snapshot is not None:
            for file in _models(snapshot, is_linked=True):
                yield f"{name.replace('--', '/', 1)}/{file.name.removesuffix(_SUFFIX)}"


def _hub_file(root: Path, name: str) -> Path | None:
    words = name.removesuffix(_SUFFIX).split("/")
    if len(words) != 3 or not all(map(_WORD.fullmatch, words)):
        return None
    folder = root / f"models--{words[0]}--{words[1]}"
    snapshot = _snapshot(folder)
    file = snapshot / (words[2] + _SUFFIX) if snapshot else None
    return file if file is not None and _is_inside(file, folder) else None


def _snapshot(folder: Path) -> Path | None:
    """The revision that its main branch had last."""
    reference = folder / "refs" / "main"
    if reference.is_symlink() or not reference.is_file() or reference.stat().st_size > 64:
        return None
    revision = reference.read_text(encoding="ascii", errors="replace").strip()
    snapshot = folder / "snapshots" / revision
    return snapshot if _WORD.fullmatch(revision) and snapshot.is_dir() else None


def _folders(parent: Path) -> Iterator[Path]:
    yield from (one for one in _entries(parent) if one.is_dir() and not one.is_symlink())


def _files(parent: Path) -> Iterator[Path]:
    yield from (one for one in _entries(parent) if one.is_file() and not one.is_symlink())


def _models(parent: Path, *, is_linked: bool = False) -> Iterator[Path]:
    for file in _entries(parent):
        part = PART.search(file.name)
        is_first = part is None or int(part[1]) == 1
        is_file = file.is_file() and (is_linked or not file.is_symlink())
        if file.suffix == _SUFFIX and is_first and is_file and not NO_MODEL.search(file.name):
            yield file


def _entries(parent: Path) -> list[Path]:
    """Sorted; without what has a name that these programs would not give."""
    try:
        with os.scandir(parent) as entries:
            names = [entry.name for entry, _ in zip(entries, range(_MAX_ENTRIES), strict=False)]
    except OSError:
        return []
    return [parent / name for name in sorted(names) if _WORD.fullmatch(name)]


def _is_inside(path: Path, root: Path) -> bool:
    """A file that is there, and no link leads out of `root`."""
    return path.is_file() and path.resolve().is_relative_to(root.resolve())


_STORES: Final[Mapping[str, _Store]] = {
    "ollama": _Store("Ollama", _ollama_roots, _ollama_names, _ollama_file),
    "lmstudio": _Store("LM Studio", _studio_roots, _studio_names, _studio_file),
    "huggingface": _Store("Hugging Face cache", _hub_roots, _hub_names, _hub_file),
}
