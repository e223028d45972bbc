"""Asked before anything is posted, and again where nobody knows whether a POST was done:
what of a plan is on the pull request already. Comments of others are never believed."""

from collections.abc import Sequence
from dataclasses import dataclass

from dsreview.outputs.github_pr.client import GitHub, PullAddress
from dsreview.outputs.github_pr.existing import (
    fetch_comments,
    fetch_reviews,
    fetch_summaries,
    fetch_threads,
)
from dsreview.outputs.github_pr.history import Told, told
from dsreview.outputs.github_pr.marker import review_key
from dsreview.outputs.github_pr.values import (
    ExistingComment,
    ExistingReview,
    ExistingSummary,
    PostingPlan,
)

PENDING = "PENDING"


@dataclass(frozen=True, slots=True)
class Survey:
    """What is ours, oldest first."""

    reviews: tuple[ExistingReview, ...]
    comments: tuple[ExistingComment, ...]
    summaries: tuple[ExistingSummary, ...]

    def review_of(self, plan: PostingPlan) -> ExistingReview | None:
        return next(iter(self._reviews_of(plan)), None)

    def unsubmitted(self) -> tuple[ExistingReview, ...]:
        """Reviews that a search for refused comments left behind when it was killed."""
        return tuple(
            review
            for review in self.reviews
            if review.state == PENDING and review_key(review.body) is not None
        )

    def commented(self, plan: PostingPlan) -> frozenset[str]:
        """Fingerprints of the findings that have a comment on the head of `plan`."""
        return frozenset(one.known.fingerprint for one in self._told_on(plan.head_sha))

    def duplicates(self, plan: PostingPlan) -> tuple[str, ...]:
        """Node ids of what two runs posted at once, but for the oldest of each."""
        by_name: dict[str, list[ExistingComment]] = {}
        for one in self._told_on(plan.head_sha):
            by_name.setdefault(one.known.fingerprint, []).append(one.comment)
        return (
            *(node_id for same in by_name.values() for node_id in _all_but_oldest(same)),
            *_all_but_oldest(self._reviews_of(plan)),
            *_all_but_oldest(self.summaries),
        )

    def _reviews_of(self, plan: PostingPlan) -> list[ExistingReview]:
        return [
            review
            for review in self.reviews
            if review.state != PENDING and review_key(review.body) == plan.key
        ]

    def _told_on(self, head_sha: str) -> list[Told]:
        return [one for one in told(self.comments) if one.known.head_sha == head_sha]


Ours = ExistingComment | ExistingReview | ExistingSummary


def _all_but_oldest(things: Sequence[Ours]) -> list[str]:
    """Node ids. Every run sees the same one as the oldest, so that not both hide theirs."""
    return [thing.node_id for thing in sorted(things, key=lambda thing: thing.id)[1:]]


def take_survey(github: GitHub, address: PullAddress, login: str) -> Survey:
    """
    Raises:
        Refused, Unreachable, OutOfTime
    """
    reviews = fetch_reviews(github, address, login)
    comments = fetch_comments(github, address, login, fetch_threads(github, address))
    return Survey(
        tuple(review for review in reviews if review.is_ours),
        tuple(comment for comment in comments if comment.is_ours),
        tuple(fetch_summaries(github, address, login)),
    )
