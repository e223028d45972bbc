"""Scratch repositories for measurements, written through `git fast-import`."""

import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

Tree = Mapping[str, bytes]


def write_history(folder: Path, trees: Iterable[Tree]) -> list[str]:
    """One commit a tree, each the first parent of the next; their ids, oldest first."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["git", "init", "-q", "-b", "main", str(folder)], check=True)
    stream = bytearray()
    count = 0
    for count, tree in enumerate(trees, 1):
        stream += b"commit refs/heads/main\n"
        stream += b"committer bench <bench@localhost> %d +0000\n" % (1_700_000_000 + count)
        stream += b"data 1\n.\ndeleteall\n"
        for path, content in sorted(tree.items()):
            stream += b"M 100644 inline %s\ndata %d\n" % (path.encode(), len(content))
            stream += content + b"\n"
    subprocess.run(["git", "-C", folder, "fast-import", "--quiet"], input=stream, check=True)
    ids = subprocess.run(
        ["git", "-C", folder, "rev-list", "--reverse", "main"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    if len(ids) != count:
        raise RuntimeError(f"{folder}: {count} trees, {len(ids)} commits")
    return ids
