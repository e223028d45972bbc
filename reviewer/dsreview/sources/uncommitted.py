"""Changes that are not committed: the index, or the worktree."""

from pathlib import Path

from dsreview.errors import GitError, UsageError
from dsreview.sources.index import list_index, read_index, staged_files
from dsreview.sources.revisions import resolve, resolve_head, resolve_tree
from dsreview.sources.sides import NOTHING, Place, Sides
from dsreview.sources.trees import TreeEntry, list_tree, write_tree
from dsreview.sources.untracked import untracked_files
from dsreview.sources.worktree import WorktreeFiles, WorktreeReader, add_file, read_worktree

MAX_NAMES = 3


def from_index(place: Place) -> Sides:
    """The index against HEAD, or one that was read earlier against what HEAD was then."""
    worktree_of(place)  # a bare repository has no index that anybody staged into
    request = place.request
    base, base_name = _head(place) if request.onto is None else _commit(place, request.onto)
    if request.index is None:
        entries = read_index(place.room).entries
    else:
        entries = list_index(place.room, request.index)
    files = staged_files(entries)
    return Sides(base, _write(place, base, files), base_name, "index")


def from_worktree(place: Place) -> Sides:
    """The worktree against HEAD or another revision."""
    revision = place.request.revision
    base, base_name = resolve_tree(place.room, revision) if revision else _head(place)
    found = read_tracked(place)
    if place.request.with_untracked:
        _add_untracked(place, found)
    head = _write(place, base, found.files)
    return Sides(base, head, base_name, "worktree", tuple(_notes(found)))


def read_tracked(place: Place) -> WorktreeFiles:
    """Every tracked file of the worktree as it is now.

    Raises:
        UsageError: the repository is bare.
    """
    with WorktreeReader(worktree_of(place)) as reader:
        return read_worktree(
            reader,
            read_index(place.room),
            place.store,
            has_modes=place.room.repository.config.get("core.filemode", "true").lower() != "false",
        )


def worktree_of(place: Place) -> Path:
    worktree = place.room.repository.worktree
    if worktree is None:
        raise UsageError("this repository has no worktree; name a range A..B or a commit")
    return worktree


def _head(place: Place) -> tuple[str, str]:
    commit = resolve_head(place.room)
    if commit is None:
        return place.room.empty_tree, NOTHING
    try:
        list_tree(place.room, commit)  # needed later, and kept
    except GitError:
        resolve(place.room, "HEAD")  # says it better where HEAD names nothing
        raise
    return commit, commit


def _commit(place: Place, name: str) -> tuple[str, str]:
    if name == NOTHING:
        return place.room.empty_tree, NOTHING
    commit = resolve(place.room, name)
    return commit, commit


def _write(place: Place, base: str, files: dict[str, TreeEntry]) -> str:
    return write_tree(place.store, files, list_tree(place.room, base).folder_ids)


def _add_untracked(place: Place, found: WorktreeFiles) -> None:
    tracked = set(found.files)
    with WorktreeReader(worktree_of(place)) as reader:
        for path in untracked_files(place.room.repository, tracked):
            try:
                add_file(reader, path, place.store, found)
            except GitError:
                found.unreadable.append(path)


def _notes(found: WorktreeFiles) -> list[str]:
    told = (
        (found.unmerged, "has unresolved conflicts", "have unresolved conflicts"),
        (
            found.not_looked_at,
            "is marked as unchanged in the index and was not looked at",
            "are marked as unchanged in the index and were not looked at",
        ),
        (
            found.unreadable,
            "could not be read and was taken as the index has it",
            "could not be read and were taken as the index has them",
        ),
        (
            found.converted,
            "differs from the index in its line ends alone: no change",
            "differ from the index in their line ends alone: no change",
        ),
    )
    return [
        f"{_names(paths)} {one if len(paths) == 1 else many}" for paths, one, many in told if paths
    ]


def _names(paths: list[str]) -> str:
    more = len(paths) - MAX_NAMES
    shown = ", ".join(paths[:MAX_NAMES])
    return f"{shown} and {more} more" if more > 0 else shown
