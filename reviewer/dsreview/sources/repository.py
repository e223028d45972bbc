"""Where a repository keeps its things, found without starting git.

git would read the repository's configuration on the way, which may name programs.
"""

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from dsreview.errors import NotARepositoryError, UsageError
from dsreview.sources.data_files import read_line
from dsreview.sources.git_config import read_config

MAX_POINTERS = 8


@dataclass(frozen=True, slots=True)
class Repository:
    git_dir: Path
    """HEAD and the index; of a linked worktree, its own."""
    common_dir: Path
    """Objects, refs and configuration; shared by linked worktrees."""
    worktree: Path | None
    """None for a bare repository."""
    config: Mapping[str, str]

    @property
    def hash_name(self) -> str:
        """`sha1` or `sha256`."""
        return self.config.get("extensions.objectformat", "sha1").lower()

    @property
    def objects(self) -> Path:
        return self.common_dir / "objects"


def find_repository(folder: Path, git_dir: Path | None = None) -> Repository:
    """The repository that holds a folder, as git finds it.

    Args:
        git_dir: the one that git itself works with; where it is not the folder's own, the
            folder is the top of its worktree.

    Raises:
        NotARepositoryError: there is none.
        UsageError: it is of a format that cannot be read.
    """
    if git_dir is None:
        return _search(folder)
    with suppress(NotARepositoryError):
        found = _search(folder)
        if found.git_dir.resolve() == git_dir.resolve():
            return found
    if not _is_git_dir(git_dir):
        raise NotARepositoryError(f"{git_dir} is no git repository")
    return _open(git_dir, folder.resolve())


def _search(folder: Path) -> Repository:
    start = folder.resolve()
    for candidate in (start, *start.parents):
        git_dir = _follow(candidate / ".git")
        if git_dir is not None:
            return _open(git_dir, candidate)
        if _is_git_dir(candidate):
            return _open(candidate, None)
    raise NotARepositoryError(f"{folder} is in no git repository")


def _open(git_dir: Path, worktree: Path | None) -> Repository:
    common_dir = common_dir_of(git_dir)
    found = Repository(git_dir, common_dir, worktree, read_config(common_dir / "config"))
    if found.hash_name not in ("sha1", "sha256"):
        raise UsageError(f"{git_dir}: object format {found.hash_name} is not known")
    if found.config.get("extensions.refstorage", "files").lower() != "files":
        raise UsageError(
            f"{git_dir}: refs in the reftable format cannot be read yet; "
            "convert them with git refs migrate --ref-format=files"
        )
    return found


def git_dir_of(worktree: Path) -> Path | None:
    """The git folder of a worktree's top folder; None where it is not one."""
    return _follow(worktree / ".git")


def common_dir_of(git_dir: Path) -> Path:
    pointer = read_line(git_dir / "commondir")
    return (git_dir / pointer).resolve() if pointer else git_dir


def _follow(path: Path) -> Path | None:
    """`.git` itself, or what a `.git` file (worktree, submodule) points at."""
    for _ in range(MAX_POINTERS):
        if path.is_dir():
            return path if _is_git_dir(path) else None
        pointer = read_line(path)
        if pointer is None or not pointer.startswith("gitdir: "):
            return None
        path = (path.parent / pointer.removeprefix("gitdir: ")).resolve()
    return None


def _is_git_dir(path: Path) -> bool:
    common_dir = common_dir_of(path)
    return (
        os.path.lexists(path / "HEAD")
        and (common_dir / "objects").is_dir()
        and (common_dir / "refs").is_dir()
    )
