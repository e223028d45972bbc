"""Which comments of a review GitHub will not take: it refuses all of it and names none.

Halves of the comments are tried as a review that is not submitted, which nobody but its
author sees and which is deleted at once. So nothing is posted by half.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, Final

from dsreview.outputs.github_pr.client import GitHub, PullAddress
from dsreview.outputs.github_pr.refusals import NoAnswer, Refused
from dsreview.outputs.github_pr.survey import Survey, take_survey
from dsreview.outputs.github_pr.values import InlineComment, PostingPlan
from dsreview.report import count_of

WHAT: Final = "try which comments are taken"
MAX_PROBES: Final = 24
"""After that all that is left in doubt counts as refused: it goes to the files."""


def comment_body(comment: InlineComment) -> dict[str, Any]:
    body: dict[str, Any] = {
        "path": comment.path,
        "body": comment.body,
        "line": comment.line,
        "side": comment.side.value,
    }
    if comment.start_line is not None:
        body |= {"start_line": comment.start_line, "start_side": comment.side.value}
    return body


def review_request(plan: PostingPlan, comments: Sequence[InlineComment]) -> dict[str, Any]:
    """Without an event: not submitted."""
    return {
        "commit_id": plan.head_sha,
        "body": plan.review_body,
        "comments": [comment_body(comment) for comment in comments],
    }


@dataclass(slots=True)
class RefusedComments:
    """One search through the inline comments of a plan."""

    github: GitHub
    address: PullAddress
    login: str
    plan: PostingPlan
    before_request: Callable[[], None]
    """Called before each request that may leave something behind."""
    probes_left: int = MAX_PROBES

    def find(self, refused: Refused) -> dict[str, str]:
        """Why each of the refused comments is, by its fingerprint; never none.

        Args:
            refused: the answer to the whole review.

        Raises:
            GitHubError: the search could not go on.
        """
        return self._refused(self.plan.inline, refused.why)

    def _refused(self, group: Sequence[InlineComment], why: str) -> dict[str, str]:
        """Of a group that GitHub refuses as a whole."""
        if len(group) == 1:
            return {group[0].fingerprint: why}
        halves = group[: len(group) // 2], group[len(group) // 2 :]
        found: dict[str, str] = {}
        for half in halves:
            half_why = self._why_not(half, why)
            if half_why is not None:
                found |= self._refused(half, half_why)
        # taken apart, refused together: too much at once
        return found or {one.fingerprint: why for one in halves[1]}

    def _why_not(self, group: Sequence[InlineComment], why_all: str) -> str | None:
        """None where GitHub takes the group; `why_all` where it may not be asked any more."""
        while self.probes_left:
            self.probes_left -= 1
            self.before_request()
            try:
                probe = self.github.create(
                    f"{self.address.path}/reviews", WHAT, review_request(self.plan, group)
                )
            except Refused as refused:
                if refused.is_of_content:
                    return refused.why
                raise
            except NoAnswer:
                self._clear_late()
                continue
            self.github.delete(f"{self.address.path}/reviews/{probe['id']}", WHAT)
            return None
        return why_all

    def _clear_late(self) -> None:
        """The probe may be there all the same, and GitHub takes one of them at a time."""
        patience = self.github.patience
        patience.wait(patience.limits.settle_s, f"cannot {WHAT}: no answer")
        survey = take_survey(self.github, self.address, self.login)
        clear_unsubmitted(self.github, self.address, survey)


def clear_unsubmitted(github: GitHub, address: PullAddress, survey: Survey) -> None:
    """Delete the reviews that were only tried."""
    for review in survey.unsubmitted():
        github.delete(f"{address.path}/reviews/{review.id}", WHAT)


def draft_of(login: str) -> str:
    """Why GitHub takes nothing from `login`, and what to do."""
    return f"{login} has an unsubmitted review on this pull request; submit or discard it"


def reasons_of(refused: Mapping[str, Set[str]]) -> Iterator[str]:
    """A line for each reason: how many findings it refuses."""
    for why, names in refused.items():
        yield f"{count_of(len(names), 'comment')} refused by GitHub: {why}"
