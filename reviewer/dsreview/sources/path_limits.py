"""Which files a review is limited to: the paths behind `--`."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from dsreview.errors import UsageError
from dsreview.patch import FilePatch, Patch


def paths_from_top(paths: Iterable[str], folder: Path, top: Path | None) -> tuple[str, ...]:
    """Paths as typed in `folder`, relative to the top of the worktree; `` is all of it.

    Raises:
        UsageError: one leads outside.
    """
    found = []
    for path in paths:
        if top is None:
            inner = os.path.normpath(path)
        else:
            inner = os.path.relpath(os.path.normpath(folder.resolve() / path), top.resolve())
        if inner == ".." or inner.startswith(("../", "/")):
            raise UsageError(f"{path} is outside the repository")
        found.append("" if inner == "." else inner)
    return tuple(found)


def limit(patch: Patch, limits: Sequence[str]) -> Patch:
    """The files at or below one of the limits, before or after the change."""
    if not limits or "" in limits:
        return patch
    return Patch(tuple(file for file in patch.files if _is_within(file, limits)))


def _is_within(file: FilePatch, limits: Sequence[str]) -> bool:
    return any(is_below(path, one) for path in (file.path, file.old_path) for one in limits)


def is_below(path: str, limit: str) -> bool:
    return path == limit or path.startswith(f"{limit}/")


def refuse_unknown(limits: Sequence[str], *sides: Iterable[str]) -> None:
    """A misspelt path would look like a clean review.

    Raises:
        UsageError: no file of either side is at or below one of the limits.
    """
    missing = {one for one in limits if one}
    for side in sides:
        for path in side:
            parts = path.split("/")
            missing -= {"/".join(parts[:num]) for num in range(1, len(parts) + 1)}
            if not missing:
                return
    if missing:
        raise UsageError(f"no file or folder of that name in the change: {sorted(missing)[0]}")
