"""Posts plans to one pull request: each of them once, by one run at a time."""

from collections.abc import Iterable
from contextlib import AbstractContextManager

from dsreview.errors import GitHubError
from dsreview.outputs.github_pr.client import GitHub, PullAddress
from dsreview.outputs.github_pr.outbox import Outbox, PullBox
from dsreview.outputs.github_pr.posting import Posting, Stopped
from dsreview.outputs.github_pr.refusals import Refused
from dsreview.outputs.github_pr.results import Outcome, PostingResult
from dsreview.outputs.github_pr.values import PostingPlan


class Poster:
    def __init__(self, github: GitHub, address: PullAddress, outbox: Outbox) -> None:
        self._github = github
        self._address = address
        self._outbox = outbox

    def post(self, plan: PostingPlan, planned_for: str | None = None) -> PostingResult:
        """What became of each finding; whatever GitHub does is no error but a result.

        Args:
            planned_for: the login whose comments the plan knows, empty where nobody said it;
                None: not asked for. A plan that takes none of ours for ours would repeat them.
        """
        if plan.is_empty:
            return PostingResult(Outcome.ALREADY_THERE, "")
        if planned_for == "":
            reason = f"{self._github.server} did not say whose the token is: nothing is posted"
            return self._result(plan, None, Outcome.REFUSED, reason)
        try:
            with self._opened() as box:
                self._let_go_of_earlier(box, plan)
                return self._posted(plan, box)
        except GitHubError as error:  # before anything was asked
            return self._result(plan, None, Outcome.UNREACHABLE, str(error))

    def resume(self) -> tuple[PostingResult, ...]:
        """Finish what earlier runs began and could not end.

        Raises:
            GitHubError: not in time, or the outbox cannot be used.
        """
        results = []
        with self._opened() as box:
            for delivery in box.deliveries():
                box.settle(delivery)
                results.append(self._posted(delivery.plan, box))
        return tuple(results)

    def _opened(self) -> AbstractContextManager[PullBox]:
        name = f"{self._github.base_url} {self._address}".lower()
        return self._outbox.opened(name, self._github.patience)

    def _let_go_of_earlier(self, box: PullBox, plan: PostingPlan) -> None:
        """What is newer has all findings; what older ones have asked for must be seen first."""
        for earlier in box.deliveries():
            box.settle(earlier)
            if earlier.plan.key != plan.key:
                box.finish(earlier)

    def _posted(self, plan: PostingPlan, box: PullBox) -> PostingResult:
        posting = Posting(self._github, self._address, box, plan)
        outcome, reason = Outcome.POSTED, ""
        try:
            posting.deliver()
        except Stopped as stopped:
            outcome, reason = stopped.outcome, str(stopped)
        except Refused as refused:
            outcome, reason = Outcome.REFUSED, str(refused)
        except GitHubError as error:
            outcome, reason = Outcome.UNREACHABLE, str(error)
        if outcome is Outcome.POSTED and not posting.num_writes:
            outcome = Outcome.ALREADY_THERE
        return self._result(plan, posting, outcome, reason)

    def _result(
        self, plan: PostingPlan, posting: Posting | None, outcome: Outcome, reason: str
    ) -> PostingResult:
        told = posting.told if posting else set()
        names = [one.fingerprint for one in plan.inline]
        names += [one.fingerprint for one in plan.file_level]
        names += [entry.fingerprint for entry in plan.summary.entries] if plan.summary else []
        return PostingResult(
            outcome=outcome,
            reason=reason,
            posted=_those(names, posting.posted if posting else set()),
            already_there=_those(names, posting.already_there if posting else set()),
            demoted=_those(names, posting.demoted & told if posting else set()),
            reported=tuple(name for name in names if name not in told),
            notes=_once(self._github.notes, posting.notes if posting else ()),
            num_requests=self._github.num_requests,
            waited_s=self._github.patience.waited_s,
        )


def _those(names: list[str], chosen: set[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name in chosen)


def _once(*notes: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(note for some in notes for note in some))
