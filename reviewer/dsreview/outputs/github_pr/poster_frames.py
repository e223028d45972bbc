"""What the poster and whoever started it say to each other."""

from dsreview.backends.worker_frames import Frame
from dsreview.outputs.github_pr.client import PullAddress
from dsreview.outputs.github_pr.limits import WaitLimits
from dsreview.outputs.github_pr.results import PostingResult
from dsreview.outputs.github_pr.values import PostingPlan, PullState


class Begin(Frame, frozen=True):
    """The first frame, and the only one that ever holds the token."""

    token: str
    base_url: str
    outbox: str
    """A folder."""
    limits: WaitLimits
    only: PullAddress | None = None
    """No command about another pull request is obeyed; None: all are."""

    def __repr__(self) -> str:
        return f"Begin(base_url={self.base_url!r})"


class Fetch(Frame, frozen=True):
    address: PullAddress
    is_dry_run: bool
    """Only look; else what an earlier run could not end is ended first."""


class Post(Frame, frozen=True):
    address: PullAddress
    plan: PostingPlan
    planned_for: str | None
    """The login of the state that was fetched for it; None: none was."""


Command = Begin | Fetch | Post


class Fetched(Frame, frozen=True):
    state: PullState
    resumed: tuple[PostingResult, ...]
    notes: tuple[str, ...]
    """One line each: what could not be read or ended, and is done without."""


class Posted(Frame, frozen=True):
    result: PostingResult


class Failed(Frame, frozen=True):
    problem: str
    is_usage: bool = False


Reply = Fetched | Posted | Failed
