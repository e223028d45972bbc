"""Where git looks for the hooks of a repository.

git is asked itself, in the repository and with the user's configuration: only so do
includes and the system's configuration count. The two commands only read configuration;
no setting of a repository makes them run anything.
"""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from dsreview.errors import GitError, UsageError
from dsreview.sources.clean_room import find_git, first_line
from dsreview.sources.repository import Repository

TIMEOUT_S = 10.0
_UNSET = 1
"""How `git config --get` ends where there is no such key."""
_KEPT_VARIABLES = "GIT_CONFIG"
"""Prefix of those that say where git's configuration is; git commit will obey them too."""


@dataclass(frozen=True, slots=True)
class HooksFolder:
    path: Path
    """Absolute; it may not exist yet."""
    top: Path
    """Of the worktree: git starts hooks there."""
    own: Path
    """The repository's own folder, shared by its linked worktrees."""
    reason: str = ""
    """Why git takes hooks from elsewhere; empty where it does not."""

    @property
    def is_own(self) -> bool:
        """Neither shared, nor another program's, nor in the worktree."""
        return not self.reason


def find_hooks_folder(repository: Repository) -> HooksFolder:
    """The folder that `git commit` takes hooks from.

    Raises:
        UsageError: the repository has no worktree, or its hooks are switched off.
        GitError: git failed.
    """
    top = repository.worktree
    if top is None:
        raise UsageError(
            f"{repository.git_dir}: a bare repository, or the inside of a git folder; "
            "commits are made in a worktree, install there"
        )
    answer = _ask(repository, top, "rev-parse", "--git-path", "hooks")
    path = top / os.fsdecode(answer.stdout.removesuffix(b"\n"))
    own = Path(os.path.realpath(repository.common_dir)) / "hooks"
    if Path(os.path.realpath(path)) == own:
        return HooksFolder(own, top, own)
    if path.is_symlink():
        return HooksFolder(path, top, own, f"{path} is a symbolic link")
    if path == Path(os.devnull):
        raise UsageError(f"{_setting(repository, top)}: git runs no hooks here")
    return HooksFolder(path, top, own, _setting(repository, top))


def _setting(repository: Repository, top: Path) -> str:
    """`core.hooksPath` as it is set, and where."""
    arguments = ("config", "--show-scope", "-z", "--get", "core.hooksPath")
    answer = _ask(repository, top, *arguments, allowed=(0, _UNSET))
    scope, _, value = answer.stdout.removesuffix(b"\0").partition(b"\0")
    if answer.returncode == _UNSET:
        return "its git folder lies elsewhere"
    return f"core.hooksPath is {os.fsdecode(value)!r} ({os.fsdecode(scope)} configuration)"


def _ask(
    repository: Repository, top: Path, *arguments: str, allowed: tuple[int, ...] = (0,)
) -> "subprocess.CompletedProcess[bytes]":
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GIT_") or name.startswith(_KEPT_VARIABLES)
    }
    command = [find_git(repository), "--no-pager", *arguments]
    try:
        answer = subprocess.run(
            command,
            cwd=top,
            env=environment | {"GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise GitError(f"git {arguments[0]}: no answer in {TIMEOUT_S:.0f} s") from None
    if answer.returncode not in allowed:
        raise GitError(f"git {arguments[0]}: {first_line(answer.stderr)}")
    return answer
