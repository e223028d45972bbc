"""What the fake holds: plain objects that a test may read, and change."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Literal

from dsreview.fake_github.hunks import Side

Permission = Literal["read", "write"]
ReviewState = Literal["PENDING", "COMMENTED", "APPROVED", "CHANGES_REQUESTED", "DISMISSED"]

ACTIONS_LOGIN = "github-actions[bot]"


@dataclass(slots=True)
class Token:
    """Who calls, and what they may do."""

    text: str
    login: str
    permissions: dict[str, Permission]
    """As a workflow's `permissions`: contents, pull_requests, issues, checks."""
    kind: Literal["actions", "app", "personal"] = "actions"
    can_resolve: bool = False
    """Resolving a thread is refused to the token of a workflow, whatever its permissions."""

    def may_write(self, *names: str) -> bool:
        """Whether one of the permissions is `write`."""
        return any(self.permissions.get(name) == "write" for name in names)


@dataclass(frozen=True, slots=True)
class FileChange:
    path: str
    patch: str | None
    """As in the API: from the first `@@` on; None where GitHub leaves it out."""
    status: str = "modified"
    previous_path: str | None = None
    additions: int = 0
    deletions: int = 0
    sha: str = "0" * 40


@dataclass(frozen=True, slots=True)
class Version:
    """What a pull request was, until the next push."""

    base_sha: str
    head_sha: str
    files: tuple[FileChange, ...]
    commits: tuple[str, ...]
    """Of the pull request, oldest first; the last is the head."""

    def file(self, path: str) -> FileChange | None:
        return next((file for file in self.files if file.path == path), None)


@dataclass(slots=True)
class Comment:
    """A review comment: on lines, or on a file."""

    id: int
    thread: "Thread"
    review: "Review"
    user: str
    """The login; empty once the account was deleted, as on reviews and other comments."""
    body: str
    path: str
    commit_id: str
    original_commit_id: str
    created_at: str
    updated_at: str
    subject_type: Literal["line", "file"] = "line"
    side: Side = "RIGHT"
    start_side: Side | None = None
    line: int | None = None
    """None on a file's comment, and once the comment is outdated."""
    start_line: int | None = None
    original_line: int | None = None
    original_start_line: int | None = None
    diff_hunk: str = ""
    in_reply_to: int | None = None
    minimized: str | None = None
    """The reason it was hidden for; None where it is shown."""

    @property
    def node_id(self) -> str:
        return f"PRRC_{self.id}"

    @property
    def is_outdated(self) -> bool:
        return self.subject_type == "line" and self.line is None


@dataclass(slots=True)
class Thread:
    id: int
    comments: list[Comment] = field(default_factory=list)
    resolved_by: str | None = None

    @property
    def node_id(self) -> str:
        return f"PRRT_{self.id}"


@dataclass(slots=True)
class Review:
    id: int
    user: str
    body: str
    state: ReviewState
    commit_id: str
    submitted_at: str | None
    minimized: str | None = None

    @property
    def node_id(self) -> str:
        return f"PRR_{self.id}"


@dataclass(slots=True)
class IssueComment:
    """A comment in the conversation, on no line."""

    id: int
    user: str
    body: str
    created_at: str
    updated_at: str
    minimized: str | None = None

    @property
    def node_id(self) -> str:
        return f"IC_{self.id}"


@dataclass(slots=True)
class Pull:
    number: int
    title: str
    body: str
    author: str
    base_ref: str
    head_ref: str
    head_repository: str | None
    """`owner/name`; another than the base's is a fork, None a fork that was deleted."""
    versions: list[Version]
    is_open: bool = True
    is_merged: bool = False
    is_draft: bool = False
    is_locked: bool = False
    folder: Path | None = None
    """The git repository it was made from."""
    reviews: list[Review] = field(default_factory=list)
    threads: list[Thread] = field(default_factory=list)
    issue_comments: list[IssueComment] = field(default_factory=list)

    @property
    def now(self) -> Version:
        return self.versions[-1]

    @property
    def head_sha(self) -> str:
        return self.now.head_sha

    @property
    def base_sha(self) -> str:
        return self.now.base_sha

    @property
    def comments(self) -> list[Comment]:
        """Review comments that everyone sees, oldest first."""
        every = (comment for thread in self.threads for comment in thread.comments)
        shown = (comment for comment in every if comment.review.state != "PENDING")
        return sorted(shown, key=lambda comment: comment.id)

    @property
    def submitted(self) -> list[Review]:
        return [review for review in self.reviews if review.state != "PENDING"]


@dataclass(slots=True)
class CheckRun:
    id: int
    head_sha: str
    fields: dict[str, Any]
    """As they were sent."""
    annotations: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class Repository:
    owner: str
    name: str
    is_private: bool = True
    default_branch: str = "main"
    collaborators: dict[str, str] = field(default_factory=dict)
    """Login: `admin`, `write`, `read` or `none`."""
    pulls: dict[int, Pull] = field(default_factory=dict)
    check_runs: list[CheckRun] = field(default_factory=list)

    @property
    def full_name(self) -> str:
        return f"{self.owner}/{self.name}"

    def commits(self) -> Iterator[str]:
        for pull in self.pulls.values():
            for version in pull.versions:
                yield version.base_sha
                yield from version.commits


@dataclass(slots=True)
class World:
    """Ids and times are counted, so that every run is the same."""

    repositories: dict[str, Repository] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    ids: Iterator[int] = field(default_factory=lambda: count(1001))
    seconds: Iterator[int] = field(default_factory=count)

    def time(self) -> str:
        """The next second since the fake's epoch, as GitHub writes it."""
        at = next(self.seconds)
        return f"2026-01-{1 + at // 86400:02}T{at // 3600 % 24:02}:{at // 60 % 60:02}:{at % 60:02}Z"

    def node(self, node_id: str) -> Comment | Thread | Review | IssueComment | None:
        for repository in self.repositories.values():
            for pull in repository.pulls.values():
                things: tuple[Comment | Thread | Review | IssueComment, ...] = (
                    *pull.reviews,
                    *pull.threads,
                    *pull.issue_comments,
                    *(comment for thread in pull.threads for comment in thread.comments),
                )
                for thing in things:
                    if thing.node_id == node_id:
                        return thing
        return None
