"""`dsreview pr` in two lives: one that has the token and reads nothing, one that reads.

The first starts the poster, gives it the token, and starts this command anew in its own
place, without the token. What then reads a stranger's text, and is the parent of git, of
the model and of the parsers, never had it.
"""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from socket import socket
from typing import NoReturn

from dsreview.applying.state_folder import state_folder
from dsreview.cache import ScopedCache
from dsreview.change import Change
from dsreview.cli.pull_output import OUTPUTS, job_summary, not_on_page
from dsreview.cli.pull_token import start_anew, take_token, without_credentials
from dsreview.cli.run import warn_of_model
from dsreview.config import Config, user_config_file
from dsreview.errors import NothingToReview, UsageError
from dsreview.model_choice import open_worker
from dsreview.outputs import job_summary as job
from dsreview.outputs.github_pr.client import PullAddress
from dsreview.outputs.github_pr.poster_process import RemotePoster, start_poster
from dsreview.outputs.github_pr.results import PostingResult
from dsreview.outputs.github_pr.values import PostingPlan, PullRequest, PullState
from dsreview.progress import open_progress
from dsreview.pull_review import PullReview, PullRun, Runner, review_pull
from dsreview.pull_scope import Wanted
from dsreview.report import Report
from dsreview.review import review as review_change
from dsreview.review_tools import open_tools
from dsreview.sanitize import terminal_line
from dsreview.sources.pull_event import EVENT_VARIABLE, read_event
from dsreview.sources.pull_target import HOW_TO_NAME_ONE, read_address, read_target

OUTBOX = "outbox"
COMMAND = "pr"


@dataclass(frozen=True, slots=True)
class PullOptions:
    """The command line."""

    target: str
    folder: Path
    is_dry_run: bool
    output: str
    """A row of `OUTPUTS`."""
    is_full: bool
    is_quiet: bool
    max_comments: int
    api_url: str
    token_descriptor: int | None
    is_ephemeral: bool
    flags: Mapping[str, object]

    @property
    def runner(self) -> Runner:
        return Runner.of(os.environ, is_ephemeral=self.is_ephemeral)


@dataclass(frozen=True, slots=True)
class Subject:
    """Which pull request, where, and what the event says of it."""

    address: PullAddress
    base_url: str
    event: PullRequest | None

    @classmethod
    def of(cls, options: PullOptions) -> "Subject":
        """
        Raises:
            UsageError: none is named, or the event is no sound one.
        """
        base_url = read_address(options.api_url, os.environ)
        event = read_event(os.environ)
        of_event = PullAddress(event.owner, event.name, event.number) if event else None
        address = read_target(options.target, base_url) if options.target else of_event
        if address is None:
            raise UsageError(f"no pull request: {HOW_TO_NAME_ONE} (no {EVENT_VARIABLE} names one)")
        return cls(address, base_url, event if address == of_event else None)


def give_token_away(options: PullOptions) -> NoReturn:
    """The first life.

    Raises:
        UsageError: there is no token, or no pull request that this machine may review.
    """
    with _failures_told():
        subject = Subject.of(options)
        if subject.event is not None:
            options.runner.require_trust(subject.event)
        token = take_token(os.environ, options.token_descriptor, subject.base_url)
        _, connection = start_poster(
            token, state_folder() / OUTBOX, subject.base_url, only=subject.address
        )
        connection.set_inheritable(True)
        environment = without_credentials(os.environ, token)
        start_anew(environment, COMMAND, f"--poster={connection.fileno()}")


def review(options: PullOptions, poster: int) -> int:
    """The second life; the exit code.

    Args:
        poster: descriptor of the connection to it.
    """
    try:
        done, resumed = _reviewed(options, poster)
    except NothingToReview as settled:
        _tell(str(settled))
        return settled.exit_code
    _tell_page(job_summary(done))
    for earlier in resumed:
        _tell(f"what an earlier run had begun is {earlier.outcome.value}")
    sys.stdout.write(OUTPUTS[options.output](done, is_quiet=options.is_quiet))
    in_actions = os.environ.get("GITHUB_ACTIONS") == "true"
    sys.stdout.write(not_on_page(done, in_actions=in_actions))
    warn_of_model(done.report)
    return done.exit_code


def _reviewed(options: PullOptions, poster: int) -> tuple[PullReview, tuple[PostingResult, ...]]:
    """The finished run, and what became of those that an earlier run had begun to post."""
    with _failures_told() as told:
        subject = Subject.of(options)
        told.append(str(subject.address))
        with closing(_connected(poster)) as remote:
            desk = _Desk(remote, subject.address, options.is_dry_run)
            run = PullRun(
                folder=options.folder,
                flags=options.flags,
                user_file=user_config_file(),
                runner=options.runner,
                wanted=Wanted.FULL if options.is_full else Wanted.BEST,
                is_quiet=options.is_quiet,
                is_dry_run=options.is_dry_run,
                max_comments=options.max_comments,
            )
            return review_pull(desk, subject.event, run, _review), remote.resumed


def _tell(text: str) -> None:
    """Beside the report, which programs may read."""
    sys.stderr.write(f"dsreview: {terminal_line(text)}\n")


def _connected(descriptor: int) -> RemotePoster:
    try:
        connection = socket(fileno=descriptor)
    except OSError as error:
        raise UsageError(f"--poster {descriptor}: {error.strerror}") from None
    connection.set_inheritable(False)
    return RemotePoster(connection)


@dataclass(frozen=True, slots=True)
class _Desk:
    """The poster, for one pull request."""

    remote: RemotePoster
    address: PullAddress
    is_dry_run: bool

    def read(self) -> PullState:
        return self.remote.fetch(self.address, is_dry_run=self.is_dry_run)

    def post(self, plan: PostingPlan) -> PostingResult:
        needed = replace(plan, annotations=(), job_summary="")  # those are told here
        return self.remote.post(self.address, needed)


def _review(pull: PullRequest, change: Change, config: Config) -> Report:
    """With the model in a process of its own; answers are kept apart from those of others."""
    scope = f"{pull.owner}/{pull.name}:{'fork' if pull.is_fork else 'own'}"
    with ExitStack() as stack, open_progress() as progress:
        tools = open_tools(config, progress, stack, open_worker)
        return review_change(
            change, config, replace(tools, cache=ScopedCache(tools.cache, scope.lower()))
        )


@contextmanager
def _failures_told() -> Iterator[list[str]]:
    """Whatever ends the run is said on the page of the run as well.

    Yields:
        A list to put the name of the pull request into, once it is known.
    """
    names: list[str] = []
    try:
        yield names
    except NothingToReview as settled:
        _tell_page(job.nothing_to_review(str(settled)))
        raise
    except BaseException as error:
        _tell_page(job.failure(" ".join(names), str(error) or type(error).__name__))
        raise


def _tell_page(text: str) -> None:
    try:
        job.append(text, os.environ)
    except OSError as error:  # what is posted stays posted
        line = terminal_line(f"{job.VARIABLE}: {error.strerror}")
        sys.stderr.write(f"warning: {line}\n")
