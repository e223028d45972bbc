"""Where hooks keep what they leave for later: light, since every hook looks there."""

import hashlib
import os
from pathlib import Path

from dsreview.cache import default_folder

UNSHOWN = "unshown"
JOBS = "jobs"


def hooks_folder() -> Path:
    return default_folder() / "hooks"


def folder_of(git_dir: Path) -> Path:
    """Of one repository, or one linked worktree of it."""
    name = hashlib.sha256(os.fsencode(git_dir.resolve())).hexdigest()[:24]
    return hooks_folder() / name


def has_news(folder: Path) -> bool:
    """A review in the background has ended, or is still going on."""
    return any(_names(folder / name) for name in (UNSHOWN, JOBS))


def make_private(folder: Path) -> None:
    """The folder and those above it down from the cache's, for the user alone.

    Raises:
        OSError: they cannot be made.
    """
    top = default_folder()
    top.mkdir(mode=0o700, parents=True, exist_ok=True)
    for part in reversed([folder, *folder.parents]):
        if part.is_relative_to(top):
            part.mkdir(mode=0o700, exist_ok=True)


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208  (no Path each)
    except OSError:
        return []
