"""What passes between reading a pull request, planning what to post, and posting it.

Everything here can be sent through msgspec, since the planner has no token and the poster
sees nothing but the plan. Titles, names, paths and bodies of others are hostile text; the
bodies of a plan are safe to post as they are.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from dsreview.finding import Severity
from dsreview.outputs.github_pr.sticky import Entry, Summary


class Side(StrEnum):
    """Of the diff: the old file or the new one."""

    LEFT = "LEFT"
    RIGHT = "RIGHT"


@dataclass(frozen=True, slots=True)
class PullRequest:
    owner: str
    name: str
    number: int
    base_sha: str
    head_sha: str
    base_ref: str
    head_ref: str
    title: str
    author: str
    is_open: bool
    is_draft: bool
    is_fork: bool
    """The head is in another repository."""
    is_public: bool

    @property
    def full_name(self) -> str:
        return f"{self.owner}/{self.name}#{self.number}"


@dataclass(frozen=True, slots=True)
class PullFile:
    """One file as the pull request's file list has it."""

    path: str
    old_path: str
    """Equal to `path` unless renamed."""
    status: str
    """added, removed, modified, renamed, copied, changed or unchanged."""
    patch: str | None
    """Its hunks; None where GitHub sends none: binary, too large, or nothing textual changed."""


@dataclass(frozen=True, slots=True)
class ExistingComment:
    """The first comment of a review thread."""

    id: int
    node_id: str
    thread_id: str | None
    """Node id of the thread; None where the token may not read threads."""
    path: str
    line: int | None
    """None where the line is gone, and for a comment on a whole file."""
    body: str
    author: str
    is_ours: bool
    """Written by the login that posts now. Only then are its markers believed."""
    is_resolved: bool
    is_outdated: bool
    """Never for a comment on a whole file."""
    has_replies: bool
    is_minimized: bool
    minimized_reason: str = ""
    """As GraphQL says it, in any case: outdated, resolved, off-topic, duplicate, spam, abuse."""
    is_disliked: bool = False
    """Somebody reacted with a thumbs down."""


@dataclass(frozen=True, slots=True)
class ExistingReview:
    id: int
    node_id: str
    body: str
    head_sha: str
    """The commit it was written for."""
    state: str
    is_ours: bool


@dataclass(frozen=True, slots=True)
class ExistingSummary:
    """The issue comment that every run edits."""

    id: int
    node_id: str
    body: str
    is_ours: bool = True


@dataclass(frozen=True, slots=True)
class PullState:
    """What the pull request looks like before this run posts anything."""

    pull: PullRequest
    files: tuple[PullFile, ...]
    comments: tuple[ExistingComment, ...]
    """Of everybody; first ones of their threads only."""
    reviews: tuple[ExistingReview, ...]
    summary: ExistingSummary | None
    viewer_login: str
    can_write: bool
    can_resolve: bool


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What the planner is told of the run beside its report."""

    base_sha: str
    """The old side of the pull request: where its head branched off."""
    head_sha: str
    config_digest: str
    """Hexadecimal; of all that decides what a review finds."""
    since: str = ""
    """Head of the last review, where only what changed since then was read."""
    why_whole: str = ""
    """Why the whole was read although there was an earlier review; a clause."""
    is_quiet: bool = False
    """Say nothing where nothing was found."""
    max_comments: int = 20
    """On lines and files together; the rest of the findings goes to the summary."""


@dataclass(frozen=True, slots=True)
class InlineComment:
    path: str
    body: str
    line: int
    """Last line that it is about."""
    side: Side
    start_line: int | None
    """First line, less than `line` and in the same hunk; None for a single line."""
    fingerprint: str
    file_body: str
    """The same finding as a comment on the whole file: names the lines, suggests as a diff."""
    entry: Entry


@dataclass(frozen=True, slots=True)
class FileComment:
    """Posted with `subject_type: file`, which a review cannot carry."""

    path: str
    body: str
    fingerprint: str
    entry: Entry


@dataclass(frozen=True, slots=True)
class Annotation:
    """A finding as a workflow annotation: plain text, not yet escaped for a command."""

    fingerprint: str
    severity: Severity
    path: str
    line: int
    end_line: int
    title: str
    message: str


@dataclass(frozen=True, slots=True)
class PostingPlan:
    """Everything that one run wants to be true of the pull request afterwards."""

    key: str
    """The same for the same head and the same comments; stands in a marker of `review_body`."""
    head_sha: str
    review_body: str
    """Body of the review that carries `inline`; there is no review where `inline` is empty."""
    inline: tuple[InlineComment, ...]
    file_level: tuple[FileComment, ...]
    summary: Summary | None
    """To be written last. None where the one that is there says it all, or nothing is to be
    said; never where there are comments, which may have to go here."""
    minimize: tuple[str, ...]
    """Node ids of comments."""
    resolve: tuple[str, ...]
    """Node ids of threads."""
    annotations: tuple[Annotation, ...]
    """Every finding of the run, posted or silent, for where nothing may be posted."""
    job_summary: str = ""
    """The whole report as Markdown, for the page of the workflow run."""

    def __post_init__(self) -> None:
        if self.summary is None and (self.inline or self.file_level):
            raise ValueError("comments without a summary have nowhere to go if refused")

    @property
    def is_empty(self) -> bool:
        """Nothing to write at all."""
        return not (self.inline or self.file_level or self.summary or self.minimize or self.resolve)

    def demoted(self, refused: frozenset[str]) -> "PostingPlan":
        """The plan after GitHub refused the comments with these fingerprints.

        A line's comment becomes one on its file, that becomes an entry of the summary; the
        rest, its order and the key stay, and no finding goes.
        """
        to_file = tuple(
            FileComment(one.path, one.file_body, one.fingerprint, one.entry)
            for one in self.inline
            if one.fingerprint in refused
        )
        to_summary = tuple(one.entry for one in self.file_level if one.fingerprint in refused)
        return replace(
            self,
            inline=tuple(one for one in self.inline if one.fingerprint not in refused),
            file_level=(
                *(one for one in self.file_level if one.fingerprint not in refused),
                *to_file,
            ),
            summary=self._with_entries(to_summary),
        )

    def _with_entries(self, entries: tuple[Entry, ...]) -> Summary | None:
        if self.summary is None or not entries:
            return self.summary
        return self.summary.demoted(entries)
