"""A pull request's change, from the objects of a clone and the commits that GitHub names.

The diff runs from the merge base to the head, as GitHub shows it. Settings come from the
tip of the base branch and not from the merge base: whoever opens a pull request chooses
where it branches off, and so could choose an old state of the settings.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from dsreview.change import Change
from dsreview.errors import GitError, RevisionError
from dsreview.outputs.github_pr.values import PullRequest
from dsreview.sources import change_between
from dsreview.sources.clean_room import CleanRoom
from dsreview.sources.objects import ObjectStore
from dsreview.sources.repository import find_repository
from dsreview.sources.request import SourceRequest
from dsreview.sources.revisions import merge_base, resolve
from dsreview.sources.sides import Place, Sides
from dsreview.sources.snapshots import TreeSnapshot
from dsreview.sources.tree_diff import diff_trees

IN_ACTIONS = "in Actions, fetch-depth: 0 of actions/checkout brings it"


@dataclass(frozen=True, slots=True)
class OpenedPull:
    """A pull request whose commits are here."""

    change: Change
    """All of it, from the merge base to the head."""
    merge_base: str
    _place: Place
    _base: str
    """Tip of the base branch, as GitHub names it."""
    _head: str

    def has(self, commit: str) -> bool:
        return self._place.store.size_bytes(commit) is not None

    def descends_from(self, commit: str) -> bool:
        """Whether the head was made by adding to `commit`, which must be here."""
        return self._leaves(commit, self._head) == commit

    def parted_where(self, commit: str) -> bool:
        """Whether `commit` left the base branch where the head does.

        Otherwise the base branch was merged into the head since, and what lies between the
        two is not this pull request's work alone.
        """
        return self._leaves(self._base, commit) == self.merge_base

    def since(self, commit: str) -> Change:
        """The same change, its focus on the files that changed after `commit`.

        Whole files, so that each one is either read as it would be in a first review, or not
        at all.
        """
        between = diff_trees(self._place.room, commit, self._head, ())
        touched = {path for file in between.files for path in (file.path, file.old_path)}
        focus = (
            file.path for file in self.change.patch.files if touched & {file.path, file.old_path}
        )
        return replace(self.change, focus=frozenset(focus))

    def _leaves(self, old: str, new: str) -> str | None:
        try:
            return merge_base(self._place.room, old, new)
        except RevisionError:
            return None


@contextmanager
def open_pull(folder: Path, pull: PullRequest) -> Iterator[OpenedPull]:
    """The commits of `pull` in the clone at `folder`, readable until the exit.

    Raises:
        RevisionError: one of them is not here; says how to fetch it.
        UsageError: the folder is in no repository that can be read.
        GitError: git failed.
    """
    with CleanRoom(find_repository(folder)) as room:
        place = Place(room, ObjectStore(room), SourceRequest(folder))
        for name, commit in (("base", pull.base_sha), ("head", pull.head_sha)):
            _require(place, pull, name, commit)
        left = _merge_base(room, pull)
        whole = _whole(place, pull, Sides(left, pull.head_sha, left, pull.head_sha))
        trusted = TreeSnapshot(room, place.store, pull.base_sha)
        yield OpenedPull(replace(whole, trusted=trusted), left, place, pull.base_sha, pull.head_sha)


def _whole(place: Place, pull: PullRequest, sides: Sides) -> Change:
    try:
        return change_between(place, sides)
    except GitError as error:
        is_partial = any(name.endswith(".promisor") for name in place.room.repository.config)
        if not is_partial:
            raise
        raise GitError(
            f"{pull.full_name}: {error}; the clone is partial, and dsreview fetches nothing: "
            "clone without --filter (in Actions: without the filter of actions/checkout)"
        ) from None


def _require(place: Place, pull: PullRequest, name: str, commit: str) -> None:
    if place.store.size_bytes(commit) is None:
        ref = f"refs/pull/{pull.number}/head" if name == "head" else pull.base_ref
        raise RevisionError(
            f"{pull.full_name}: its {name} {commit[:12]} is not in this clone; "
            f"git fetch origin {ref} brings it; {IN_ACTIONS}"
        )
    resolve(place.room, commit)


def _merge_base(room: CleanRoom, pull: PullRequest) -> str:
    try:
        return merge_base(room, pull.base_sha, pull.head_sha)
    except RevisionError:
        if not room.refs.shallow:
            raise
        raise RevisionError(
            f"{pull.full_name}: the clone is too shallow to hold where it left its base; "
            f"git fetch --unshallow origin brings it; {IN_ACTIONS}"
        ) from None
