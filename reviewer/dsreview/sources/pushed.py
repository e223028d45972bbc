"""What a push would bring to a remote, as far as this repository can know."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dsreview.errors import GitError, RevisionError
from dsreview.sources.clean_room import CleanRoom
from dsreview.sources.repository import find_repository
from dsreview.sources.request import Location, SourceRequest
from dsreview.sources.revisions import merge_base, resolve

MAX_TIPS = 10_000
"""Of the commits that the remote is known to have; more do not fit a command line."""
_NO_OBJECT = re.compile(r"0+")


@dataclass(frozen=True, slots=True)
class PushedRef:
    """A line that git gives to `pre-push`."""

    local_ref: str
    local_oid: str
    """Zeros where the ref is deleted."""
    remote_ref: str
    remote_oid: str
    """Zeros where the remote has no such ref yet."""


def pushed_changes(
    place: Location, remote: str, refs: Sequence[PushedRef]
) -> tuple[SourceRequest, ...]:
    """One change for each ref that brings commits to the remote; no commit in two of them.

    Args:
        remote: its name, or its address where it has none.
    """
    wanted = [ref for ref in refs if not _NO_OBJECT.fullmatch(ref.local_oid)]
    if not wanted:
        return ()
    with CleanRoom(find_repository(place.folder, place.git_dir)) as room:
        there = _remote_tips(room, remote)
        found: list[SourceRequest] = []
        # what an old ref brings is no news on a new one: those with a state of their own first
        for ref in sorted(wanted, key=lambda ref: bool(_NO_OBJECT.fullmatch(ref.remote_oid))):
            head = _commit(room, ref.local_oid)
            if head is None:  # a tag of a file or a folder
                continue
            base = _base(room, head, _commit(room, ref.remote_oid), there)
            if base != head:
                revision = f"{base}..{head}"
                found.append(SourceRequest(place.folder, revision, git_dir=place.git_dir))
            there[head] = None
        return tuple(found)


def since_parted(place: Location, old: str, new: str) -> SourceRequest | None:
    """What `new` brings to where it left `old`; None for nothing.

    Raises:
        RevisionError: one of them names no commit.
    """
    with CleanRoom(find_repository(place.folder, place.git_dir)) as room:
        head = resolve(room, new)
        base = _base(room, head, resolve(room, old), ())
    if base == head:
        return None
    return SourceRequest(place.folder, f"{base}..{head}", git_dir=place.git_dir)


def whole_history(place: Location, new: str) -> SourceRequest:
    """All that `new` holds.

    Raises:
        RevisionError: it names no commit.
    """
    with CleanRoom(find_repository(place.folder, place.git_dir)) as room:
        revision = f"{room.empty_tree}..{resolve(room, new)}"
    return SourceRequest(place.folder, revision, git_dir=place.git_dir)


def _remote_tips(room: CleanRoom, remote: str) -> dict[str, None]:
    """What the remote was last seen with; in order, each once.

    An address without a name has no such refs here: those of all remotes stand for them.
    """
    refs = {name: oid for name, oid in room.refs.direct.items() if name.startswith("refs/remotes/")}
    named = [oid for name, oid in refs.items() if name.startswith(f"refs/remotes/{remote}/")]
    oids = list(dict.fromkeys(named or refs.values()))[:MAX_TIPS]
    if not oids:
        return {}
    arguments = ("--no-walk=unsorted", "--ignore-missing", "--end-of-options", *oids)
    return dict.fromkeys(room.run("rev-list", *arguments).decode().split())


def _base(room: CleanRoom, head: str, old: str | None, there: Iterable[str]) -> str:
    """The commit (or the empty tree) that the remote has of the history of `head`.

    Of `old`, the remote's own state of the ref, where it is known; else of all it has.
    """
    if old is not None:
        try:
            return merge_base(room, old, head)
        except RevisionError:  # another history takes the place of the old one
            return old
    tips = tuple(there)
    if not tips:
        return room.empty_tree
    output = room.run("merge-base", "--end-of-options", head, *tips, allowed=(0, 1))
    return output.decode().split("\n", 1)[0] or room.empty_tree


def _commit(room: CleanRoom, oid: str) -> str | None:
    """The commit that an id names or a tag leads to; None for others and what is not here."""
    if _NO_OBJECT.fullmatch(oid):
        return None
    try:
        return resolve(room, oid)
    except (RevisionError, GitError):
        return None
