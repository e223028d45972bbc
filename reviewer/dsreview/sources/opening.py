"""Opens what a request names."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from dsreview.change import Change
from dsreview.errors import NotARepositoryError, UsageError
from dsreview.patch import Patch
from dsreview.sources.clean_room import MAX_COMPARED_BYTES, CleanRoom
from dsreview.sources.commits import from_commit, from_range
from dsreview.sources.objects import ObjectStore
from dsreview.sources.path_limits import limit, paths_from_top, refuse_unknown
from dsreview.sources.repository import find_repository
from dsreview.sources.request import SourceRequest
from dsreview.sources.revisions import read_range
from dsreview.sources.sides import Place, Sides
from dsreview.sources.snapshots import BlobSnapshot, TreeSnapshot
from dsreview.sources.tree_diff import diff_trees
from dsreview.sources.uncommitted import from_index, from_worktree

Source = Callable[[Place], Sides]
SOURCES: Mapping[str, Source] = {
    "worktree": from_worktree,
    "staged": from_index,
    "range": from_range,
    "commit": from_commit,
}


@contextmanager
def open_change(request: SourceRequest) -> Iterator[Change]:
    """The change that a request names; its snapshots are readable until the exit.

    Raises:
        UsageError: the request, a revision or a patch cannot be taken.
        GitError: git failed, for example over an object that is not here.
    """
    _source_name(request)  # refuses what contradicts itself
    if request.patch is None:
        with CleanRoom(find_repository(request.folder, request.git_dir)) as room:
            yield change_in(room, request)
        return
    with _open_patch(request, request.patch) as change:
        yield change


def change_in(room: CleanRoom, request: SourceRequest) -> Change:
    """The change of a request without a patch, readable as long as the room is open.

    Raises:
        As `open_change`.
    """
    place = Place(room, ObjectStore(room), request)
    return change_between(place, SOURCES[_source_name(request)](place))


@contextmanager
def open_blobs(
    folder: Path, git_dir: Path | None, ids: Mapping[str, str]
) -> Iterator[BlobSnapshot]:
    """Files of the repository by the ids of their content, readable until the exit."""
    with CleanRoom(find_repository(folder, git_dir)) as room:
        yield BlobSnapshot(ObjectStore(room), ids)


@contextmanager
def _open_patch(request: SourceRequest, content: bytes) -> Iterator[Change]:
    # the only source that needs them
    from dsreview.diff_parser import parse_patch
    from dsreview.sources.patches import hunks_only, place_patch

    patch = parse_patch(content)
    try:
        repository = find_repository(request.folder, request.git_dir)
    except NotARepositoryError:
        limits = paths_from_top(request.paths, request.folder, None)
        change = hunks_only(patch, "the folder is in no repository")
        yield _limited(change, limits)
        return
    with CleanRoom(repository) as room:
        place = Place(room, ObjectStore(room), request)
        sides = place_patch(place, patch)
        if sides is not None:
            yield change_between(place, sides)
            return
        change = hunks_only(patch, "it applies neither to HEAD nor to the worktree")
        yield _limited(change, _limits(place))


def _source_name(request: SourceRequest) -> str:
    given = {
        "--patch": request.patch is not None,
        "--commit": bool(request.commit),
        "--staged": request.is_staged,
        "a revision": bool(request.revision),
    }
    chosen = [name for name, is_given in given.items() if is_given]
    if len(chosen) > 1:
        raise UsageError(f"{chosen[0]} and {chosen[1]} exclude each other")
    names = {"--patch": "patch", "--commit": "commit", "--staged": "staged"}
    name = names.get(chosen[0], "worktree") if chosen else "worktree"
    if name == "worktree" and read_range(request.revision) is not None:
        name = "range"
    if request.with_untracked and name != "worktree":
        raise UsageError("--untracked is about the worktree, which this change does not end at")
    return name


def change_between(place: Place, sides: Sides) -> Change:
    """The change that lies between two trees, within the limits of the request."""
    limits = _limits(place)
    patch = diff_trees(place.room, sides.base, sides.head, limits)
    seen = {path for file in patch.files for path in (file.path, file.old_path)}
    unreadable = tuple(file for file in sides.unreadable if file.path not in seen)
    base = TreeSnapshot(place.room, place.store, sides.base)
    head = TreeSnapshot(place.room, place.store, sides.head)
    if limits:
        refuse_unknown(limits, base.tree.files, head.tree.files)
    return Change(
        patch=limit(Patch(patch.files + unreadable), limits),
        base=base,
        head=head,
        base_name=sides.base_name,
        head_name=sides.head_name,
        notes=(*sides.notes, *_notes_on_large_files(patch, head)),
    )


def _notes_on_large_files(patch: Patch, head: TreeSnapshot) -> list[str]:
    sizes = {file.path: head.size_bytes(file.path) or 0 for file in patch.files if file.is_binary}
    return [
        f"{path} is larger than {MAX_COMPARED_BYTES >> 20} MB and was not compared line by line"
        for path, size in sizes.items()
        if size > MAX_COMPARED_BYTES
    ]


def _limits(place: Place) -> tuple[str, ...]:
    request = place.request
    return paths_from_top(request.paths, request.folder, place.room.repository.worktree)


def _limited(change: Change, limits: tuple[str, ...]) -> Change:
    return replace(change, patch=limit(change.patch, limits))
