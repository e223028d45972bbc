"""A model as a hub has it at one commit, and which of its files are wanted."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dsreview.errors import DownloadError, UsageError
from dsreview.models.hub_cache import INDEX, MAX_JSON_BYTES, SINGLE, weight_names

NEEDED: Final = ("config.json", "tokenizer.json")
SMALL: Final = (
    *NEEDED,
    "generation_config.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "chat_template.jinja",
    INDEX,
)
"""Beside weights, all that is ever downloaded; the template is read and never run."""
_NAME: Final = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", re.ASCII)
_COMMIT: Final = re.compile("[0-9a-f]{40}")
_HEX_LENGTHS: Final = {"sha256": 64, "git": 40}
_BLOCK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Checksum:
    kind: str
    """`sha256` of the content, or `git`: SHA-1 of a blob's header and the content."""
    digest: str

    def __post_init__(self) -> None:
        if not re.fullmatch(f"[0-9a-f]{{{_HEX_LENGTHS[self.kind]}}}", self.digest):
            raise ValueError(f"{self.digest!r} is no checksum")


@dataclass(frozen=True, slots=True)
class RemoteFile:
    name: str
    size: int
    checksum: Checksum

    def __post_init__(self) -> None:
        if self.size < 0:
            raise ValueError(f"{self.name!r} has {self.size} bytes")


@dataclass(frozen=True, slots=True)
class RemoteModel:
    name: str
    revision: str
    """A commit."""
    files: tuple[RemoteFile, ...]

    def file(self, name: str) -> RemoteFile | None:
        return next((file for file in self.files if file.name == name), None)


class Hashing:
    """The checksum of bytes that come one block after the other."""

    def __init__(self, file: RemoteFile) -> None:
        self._wanted = file.checksum.digest
        if file.checksum.kind == "sha256":
            self._hash = hashlib.sha256()
        else:  # as git names a blob; nothing is kept secret with it
            self._hash = hashlib.sha1(b"blob %d\0" % file.size, usedforsecurity=False)

    def add(self, block: bytes) -> None:
        self._hash.update(block)

    def add_file(self, path: Path) -> None:
        for block in _blocks(path):
            self.add(block)

    @property
    def agrees(self) -> bool:
        return self._hash.hexdigest() == self._wanted


def check_name(name: str) -> None:
    """Raises: UsageError: no `owner/name`."""
    if not _NAME.fullmatch(name) or ".." in name or "--" in name:
        raise UsageError(f"{name}: no name of a model on a hub; that is owner/name")


def is_commit(revision: str) -> bool:
    return bool(_COMMIT.fullmatch(revision))


def small_files(model: RemoteModel) -> tuple[RemoteFile, ...]:
    """All that is wanted but the weights.

    Raises:
        DownloadError: a part is missing, or larger than its like ever are.
    """
    for name in NEEDED:
        if model.file(name) is None:
            raise DownloadError(f"{model.name}: has no {name}; it cannot be loaded")
    found = tuple(file for name in SMALL if (file := model.file(name)) is not None)
    for file in found:
        if file.size > MAX_JSON_BYTES:
            raise DownloadError(f"{model.name}: {file.name} has {file.size:,} bytes")
    return found


def weight_files(model: RemoteModel, index: object) -> tuple[RemoteFile, ...]:
    """Those of the index, or the single one where there is none (`index` is None).

    Raises:
        DownloadError: there are none as safetensors, or the index names what is not there.
    """
    if index is None:
        single = model.file(SINGLE)
        if single is None:
            raise DownloadError(f"{model.name}: has no weights as safetensors; no others are taken")
        return (single,)
    try:
        names = sorted(weight_names(index))
    except ValueError as error:
        raise DownloadError(f"{model.name}: {INDEX}: {error}") from None
    return tuple(_weight_file(model, name) for name in names)


def _weight_file(model: RemoteModel, name: str) -> RemoteFile:
    file = model.file(name)
    if file is None or not name.endswith(".safetensors"):
        raise DownloadError(f"{model.name}: {INDEX} names {name!r}, which is no file of weights")
    return file


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            yield block
