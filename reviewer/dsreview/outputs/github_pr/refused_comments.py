"""Which comments of a review GitHub will not take: it refuses all of it and names none.

Halves of the comments are tried as a review that is not submitted, which nobody but its
author sees and which is deleted at once. So nothing is posted by half.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from dsreview.outputs.github_pr.client import GitHub, PullAddress
from dsreview.outputs.github_pr.refusals import NoAnswer, Refused
from dsreview.outputs.github_pr.survey import Survey, take_survey
from dsreview.outputs.github_pr.values import InlineComment, PostingPlan

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

    def find(self) -> frozenset[str]:
        """Fingerprints of the refused comments of a review that was refused; never none.

        Raises:
            GitHubError: the search could not go on.
        """
        return frozenset(one.fingerprint for one in self._refused(self.plan.inline))

    def _refused(self, group: Sequence[InlineComment]) -> list[InlineComment]:
        """Of a group that GitHub refuses as a whole."""
        if len(group) == 1:
            return list(group)
        halves = group[: len(group) // 2], group[len(group) // 2 :]
        found = [one for half in halves if not self._is_taken(half) for one in self._refused(half)]
        return found or list(halves[1])  # taken apart, refused together: too much at once

    def _is_taken(self, group: Sequence[InlineComment]) -> bool:
        while self.probes_left:
            self.probes_left -= 1
            self.before_request()
            try:
                probe = self.github.create(
                    f"{self.address.path}/reviews", WHAT, review_request(self.plan, group)
                )
            except Refused as refused:
                if refused.is_of_content:
                    return False
                raise
            except NoAnswer:
                self._clear_late()
                continue
            self.github.delete(f"{self.address.path}/reviews/{probe['id']}", WHAT)
            return True
        return False

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
