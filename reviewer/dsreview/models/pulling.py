"""`dsreview models pull`: the only way a model ever comes onto this machine.

Wanted are the configuration, the tokenizer and the weights as safetensors, nothing that could
be executed. Every file is held against the checksum that the hub announced for the commit.
The name means the new commit only once all of it is on the disk.
"""

import json
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dsreview.durable import flush_folder, replace_durably
from dsreview.errors import DownloadError
from dsreview.models.blobs import Fetching
from dsreview.models.catalogue import find
from dsreview.models.hub import Hub
from dsreview.models.hub_cache import INDEX, cached_model, repository_folder
from dsreview.models.patience import Bar, Interrupted, Patience
from dsreview.models.revisions import (
    RemoteFile,
    RemoteModel,
    check_name,
    small_files,
    weight_files,
)

DEFAULT_BRANCH: Final = "main"
SPARE_BYTES: Final = 256 << 20
"""Of the disk that a download leaves free."""


@dataclass(frozen=True, slots=True)
class Pulled:
    name: str
    revision: str
    folder: Path
    files: tuple[RemoteFile, ...]

    @property
    def size_bytes(self) -> int:
        return sum(file.size for file in self.files)


def pinned_revision(name: str, cache: Path) -> str:
    """That of the catalogue, else the commit that is here already, else the newest."""
    known = find(name)
    if known is not None:
        return known.revision
    here = cached_model(cache, name)
    return here.revision if here else DEFAULT_BRANCH


def pull(
    hub: Hub,
    cache: Path,
    name: str,
    revision: str,
    bar: Bar,
    sleep: Callable[[float], None] = time.sleep,
) -> Pulled:
    """Bring a model into the cache; what is there already is checked again.

    Args:
        revision: a commit, branch or tag.

    Raises:
        UsageError: `name` is no name of a model.
        DownloadError: it cannot be had whole and right; what has come so far is kept for
            the next try, and the name means what it meant before.
        OSError: the disk cannot be written.
    """
    check_name(name)
    model = _described(hub, name, revision, bar, sleep)
    folder = repository_folder(cache, name)
    locks = cache / ".locks" / folder.name
    fetching = Fetching(hub, model, folder, locks, bar, sleep)
    small = small_files(model)
    _require_space(fetching, small, cache)
    places = {file.name: fetching.fetch(file) for file in small}
    weights = weight_files(model, _index(model, places))
    _require_space(fetching, weights, cache)
    places |= {file.name: fetching.fetch(file) for file in weights}
    snapshot = folder / "snapshots" / model.revision
    _show(snapshot, places)
    _name(folder, model.revision)
    return Pulled(name, model.revision, snapshot, (*small, *weights))


def _described(
    hub: Hub, name: str, revision: str, bar: Bar, sleep: Callable[[float], None]
) -> RemoteModel:
    patience = Patience(name, bar, sleep)
    while True:
        try:
            return hub.describe(name, revision)
        except Interrupted as error:
            patience.wait(error, has_grown=False)


def _index(model: RemoteModel, places: dict[str, Path]) -> object:
    if INDEX not in places:
        return None
    try:
        index: object = json.loads(places[INDEX].read_bytes())
    except (ValueError, RecursionError):
        raise DownloadError(f"{model.name}: {INDEX}: is not JSON") from None
    return index if index is not None else {}


def _require_space(fetching: Fetching, files: Iterable[RemoteFile], cache: Path) -> None:
    cache.mkdir(parents=True, exist_ok=True)
    needed = sum(map(fetching.missing_bytes, files))
    free = shutil.disk_usage(cache).free
    if needed and needed + SPARE_BYTES > free:
        raise DownloadError(
            f"{fetching.model.name}: {needed / 1e9:.1f} GB are missing, {cache} has"
            f" {free / 1e9:.1f} GB free; HF_HOME names another place"
        )


def _show(snapshot: Path, places: dict[str, Path]) -> None:
    """Link the files into the folder of the commit; what makes it a model comes last."""
    snapshot.mkdir(parents=True, exist_ok=True)
    for name in sorted(places, key=lambda name: name == "config.json"):
        link = snapshot / name
        beside = snapshot / f".{name}.{secrets.token_hex(4)}"
        beside.symlink_to(os.path.relpath(places[name], snapshot))
        beside.replace(link)
    flush_folder(snapshot)


def _name(folder: Path, revision: str) -> None:
    """From here on the model's name means this commit."""
    (folder / "refs").mkdir(exist_ok=True)
    replace_durably(folder / "refs" / DEFAULT_BRANCH, revision.encode())
