"""Folders as git stores them: listed, and written without an index."""

from collections.abc import Mapping
from dataclasses import dataclass

from dsreview.sources.clean_room import CleanRoom
from dsreview.sources.objects import ObjectStore, object_id


@dataclass(frozen=True, slots=True)
class TreeEntry:
    mode: int
    oid: str


@dataclass(frozen=True, slots=True)
class Tree:
    files: Mapping[str, TreeEntry]
    """Path to file, link or submodule, at any depth."""
    folder_ids: frozenset[str]
    """Ids of the folders in it, which need not be written again."""


def list_tree(room: CleanRoom, oid: str) -> Tree:
    """All that a tree, or the tree of a commit, holds; git is asked once for each."""
    known = room.trees.get(oid)
    if known is None:
        known = room.trees[oid] = _list(room, oid)
    return known


def _list(room: CleanRoom, oid: str) -> Tree:
    files: dict[str, TreeEntry] = {}
    folders = {oid}
    for record in room.run("ls-tree", "-r", "-t", "-z", "--full-tree", oid).split(b"\0"):
        if not record:
            continue
        head, _, path = record.partition(b"\t")
        mode, kind, name = head.decode().split()
        if kind == "tree":
            folders.add(name)
        else:
            files[path.decode("utf-8", "surrogateescape")] = TreeEntry(int(mode, 8), name)
    return Tree(files, frozenset(folders))


def write_tree(store: ObjectStore, files: Mapping[str, TreeEntry], known: frozenset[str]) -> str:
    """Stores the folders that hold `files` and names the topmost one.

    Args:
        files: by path.
        known: ids of folders that are stored already.
    """
    rows: dict[bytes, list[tuple[bytes, bytes]]] = {b"": []}
    for path, entry in files.items():
        folder, _, name = path.encode("utf-8", "surrogateescape").rpartition(b"/")
        _add_folder(rows, folder)
        rows[folder].append((name, _row(entry.mode, name, entry.oid)))
    for folder in sorted(rows, key=_depth, reverse=True):
        # git sorts a folder as if its name ended with a slash
        content = b"".join(row for _, row in sorted(rows[folder]))
        oid = object_id(store.hash_name, "tree", content)
        if oid not in known:
            store.write("tree", content)
        parent, _, name = folder.rpartition(b"/")
        if folder:
            rows[parent].append((name + b"/", _row(0o40000, name, oid)))
    return oid


def _add_folder(rows: dict[bytes, list[tuple[bytes, bytes]]], folder: bytes) -> None:
    while folder not in rows:
        rows[folder] = []
        folder = folder.rpartition(b"/")[0]


def _depth(folder: bytes) -> int:
    return folder.count(b"/") + 1 if folder else 0


def _row(mode: int, name: bytes, oid: str) -> bytes:
    return f"{mode:o} ".encode() + name + b"\0" + bytes.fromhex(oid)
