"""Installs, removes and lists the hooks of a repository, and says what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dsreview.githook.hook_files import remove_hook, template, this_program, write_hook
from dsreview.githook.hooks_folder import HooksFolder, find_hooks_folder
from dsreview.githook.installation import VERSION, Stage, State, script
from dsreview.githook.survey import StageRow, survey
from dsreview.sources.repository import find_repository

_INDENT = "    "


@dataclass(frozen=True, slots=True)
class Outcome:
    is_done: bool
    """All that was asked for is so now."""
    lines: tuple[str, ...]
    """For the user; not yet safe to print."""


def install(folder: Path, stages: Sequence[Stage]) -> Outcome:
    """Has git call dsreview at these stages, or changes nothing at all.

    Raises:
        UsageError: there is no repository with a worktree, or its hooks cannot be written.
        GitError: git failed, or a hook cannot be read.
    """
    place, rows = _look(folder, stages)
    refused = [row for row in rows if not row.leads_to_us and not row.is_ours_to_write]
    if refused:
        advice = [line for row in refused for line in _advice(row, place)]
        return Outcome(False, (*advice, "nothing was changed"))
    return Outcome(True, tuple(_install(row, place) for row in rows))


def uninstall(folder: Path, stages: Sequence[Stage]) -> Outcome:
    """Removes the hooks that dsreview wrote and nobody changed since.

    Raises:
        UsageError, GitError: as for `install`.
    """
    place, rows = _look(folder, stages)
    if not place.is_own:  # what was installed before git was sent elsewhere
        own = replace(place, path=place.own, reason="")
        rows += tuple(row for row in survey(own, stages) if row.owner is None)
    lines = tuple(line for row in rows if (line := _uninstall(row, place.own)))
    is_done = not any(row.state is State.EDITED or _is_called(row) for row in rows)
    return Outcome(is_done, lines or ("no hook of dsreview is installed",))


def status(folder: Path, stages: Sequence[Stage]) -> Outcome:
    """Done where each stage leads to dsreview; where none is named, if one does and none is stale.

    Raises:
        UsageError, GitError: as for `install`.
    """
    place, rows = _look(folder, stages or tuple(Stage))
    lines = [f"hooks in {place.path}" + (f": {place.reason}" if place.reason else "")]
    for row in rows:
        lines += _described(row, place)
    good = [row.leads_to_us for row in rows]
    is_stale = any(row.state is State.STALE for row in rows)
    return Outcome(all(good) if stages else any(good) and not is_stale, tuple(lines))


def _look(folder: Path, stages: Sequence[Stage]) -> tuple[HooksFolder, tuple[StageRow, ...]]:
    place = find_hooks_folder(find_repository(folder))
    return place, survey(place, stages)


def _install(row: StageRow, place: HooksFolder) -> str:
    if row.owner is not None:
        return f"{row.stage}: {row.owner.name} calls dsreview already ({row.owner.file})"
    if row.state is State.EDITED:
        return f"{row.stage}: left as it is, it has lines that are not dsreview's"
    wanted = script(template(row.stage), this_program())
    if row.state is State.INSTALLED and row.content == wanted:
        return f"{row.stage}: already installed"
    write_hook(place.path, row.stage, wanted)
    word = "installed" if row.state is State.MISSING else "renewed"
    return f"{row.stage}: {word} in {place.path}"


def _uninstall(row: StageRow, folder: Path) -> str:
    """What was done; empty for nothing."""
    if row.owner is not None:
        where = f"{row.owner.name}, {row.owner.file}"
        return f"{row.stage}: still called by {where}: remove it there" if row.leads_to_us else ""
    if row.state is State.EDITED:
        file = folder / row.stage
        return f"{row.stage}: left as it is, it has lines that are not dsreview's: {file}"
    if row.state is State.MISSING:
        return ""
    remove_hook(folder, row.stage)
    return f"{row.stage}: removed from {folder}"


def _is_called(row: StageRow) -> bool:
    """By another program, which only its user can tell to stop."""
    return row.owner is not None and row.leads_to_us


def _advice(row: StageRow, place: HooksFolder) -> list[str]:
    """How a stage that is not ours to write can lead to dsreview."""
    if row.owner is None:
        file = place.path / row.stage
        return [f"{row.stage}: {file} has lines that are not dsreview's; move it away first"]
    reason = f" ({place.reason})" if place.reason else ""
    head = f"{row.stage}: belongs to {row.owner.name}{reason}; add to {row.owner.file}:"
    return [head, *(_INDENT + line for line in row.owner.lines.split("\n"))]


def _described(row: StageRow, place: HooksFolder) -> list[str]:
    name = f"{row.stage:<18}"
    if row.owner is not None:
        if row.leads_to_us:
            return [f"{name}foreign    {row.owner.name} calls dsreview ({row.owner.file})"]
        advice = _advice(row, place)
        return [f"{name}foreign    {advice[0].partition(': ')[2]}", *advice[1:]]
    return [f"{name}{row.state:<11}{_detail(row)}"]


def _detail(row: StageRow) -> str:
    repair = f"dsreview hook install --stage {row.stage}"
    if row.state is State.MISSING or row.marked is None:
        return repair
    python = row.marked.program.python.decode("utf-8", "surrogateescape")
    if row.state is State.INSTALLED:
        return python
    if row.state is State.EDITED:
        return f"{python}; has lines that are not dsreview's"
    if row.marked.version < VERSION:
        return f"written by an older dsreview; {repair}"
    return f"{python} cannot be run, or the hook is not executable; {repair}"
