"""The pipeline of a pull request: read it, open its change, review, plan, post.

Whoever runs this has neither the token nor the network: both are at the desk, behind a
border that only the state of the pull request and a plan cross.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from dsreview.change import Change
from dsreview.config import Config, load
from dsreview.errors import GitHubError, NothingToReview, ReviewError, UsageError
from dsreview.outputs.base import CodeView
from dsreview.outputs.github_pr.history import last_review_of
from dsreview.outputs.github_pr.plan import plan_posting
from dsreview.outputs.github_pr.results import Outcome, PostingResult
from dsreview.outputs.github_pr.values import PostingPlan, PullRequest, PullState, RunFacts
from dsreview.patch import Patch
from dsreview.pull_scope import Plans, PullScope, Wanted, choose_scope, review_digest
from dsreview.report import Report, short_name
from dsreview.sources.github_pr import open_pull

INCOMPLETE = 3
MAX_LISTED_FILES = 300
"""Above that, GitHub leaves out patches of its list, or all of it (406)."""


class Desk(Protocol):
    """The poster, from outside: the only process with the token and the network."""

    def read(self) -> PullState: ...

    def post(self, plan: PostingPlan) -> PostingResult: ...


@dataclass(frozen=True, slots=True)
class Runner:
    """Where this runs, as far as trust goes."""

    is_self_hosted: bool = False
    """A machine of the user's that runs jobs of GitHub Actions."""
    is_ephemeral: bool = False
    """The operator states that the machine is thrown away after each job."""

    @classmethod
    def of(cls, environment: Mapping[str, str], *, is_ephemeral: bool) -> "Runner":
        in_actions = environment.get("GITHUB_ACTIONS") == "true"
        is_hosted = environment.get("RUNNER_ENVIRONMENT") == "github-hosted"
        return cls(in_actions and not is_hosted, is_ephemeral)

    def require_trust(self, pull: PullRequest) -> None:
        """
        Raises:
            UsageError: anybody may bring code to this machine, which keeps what it leaves.
        """
        if pull.is_public and self.is_self_hosted and not self.is_ephemeral:
            raise UsageError(
                f"{pull.full_name} is public, and this is a self-hosted runner: what the job of a "
                "stranger leaves behind would meet yours; use a hosted runner, or one that is "
                "thrown away after each job, and say so with --ephemeral-runner"
            )


@dataclass(frozen=True, slots=True)
class PullRun:
    """What the user wants of a run."""

    folder: Path
    """In a clone of the repository."""
    flags: Mapping[str, object]
    """Fields of `Config` that were given."""
    user_file: Path | None
    runner: Runner
    wanted: Wanted = Wanted.BEST
    is_quiet: bool = False
    is_dry_run: bool = False
    max_comments: int = 20


@dataclass(frozen=True, slots=True)
class PullReview:
    """A finished run."""

    pull: PullRequest
    scope: PullScope
    report: Report
    config: Config
    plan: PostingPlan
    result: PostingResult | None
    """None for a dry run."""

    @property
    def exit_code(self) -> int:
        """That of the report; 3 where it would be 0, and posting failed."""
        code = self.report.exit_code(self.config.fail_on, partial_ok=self.config.partial_ok)
        return code if self.is_told else code or INCOMPLETE

    @property
    def is_told(self) -> bool:
        """Whether the pull request has all that it can have."""
        if self.result is None or self.result.is_delivered:
            return True
        # nobody expects a fork's token to write, or a closed pull request to be written to
        expected = {Outcome.CLOSED} | ({Outcome.REFUSED} if self.pull.is_fork else set())
        return self.result.outcome in expected


Reviewer = Callable[[PullRequest, Change, Config], Report]


def review_pull(
    desk: Desk, event: PullRequest | None, run: PullRun, review: Reviewer
) -> PullReview:
    """Review a pull request and have the desk post what is new.

    Args:
        event: what started this run; its commits count. None: those of now.

    Raises:
        UsageError: this machine must not, or the clone cannot be used.
        NothingToReview: the pull request was closed before the job of its event began.
        ReviewError: it is closed, or has moved on.
        DsreviewError: as reading and reviewing.
    """
    if event is not None:
        run.runner.require_trust(event)
    state = _current(desk.read(), event)
    run.runner.require_trust(state.pull)
    with open_pull(run.folder, state.pull) as opened:
        config = load(opened.change.settings, run.flags, user_file=run.user_file)
        plans = Plans(
            head=state.pull.head_sha,
            config_digest=review_digest(config, opened.change.settings),
            fail_on=config.fail_on,
            wanted=run.wanted,
        )
        scope = choose_scope(last_review_of(state), plans, opened)
        change = opened.since(scope.since) if scope.since else opened.change
        report = review(state.pull, change, config)
        facts = RunFacts(
            base_sha=opened.merge_base,
            head_sha=plans.head,
            config_digest=plans.config_digest,
            since=scope.since or "",
            why_whole=scope.reason,
            is_quiet=run.is_quiet,
            max_comments=run.max_comments,
        )
        local = opened.change.patch
        plan = plan_posting(report, CodeView(change.head), state, facts, _stand_in(state, local))
    return PullReview(
        pull=state.pull,
        scope=scope,
        report=report,
        config=config,
        plan=plan,
        result=None if run.is_dry_run else _post(desk, plan),
    )


def _current(state: PullState, event: PullRequest | None) -> PullState:
    """The state, with what the event says of it.

    Raises:
        NothingToReview: it is closed, and nobody named it.
        ReviewError: it is closed, or the commits of the event are not its own any more.
    """
    pull = state.pull
    if not pull.is_open:
        failure = ReviewError if event is None else NothingToReview
        raise failure(f"{pull.full_name} is closed: it was not reviewed")
    if event is None:
        return state
    if event.head_sha != pull.head_sha:
        old, new = short_name(event.head_sha), short_name(pull.head_sha)
        raise ReviewError(
            f"{pull.full_name} has moved on from {old} to {new}: the run of that push reviews it"
        )
    is_public = event.is_public or pull.is_public
    is_fork = event.is_fork or pull.is_fork
    return replace(state, pull=replace(event, is_public=is_public, is_fork=is_fork))


def _post(desk: Desk, plan: PostingPlan) -> PostingResult:
    """A poster that dies takes no finding along: the review is done, and is told elsewhere."""
    try:
        return desk.post(plan)
    except GitHubError as error:
        names = tuple(one.fingerprint for one in plan.annotations)
        return PostingResult(Outcome.UNREACHABLE, str(error), reported=names)


def _stand_in(state: PullState, local: Patch) -> Patch | None:
    """The local diff, where GitHub's list cannot be complete."""
    is_listed = bool(state.files) and len(local.files) <= MAX_LISTED_FILES
    return None if is_listed else local
