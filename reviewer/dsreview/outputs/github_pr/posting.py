"""One plan on its way to a pull request.

Every step is safe to come back to: it is written on the disk before it is asked for
(`outbox`), what is there already is asked for first (`survey`), and what GitHub will not take
goes on in its next form: line, file, summary. The summary is written last, since it is what
says that a head was reviewed.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from dsreview.errors import GitHubError
from dsreview.outputs.github_pr.client import GitHub, PullAddress
from dsreview.outputs.github_pr.existing import fetch_pull
from dsreview.outputs.github_pr.outbox import Delivery, PullBox
from dsreview.outputs.github_pr.refusals import GONE, NOT_FOUND, NoAnswer, Refused, Unreachable
from dsreview.outputs.github_pr.refused_comments import (
    RefusedComments,
    clear_unsubmitted,
    draft_of,
    reasons_of,
    review_request,
)
from dsreview.outputs.github_pr.results import Outcome
from dsreview.outputs.github_pr.survey import Survey, take_survey
from dsreview.outputs.github_pr.tidying import tidy
from dsreview.outputs.github_pr.values import ExistingSummary, FileComment, PostingPlan
from dsreview.outputs.github_pr.viewer import viewer_login
from dsreview.report import count_of, short_name
from dsreview.sanitize import markdown_safe

MAX_POSTS: Final = 3
"""Of one thing that was not there after each."""
MAX_SEARCHES: Final = 2
"""For refused comments; after that none of them stays on its lines."""

POST_REVIEW: Final = "post the review"
COMMENT_ON_FILE: Final = "comment on a file"
WRITE_SUMMARY: Final = "write the summary"


class Stopped(GitHubError):
    """The pull request takes no more of this plan."""

    def __init__(self, outcome: Outcome, reason: str) -> None:
        super().__init__(reason)
        self.outcome = outcome


@dataclass(slots=True)
class Posting:
    """The rest of a plan, and what became of its findings so far."""

    github: GitHub
    address: PullAddress
    box: PullBox
    plan: PostingPlan
    """What is still to be done, in the form that GitHub may take."""
    login: str = ""
    num_writes: int = 0
    posted: set[str] = field(default_factory=set)
    already_there: set[str] = field(default_factory=set)
    demoted: set[str] = field(default_factory=set)
    """Refused on their lines, or on their files; on the way to another place."""
    told: set[str] = field(default_factory=set)
    """On the pull request now, wherever."""
    refused: dict[str, set[str]] = field(default_factory=dict)
    """Findings by why they were: GitHub's words on one line."""
    untidy: list[str] = field(default_factory=list)

    @property
    def notes(self) -> tuple[str, ...]:
        """One line each: what was refused, or not done, and why."""
        return (*reasons_of(self.refused), *self.untidy)

    def deliver(self) -> None:
        """
        Raises:
            Stopped, Refused: the rest will never be taken; the outbox has forgotten it.
            GitHubError: the rest may be posted by a later run.
        """
        delivery = self.box.keep(Delivery(self.plan))
        try:
            self._deliver()
        except (Stopped, Refused):
            self.box.finish(delivery)
            raise
        self.box.finish(delivery)

    def _deliver(self) -> None:
        self._require_head()
        self.login = viewer_login(self.github)
        if not self.login:  # then nothing could be recognised later, and all be posted twice
            reason = f"{self.github.server} does not say whose the token is: nothing is posted"
            raise Stopped(Outcome.REFUSED, reason)
        survey = take_survey(self.github, self.address, self.login)
        clear_unsubmitted(self.github, self.address, survey)
        self._skip_what_is_there(survey)
        self._post_review()
        for comment in self.plan.file_level:
            if comment in self.plan.file_level:  # still
                self._comment_on_file(comment)
        self._write_summary(next(iter(survey.summaries), None))
        late_of = self.login if self.num_writes else ""
        self.untidy.extend(tidy(self.github, self.address, self.plan, survey, late_of))

    def _require_head(self, refused: Refused | None = None) -> None:
        """
        Args:
            refused: what GitHub has just refused, for which this may be the reason.

        Raises:
            Stopped
        """
        pull, can_write = fetch_pull(self.github, self.address)
        rest = "the rest is not posted" if self.num_writes else "nothing is posted"
        if not pull.is_open:
            raise Stopped(Outcome.CLOSED, f"{self.address} is closed: {rest}")
        if pull.head_sha != self.plan.head_sha:
            old, new = short_name(self.plan.head_sha), short_name(pull.head_sha)
            reason = f"{self.address} moved from {old} to {new} meanwhile: {rest}"
            raise Stopped(Outcome.MOVED, reason)
        if refused is not None and not can_write:
            raise Stopped(Outcome.REFUSED, f"{self.address} is locked: {refused}")

    def _skip_what_is_there(self, survey: Survey) -> None:
        commented = survey.commented(self.plan)
        there = commented & {
            *(one.fingerprint for one in self.plan.inline),
            *(one.fingerprint for one in self.plan.file_level),
        }
        self.already_there |= there
        self.told |= there
        self.plan = replace(
            self.plan,
            inline=tuple(one for one in self.plan.inline if one.fingerprint not in there),
            file_level=tuple(one for one in self.plan.file_level if one.fingerprint not in there),
        )
        if survey.review_of(self.plan) is not None:  # an earlier run was refused these
            self._demote(self._on_lines())

    def _on_lines(self) -> frozenset[str]:
        return frozenset(one.fingerprint for one in self.plan.inline)

    def _demote(self, fingerprints: Iterable[str], why: str = "") -> None:
        refused = frozenset(fingerprints)
        self.demoted |= refused
        self.plan = self.plan.demoted(refused)
        if why:
            self.refused.setdefault(why, set()).update(refused)

    def _post_review(self) -> None:
        num_unanswered = num_searches = 0
        while self.plan.inline:
            self._asking()
            request = review_request(self.plan, self.plan.inline) | {"event": "COMMENT"}
            try:
                self.github.create(f"{self.address.path}/reviews", POST_REVIEW, request)
            except NoAnswer as error:
                if self._survey_later(error).review_of(self.plan) is None:
                    num_unanswered += 1
                    _require_tries_left(num_unanswered, error)
                    continue
            except Refused as refused:
                if not refused.is_of_content:
                    raise
                self._require_head(refused)
                num_searches += 1
                self._take_off_lines(refused, is_hopeless=num_searches > MAX_SEARCHES)
                continue
            self._answered(self._on_lines())
            self.plan = replace(self.plan, inline=())

    def _take_off_lines(self, refused: Refused, *, is_hopeless: bool) -> None:
        """Give the comments that GitHub refuses their next form."""
        if refused.is_of_draft and (is_hopeless or not self._has_cleared()):
            self._give_way_to_draft()
        elif refused.is_of_draft:
            return
        elif is_hopeless:
            self._demote(self._on_lines(), refused.why)
        else:
            search = RefusedComments(self.github, self.address, self.login, self.plan, self._asking)
            for name, why in search.find(refused).items():
                self._demote([name], why)
        self._answered(())

    def _has_cleared(self) -> bool:
        """Whether the draft was one that was only tried, and came late."""
        survey = take_survey(self.github, self.address, self.login)
        clear_unsubmitted(self.github, self.address, survey)
        return bool(survey.unsubmitted())

    def _give_way_to_draft(self) -> None:
        """Who writes a review on the page keeps it; the summary takes what a review cannot."""
        names = self._on_lines() | {one.fingerprint for one in self.plan.file_level}
        for _ in ("to the files", "to the summary"):
            self._demote(names, draft_of(self.login))

    def _comment_on_file(self, comment: FileComment) -> None:
        request = {
            "path": comment.path,
            "body": comment.body,
            "commit_id": self.plan.head_sha,
            "subject_type": "file",
        }
        num_unanswered = 0
        while True:
            self._asking()
            try:
                self.github.create(f"{self.address.path}/comments", COMMENT_ON_FILE, request)
            except NoAnswer as error:
                if comment.fingerprint not in self._survey_later(error).commented(self.plan):
                    num_unanswered += 1
                    _require_tries_left(num_unanswered, error)
                    continue
            except Refused as refused:
                if not refused.is_of_content:
                    raise
                self._require_head(refused)
                if refused.is_of_draft:
                    self._give_way_to_draft()
                else:
                    self._demote([comment.fingerprint], refused.why)
                self._answered(())
                return
            self._answered([comment.fingerprint])
            return

    def _write_summary(self, existing: ExistingSummary | None) -> None:
        summary = self.plan.summary
        if summary is None:
            return
        reasons = map(markdown_safe, reasons_of(self.refused))
        summary = replace(summary, clauses=(*summary.clauses, *reasons))
        text = summary.text
        listed = {
            entry.fingerprint
            for entry in summary.entries
            if entry.block in text or entry.line in text
        }
        if existing is not None and existing.body.replace("\r\n", "\n") == text:
            self.already_there |= listed
            self.told |= listed
            return
        if existing is None or not self._edit_summary(existing, text):
            self._create_summary(text)
        self._tell(listed)

    def _edit_summary(self, existing: ExistingSummary, text: str) -> bool:
        """Whether it is still there to be edited."""
        path = f"{self.address.repository_path}/issues/comments/{existing.id}"
        try:
            self.github.edit(path, WRITE_SUMMARY, {"body": text})
        except Refused as refused:
            if refused.status in (NOT_FOUND, GONE):
                return False
            raise
        self.num_writes += 1
        return True

    def _create_summary(self, text: str) -> None:
        path = f"{self.address.conversation_path}/comments"
        num_unanswered = 0
        while True:
            self._asking()
            try:
                self.github.create(path, WRITE_SUMMARY, {"body": text})
            except NoAnswer as error:
                found = self._survey_later(error).summaries
                if not any(self._edit_summary(each, text) for each in found[:1]):
                    num_unanswered += 1
                    _require_tries_left(num_unanswered, error)
                    continue
            self._answered(())
            return

    def _asking(self) -> None:
        self.box.asking(Delivery(self.plan))

    def _answered(self, fingerprints: Iterable[str]) -> None:
        self.num_writes += 1
        self._tell(fingerprints)
        self.box.keep(Delivery(self.plan))

    def _tell(self, fingerprints: Iterable[str]) -> None:
        names = set(fingerprints) - self.told
        self.told |= names
        self.posted |= names - self.demoted

    def _survey_later(self, error: NoAnswer) -> Survey:
        """What is there once a request without an answer can have no more effect."""
        self.github.patience.wait(self.github.patience.limits.settle_s, str(error))
        return take_survey(self.github, self.address, self.login)


def _require_tries_left(num_unanswered: int, error: NoAnswer) -> None:
    if num_unanswered >= MAX_POSTS:
        raise Unreachable(f"{error}, and it is not there after {count_of(MAX_POSTS, 'attempt')}")
