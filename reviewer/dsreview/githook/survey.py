"""What each stage of a repository leads to now."""

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from dsreview.errors import GitError
from dsreview.githook.hook_files import can_run, read_hook
from dsreview.githook.hooks_folder import HooksFolder
from dsreview.githook.installation import Marked, Stage, State, read_marked, state_of
from dsreview.githook.owners import PRE_COMMIT, Owner, owner_of
from dsreview.sources.worktree import WorktreeReader

MAX_FILE_BYTES = 1 << 20
"""Of a settings file of another program; a larger one is not searched."""


@dataclass(frozen=True, slots=True)
class StageRow:
    stage: Stage
    state: State
    content: bytes | None
    """Of the file that is there."""
    marked: Marked | None
    """Of a script of ours."""
    owner: Owner | None
    """Of a foreign hook, or of the folder that all hooks are taken from."""

    @property
    def is_ours_to_write(self) -> bool:
        return self.state in (State.MISSING, State.INSTALLED, State.STALE)

    @property
    def leads_to_us(self) -> bool:
        if self.owner is not None:
            return self.owner.calls_us
        if self.state is State.EDITED:
            return self.marked is not None and can_run(self.marked.program)
        return self.state is State.INSTALLED


def survey(folder: HooksFolder, stages: Iterable[Stage]) -> tuple[StageRow, ...]:
    """One row for each stage, however often it is named.

    Raises:
        GitError: a hook cannot be read.
    """
    with WorktreeReader(folder.top) as reader:
        return tuple(_row(folder, stage, reader) for stage in dict.fromkeys(stages))


def _row(folder: HooksFolder, stage: Stage, reader: WorktreeReader) -> StageRow:
    found = read_hook(folder.path, stage)
    content = found.content if found else None
    state = state_of(found, can_run) if folder.is_own else State.FOREIGN
    if state is not State.FOREIGN:
        return StageRow(stage, state, content, read_marked(content or b""), None)
    owner = owner_of(stage, _shown(folder), found, lambda path: _text(reader, path))
    if owner.name == PRE_COMMIT:
        owner = _with_legacy(owner, folder, stage)
    return StageRow(stage, state, content, None, owner)


def _with_legacy(owner: Owner, folder: HooksFolder, stage: Stage) -> Owner:
    """pre-commit puts a hook that it finds aside, and goes on calling it."""
    name = f"{stage}.legacy"
    legacy = read_hook(folder.path, name)
    if legacy is None or read_marked(legacy.content or b"") is None:
        return owner
    return replace(owner, file=f"{_shown(folder)}/{name}", calls_us=True)


def _shown(folder: HooksFolder) -> str:
    path = Path(os.path.normpath(folder.path))
    return str(path.relative_to(folder.top) if path.is_relative_to(folder.top) else path)


def _text(reader: WorktreeReader, path: str) -> str:
    """Of a file below the top, reached through no symbolic link."""
    if Path(path).is_absolute() or reader.status(path) is None:
        return ""
    try:
        with os.fdopen(reader.open(path), "rb") as file:
            return file.read(MAX_FILE_BYTES).decode("utf-8", "replace")
    except GitError:  # a link or a folder
        return ""
