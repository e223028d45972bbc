"""Changes between commits: a range, or one commit."""

from dsreview.sources.revisions import (
    first_parent,
    merge_base,
    read_range,
    resolve,
    resolve_tree,
)
from dsreview.sources.sides import NOTHING, Place, Sides


def from_range(place: Place) -> Sides:
    """`A..B`, or `A...B`: from where the two parted, to B."""
    room = place.room
    asked = read_range(place.request.revision)
    assert asked is not None
    if asked.is_from_merge_base:
        new = resolve(room, asked.new)
        base = merge_base(room, resolve(room, asked.old), new)
        return Sides(base, new, base, new)
    old_tree, old_name = resolve_tree(room, asked.old)
    if old_tree == room.empty_tree:
        old_name = NOTHING
    new_tree, new_name = resolve_tree(room, asked.new)
    return Sides(old_tree, new_tree, old_name, new_name)


def from_commit(place: Place) -> Sides:
    """One commit against its first parent; the first commit against nothing."""
    commit = resolve(place.room, place.request.commit)
    parent = first_parent(place.room, commit)
    if parent is None:
        return Sides(place.room.empty_tree, commit, NOTHING, commit)
    return Sides(parent, commit, parent, commit)
