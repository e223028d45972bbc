"""What the user's words for commits stand for."""

import os
import re
from dataclasses import dataclass

from dsreview.errors import RevisionError
from dsreview.sources.clean_room import CleanRoom

_FATAL = 128
_UPSTREAM = re.compile(r"(.*)@\{(?:u|upstream|push)\}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Range:
    """`A..B` or `A...B`; an empty side is HEAD."""

    old: str
    new: str
    is_from_merge_base: bool


def read_range(revision: str) -> Range | None:
    """None where the text is one revision."""
    for dots in ("...", ".."):
        if dots in revision:
            old, new = revision.split(dots, 1)
            return Range(old or "HEAD", new or "HEAD", dots == "...")
    return None


def resolve(room: CleanRoom, revision: str, kind: str = "commit") -> str:
    """Id of the commit (or tree) that a revision names.

    Raises:
        RevisionError: it names none.
    """
    if not _is_askable(revision):
        raise RevisionError(f"{revision!r} is not a revision")
    complete = _expand_upstream(room, revision)
    if "@{" in complete:
        room.copy_reflogs(complete.split("@{", 1)[0])
    # in two steps, since `:/text` would take the suffix for text
    named = _rev_parse(room, complete)
    found = _rev_parse(room, f"{named}^{{{kind}}}") if named else ""
    if not found:
        raise RevisionError(_unknown(room, revision))
    return found


def _is_askable(revision: str) -> bool:
    return revision != "" and revision[0] not in "-^" and not set("\n\0") & set(revision)


def _rev_parse(room: CleanRoom, revision: str) -> str:
    """Id that git knows something by; empty where it knows nothing."""
    arguments = ("rev-parse", "--verify", "--end-of-options", revision)
    output = room.run(*arguments, allowed=(0, _FATAL))
    return output.decode().strip().rpartition("\n")[2]


def resolve_tree(room: CleanRoom, revision: str) -> tuple[str, str]:
    """Id of the tree that a revision names, and the commit's id where it has one."""
    tree = resolve(room, revision, "tree")
    try:
        return tree, resolve(room, revision)
    except RevisionError:
        return tree, tree


def resolve_head(room: CleanRoom) -> str | None:
    """The commit at HEAD; None on a branch without commits."""
    if room.refs.is_unborn:
        return None
    # git lets branches name nothing but commits: no need to ask it
    return room.refs.head_oid or resolve(room, "HEAD")


def first_parent(room: CleanRoom, commit: str) -> str | None:
    """None for a first commit.

    Raises:
        RevisionError: the history ends there only because the clone is shallow.
    """
    header = room.run("cat-file", "commit", commit).split(b"\n\n", 1)[0].decode("utf-8", "replace")
    parents = [line[7:] for line in header.split("\n") if line.startswith("parent ")]
    if not parents:
        return None
    if commit in room.refs.shallow:
        raise RevisionError(
            f"{commit[:12]} is where this shallow clone ends: its parent is not here; "
            "fetch it with git fetch --deepen=1"
        )
    return parents[0]


def merge_base(room: CleanRoom, old: str, new: str) -> str:
    output = room.run("merge-base", "--end-of-options", old, new, allowed=(0, 1))
    if not output:
        hint = "; the clone is shallow, fetch more of it" if room.refs.shallow else ""
        raise RevisionError(f"{old[:12]} and {new[:12]} have no commit in common{hint}")
    return output.decode().split("\n", 1)[0]


def _unknown(room: CleanRoom, revision: str) -> str:
    hint = "; the clone is shallow" if room.refs.shallow else ""
    if revision == "HEAD" and room.refs.is_unborn:
        return "HEAD names no commit yet"
    # not Path.exists, which raises for a name that is too long
    if os.path.exists(os.path.join(room.repository.worktree or "", revision)):  # noqa: PTH110, PTH118
        hint = "; paths stand behind --"
    return f"{revision} names no commit{hint}"


def _expand_upstream(room: CleanRoom, revision: str) -> str:
    """`main@{upstream}` as the ref it is configured to be, since git sees no configuration."""
    match = _UPSTREAM.match(revision)
    if match is None:
        return revision
    branch = match.group(1)
    if branch in ("", "HEAD"):
        branch = room.refs.head.removeprefix("ref: refs/heads/")
    config = room.repository.config
    remote = config.get(f"branch.{branch}.remote", "")
    merged = config.get(f"branch.{branch}.merge", "").removeprefix("refs/heads/")
    if not remote or not merged:
        raise RevisionError(f"{revision}: no upstream is configured for {branch}")
    prefix = "refs/heads/" if remote == "." else f"refs/remotes/{remote}/"
    return f"{prefix}{merged}{revision[match.end() :]}"
