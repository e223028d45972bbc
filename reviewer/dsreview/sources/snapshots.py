"""The two sides of a change, as the rest of the program reads them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dsreview.patch import FileKind, kind_of_mode
from dsreview.sources.clean_room import CleanRoom
from dsreview.sources.objects import ObjectStore, object_id
from dsreview.sources.trees import Tree, TreeEntry, list_tree


class TreeSnapshot:
    """The files of a git tree; listed when first asked for.

    A file whose object is not here (a partial clone) reads as None.
    """

    def __init__(self, room: CleanRoom, store: ObjectStore, oid: str) -> None:
        self.oid = oid
        self._room = room
        self._store = store
        self._tree: Tree | None = None

    @property
    def tree(self) -> Tree:
        if self._tree is None:
            self._tree = list_tree(self._room, self.oid)
        return self._tree

    def paths(self) -> Sequence[str]:
        files = self.tree.files
        return tuple(sorted(path for path in files if self._regular(path) is not None))

    def read(self, path: str) -> bytes | None:
        entry = self._regular(path)
        return None if entry is None else self._store.blob(entry.oid)

    def identity(self, path: str) -> str | None:
        entry = self._regular(path)
        return None if entry is None else entry.oid

    def size_bytes(self, path: str) -> int | None:
        entry = self._regular(path)
        return None if entry is None else self._store.size_bytes(entry.oid)

    def _regular(self, path: str) -> TreeEntry | None:
        entry = self.tree.files.get(path)
        if entry is None or kind_of_mode(entry.mode) is not FileKind.REGULAR:
            return None
        return entry


@dataclass(frozen=True, slots=True)
class BlobSnapshot:
    """Some files of an earlier review, by the ids of their content."""

    store: ObjectStore
    ids: Mapping[str, str]

    def paths(self) -> Sequence[str]:
        return tuple(sorted(self.ids))

    def read(self, path: str) -> bytes | None:
        oid = self.ids.get(path)
        return None if oid is None else self.store.blob(oid)

    def identity(self, path: str) -> str | None:
        return self.ids.get(path)

    def size_bytes(self, path: str) -> int | None:
        oid = self.ids.get(path)
        return None if oid is None else self.store.size_bytes(oid)


@dataclass(frozen=True, slots=True)
class MemorySnapshot:
    """Files whose content a patch alone makes known: those it adds or deletes."""

    files: Mapping[str, bytes] = field(default_factory=dict)

    def paths(self) -> Sequence[str]:
        return tuple(sorted(self.files))

    def read(self, path: str) -> bytes | None:
        return self.files.get(path)

    def identity(self, path: str) -> str | None:
        content = self.files.get(path)
        return None if content is None else object_id("sha1", "blob", content)

    def size_bytes(self, path: str) -> int | None:
        content = self.files.get(path)
        return None if content is None else len(content)
