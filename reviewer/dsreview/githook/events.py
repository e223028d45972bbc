"""What git, or the pre-commit framework, says when it calls a hook, and what is to review then.

git says it in the hook's name, its arguments, its standard input and the environment. The
framework says only what is to be compared, and nothing about the stage (pre-commit 4.6,
commands/run.py: `PRE_COMMIT`, `PRE_COMMIT_FROM_REF` and its like).
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dsreview.errors import RevisionError, UsageError
from dsreview.sources import SourceRequest
from dsreview.sources.data_files import read_data
from dsreview.sources.index import index_path
from dsreview.sources.repository import find_repository
from dsreview.sources.request import Location

if TYPE_CHECKING:
    from dsreview.sources.pushed import PushedRef

PRE_COMMIT = "pre-commit"
PRE_PUSH = "pre-push"
EVENTS = (PRE_COMMIT, "pre-merge-commit", PRE_PUSH, "manual")
FRAMEWORK = "PRE_COMMIT"
"""The variable that the pre-commit framework sets to 1 for its hooks."""


@dataclass(frozen=True, slots=True)
class HookCall:
    """How the hook was called."""

    name: str
    """One of `EVENTS`; empty where the framework, or a person, named none."""
    arguments: Sequence[str]
    """For `pre-push`: the remote's name and address."""
    environment: Mapping[str, str]
    folder: Path
    """Where git called it: the top of the worktree."""
    read_input: Callable[[], bytes]

    @property
    def is_of_framework(self) -> bool:
        return self.environment.get(FRAMEWORK) == "1"

    @property
    def place(self) -> Location:
        named = self.environment.get("GIT_DIR", "")
        return Location(self.folder, (self.folder / named) if named else None)

    @property
    def is_index_kept(self) -> bool:
        """Of `commit -a` and `commit -- PATH` git drops the index where a hook stops it."""
        repository = find_repository(self.place.folder, self.place.git_dir)
        in_effect = index_path(repository)
        return in_effect.resolve() == (repository.git_dir / "index").resolve()


def changes_of(call: HookCall) -> tuple[SourceRequest, ...]:
    """What the hook has to review, as it is now: git may change the index meanwhile.

    Raises:
        UsageError: the name is none of a hook that is reviewed, or git's words make no sense.
        GitError: git failed.
    """
    if call.name and call.name not in EVENTS:
        raise UsageError(f"hook {call.name} is not reviewed; known are {', '.join(EVENTS)}")
    if call.name == PRE_PUSH:
        from dsreview.sources.pushed import pushed_changes

        refs = read_refs(call.read_input())
        if refs:
            return pushed_changes(call.place, call.arguments[0] if call.arguments else "", refs)
        return _changes_of_framework(call) or ()
    if not call.name or call.name == "manual":
        ranges = _changes_of_framework(call)
        if ranges is not None:
            return ranges
    return (_staged(call.place),)


def read_refs(content: bytes) -> "tuple[PushedRef, ...]":
    """The lines that git writes to `pre-push`.

    Raises:
        UsageError: a line of another form.
    """
    from dsreview.sources.pushed import PushedRef

    found = []
    for line in content.decode("utf-8", "surrogateescape").split("\n"):
        if not line.strip():
            continue
        parts = line.rsplit(" ", 3)  # a local ref may be written `main@{1 day ago}`
        if len(parts) != 4:
            raise UsageError(f"pre-push: not a line of git: {line!r}")
        found.append(PushedRef(*parts))
    return tuple(found)


def _changes_of_framework(call: HookCall) -> tuple[SourceRequest, ...] | None:
    """What the pre-commit framework names; None where that is the index."""
    variables = call.environment
    if not call.is_of_framework:
        return None
    from dsreview.sources.pushed import since_parted, whole_history

    old, new = variables.get("PRE_COMMIT_FROM_REF"), variables.get("PRE_COMMIT_TO_REF")
    if old and new:
        found = since_parted(call.place, old, new)
        return () if found is None else (found,)
    pushed = variables.get("PRE_COMMIT_LOCAL_BRANCH")
    if pushed and variables.get("PRE_COMMIT_REMOTE_NAME"):
        # a push to a remote that has nothing yet: the framework has no range for it
        try:
            return (whole_history(call.place, pushed),)
        except RevisionError:
            return ()
    return None


def _staged(place: Location) -> SourceRequest:
    repository = find_repository(place.folder, place.git_dir)
    content = read_data(index_path(repository)) or b""
    return SourceRequest(place.folder, is_staged=True, index=content, git_dir=place.git_dir)


def without_git(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """For children: git's variables are about this hook and would lead any other git astray."""
    return {name: text for name, text in environment.items() if not name.startswith("GIT_")}
