"""How much of a pull request a run looks at: what came since the last review, or all of it."""

from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Protocol

import msgspec

from dsreview import __version__
from dsreview.change import Snapshot
from dsreview.checks.rules import TEAM_FOLDER
from dsreview.config import Config
from dsreview.finding import Severity
from dsreview.outputs.github_pr.marker import LastReview, digest
from dsreview.report import Status, short_name
from dsreview.review_prompt import repair_template, review_template
from dsreview.selection import IGNORE_FILE

SHAPING = frozenset(
    {"min_severity", "min_confidence", "max_tokens", "max_rounds", "context", "disable"}
    | {"exclude", "votes", "examples"}
    | {"model", "weights", "backend", "window", "base_url"}
)
"""Fields of `Config` that decide what a review finds; the others only show it or pay for it."""


class Wanted(StrEnum):
    """What the user asks for."""

    BEST = "best"
    """Incremental where that misses nothing."""
    FULL = "full"


@dataclass(frozen=True, slots=True)
class PullScope:
    since: str | None
    """The commit that was reviewed last; None: all of the pull request is looked at."""
    reason: str = ""
    """Why all of it, although there is an earlier review; a clause, as behind "because"."""


class History(Protocol):
    """What a clone knows of the commits of a pull request."""

    def has(self, commit: str) -> bool: ...

    def descends_from(self, commit: str) -> bool: ...

    def parted_where(self, commit: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class Plans:
    """What is to be reviewed, and how."""

    head: str
    config_digest: str
    """Of `review_digest`."""
    fail_on: Severity
    wanted: Wanted = Wanted.BEST


def choose_scope(last: LastReview | None, plans: Plans, history: History) -> PullScope:
    """Only what is new, if the rest has been reviewed whole, as it would be today.

    Where something was found that makes a run fail, all is looked at until it is gone: a run
    that leaves out its file cannot know whether it is.

    Args:
        last: what our own summary remembers; None where there is none that is ours.
    """
    if last is None:
        return PullScope(None)
    reason = _obstacle(last, plans) or _gap(last.head_sha, history) or _open(last, plans)
    return PullScope(None, reason) if reason else PullScope(last.head_sha)


def _obstacle(last: LastReview, plans: Plans) -> str:
    if plans.wanted is Wanted.FULL:
        return "it was asked for"
    if last.head_sha == plans.head:
        return "it is the same commit as the last time"
    if last.status is not Status.COMPLETE:
        return "the last review left something out"
    if last.num_left_out:
        return "the last review found more than its summary has room for"
    if last.config_digest != plans.config_digest:
        return "settings, rules, prompts, model or version are not those of the last review"
    return ""


def _gap(last_head: str, history: History) -> str:
    name = short_name(last_head)
    if not history.has(last_head):
        return f"{name}, which was reviewed last, is not in this clone"
    if not history.descends_from(last_head):
        return f"the branch was rewritten since {name}"
    if not history.parted_where(last_head):
        return f"its base was merged into it, or changed, since {name}"
    return ""


def _open(last: LastReview, plans: Plans) -> str:
    if last.worst is None or last.worst.rank < plans.fail_on.rank:
        return ""
    return f"the last review found something {last.worst.label}"


def review_digest(config: Config, settings: Snapshot) -> str:
    """Names all that decides what a review finds, but the change itself."""
    chosen = {
        field.name: str(getattr(config, field.name))
        for field in fields(config)
        if field.name in SHAPING
    }
    steering = [
        (path, settings.identity(path) or "")
        for path in settings.paths()
        if path == IGNORE_FILE or path.startswith(TEAM_FOLDER)
    ]
    prompts = (review_template().revision, repair_template().revision)
    return digest(__version__, *prompts, msgspec.json.encode([chosen, steering]).decode())
