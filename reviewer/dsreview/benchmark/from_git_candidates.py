"""Which commits of a history may become items: told by their words and their files alone.

A bug is what a commit repaired that says so, in one source file, together with a test. Benign
is work on one source file that by its own words repaired nothing and took nothing back.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from dsreview.benchmark.from_git_log import LoggedCommit, TouchedFile
from dsreview.benchmark.from_git_messages import (
    is_fix,
    is_revert,
    reverted_ids,
    speaks_of_a_fix,
)
from dsreview.benchmark.from_git_paths import Role, role_of
from dsreview.patch import FileKind, FileStatus

MAX_FILES = 50
"""A commit that touches more is an import or a sweep."""
MAX_SUBJECT_CHARS = 200


@dataclass(frozen=True, slots=True)
class Candidate:
    """A commit's change of one source file."""

    commit: str
    parent: str
    time_s: int
    subject: str
    file: TouchedFile


@dataclass(slots=True)
class Survey:
    """Takes commits one by one, in any order."""

    num_commits: int = 0
    _bugs: list[Candidate] = field(default_factory=list)
    _benign: list[Candidate] = field(default_factory=list)
    _reverted: set[str] = field(default_factory=set)
    _seen: set[tuple[str, str]] = field(default_factory=set)
    """Contents before and after: a change that was picked onto another branch is one change."""

    def take(self, commit: LoggedCommit) -> None:
        self.num_commits += 1
        self._reverted.update(reverted_ids(commit.message))
        file = _only_source_file(commit)
        if file is None or is_revert(commit.message) or (file.old_id, file.new_id) in self._seen:
            return
        self._seen.add((file.old_id, file.new_id))
        subject = commit.subject[:MAX_SUBJECT_CHARS]
        found = Candidate(commit.id, commit.parents[0], commit.time_s, subject, file)
        if is_fix(commit.subject):
            if any(_is_test(other) for other in commit.files):
                self._bugs.append(found)
        elif not speaks_of_a_fix(commit.message):
            self._benign.append(found)

    def bugs(self, seed: int) -> list[Candidate]:
        """In an order that the seed and their ids alone decide."""
        return _shuffled(self._bugs, sorted(self._reverted), seed)

    def benign(self, seed: int) -> list[Candidate]:
        """In an order that the seed and their ids alone decide."""
        return _shuffled(self._benign, sorted(self._reverted), seed)


def _only_source_file(commit: LoggedCommit) -> TouchedFile | None:
    """The one source file of a commit; None where there are others or none, or it is new."""
    if len(commit.parents) != 1 or len(commit.files) > MAX_FILES:
        return None
    sources = [file for file in commit.files if role_of(file.path) is Role.SOURCE]
    if len(sources) != 1:
        return None
    file = sources[0]
    is_edited = file.status is FileStatus.MODIFIED and file.kind is FileKind.REGULAR
    return file if is_edited and file.old_id != file.new_id else None


def _is_test(file: TouchedFile) -> bool:
    return file.status is not FileStatus.DELETED and role_of(file.path) is Role.TEST


def _shuffled(found: Iterable[Candidate], reverted: Sequence[str], seed: int) -> list[Candidate]:
    kept = [one for one in found if not _is_among(one.commit, reverted)]
    return sorted(kept, key=lambda one: sha256(f"{seed} {one.commit}".encode()).digest())


def _is_among(commit: str, reverted: Sequence[str]) -> bool:
    """Whether an id, perhaps an abbreviated one, of the sorted ones means this commit."""
    at = bisect_left(reverted, commit)
    return commit in reverted[at : at + 1] or any(
        commit.startswith(reverted[before]) for before in range(max(0, at - 3), at)
    )
