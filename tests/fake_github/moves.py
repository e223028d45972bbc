"""A branch that moves, and the comments that move along."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from dsreview.fake_github.hunks import relocate, rows
from dsreview.fake_github.world import Comment, FileChange, Pull, Version

Files = Mapping[str, str | None] | Sequence[FileChange]
"""Path to the `patch` of the API; or changes in full."""


def changes(files: Files) -> tuple[FileChange, ...]:
    if not isinstance(files, Mapping):
        return tuple(files)
    return tuple(with_counts(FileChange(path, patch)) for path, patch in files.items())


def with_counts(file: FileChange) -> FileChange:
    """The same, with as many additions and deletions as its patch has."""
    texts = [row.text[:1] for row in rows(file.patch or "")]
    return replace(file, additions=texts.count("+"), deletions=texts.count("-"))


def move(pull: Pull, version: Version) -> None:
    """Let `version` be what the pull request is now; its comments follow or become outdated."""
    old = pull.now
    pull.versions.append(version)
    for thread in pull.threads:
        for comment in thread.comments:
            follow(comment, old, version)


def catch_up(comment: Comment, pull: Pull, seen: Version) -> None:
    """Bring a comment on what the pull request was to what it is."""
    later = pull.versions[pull.versions.index(seen) :]
    for old, new in pairwise(later):
        follow(comment, old, new)


def follow(comment: Comment, old: Version, new: Version) -> None:
    """Move the comment with its line; a line that is no more part of the diff leaves it outdated."""
    if comment.line is None:
        return
    before, after = old.file(comment.path), new.file(comment.path)
    line, start = None, comment.start_line
    if before and after and before.patch and after.patch:
        line = relocate(before.patch, after.patch, comment.side, comment.line)
        if start is not None:
            start_side = comment.start_side or comment.side
            start = relocate(before.patch, after.patch, start_side, start)
    if line is None or (comment.start_line is not None and start is None):
        comment.line = comment.start_line = None
        return
    comment.line, comment.start_line, comment.commit_id = line, start, new.head_sha
