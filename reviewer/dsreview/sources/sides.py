"""What each source finds: the two trees that its change lies between."""

from dataclasses import dataclass

from dsreview.patch import FilePatch
from dsreview.sources.clean_room import CleanRoom
from dsreview.sources.objects import ObjectStore
from dsreview.sources.request import SourceRequest

NOTHING = "(nothing)"


@dataclass(frozen=True, slots=True)
class Sides:
    base: str
    """Id of a tree."""
    head: str
    base_name: str
    """For the user: a commit id, `index`, `worktree`, or what a patch applies to."""
    head_name: str
    notes: tuple[str, ...] = ()
    unreadable: tuple[FilePatch, ...] = ()
    """Changed files whose new content the trees do not hold: binaries of a patch."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a source works."""

    room: CleanRoom
    store: ObjectStore
    request: SourceRequest
