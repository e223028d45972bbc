"""The poster, from outside: a process that is given the token once, over a socket."""

import json
import os
import socket
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from dsreview.backends.worker_frames import Channel
from dsreview.errors import GitHubError, UsageError
from dsreview.isolated import interpreter, search_path
from dsreview.outputs.github_pr.client import GITHUB, PullAddress, checked_base_url
from dsreview.outputs.github_pr.limits import WaitLimits
from dsreview.outputs.github_pr.poster_frames import (
    Begin,
    Command,
    Failed,
    Fetch,
    Fetched,
    Post,
    Posted,
    Reply,
)
from dsreview.outputs.github_pr.results import PostingResult
from dsreview.outputs.github_pr.values import PostingPlan, PullState

_START: Final = (
    "import json, sys; sys.path += json.loads(sys.argv[2]);"
    " from dsreview.outputs.github_pr.poster_child import main; main(int(sys.argv[1]))"
)
_KEPT_VARIABLES: Final = frozenset({"SSL_CERT_FILE", "SSL_CERT_DIR"})
_END_S: Final = 5.0
_GRACE_S: Final = 60.0
"""Beyond its own limit, for its start and for a disk that is busy."""


class RemotePoster:
    """The end of the socket to a poster that runs; this process need not have started it."""

    def __init__(self, connection: socket.socket, limits: WaitLimits = WaitLimits()) -> None:  # noqa: B008  frozen
        connection.settimeout(limits.total_s + _GRACE_S)
        self._channel: Channel[Reply] = Channel(connection, Reply)
        self.resumed: tuple[PostingResult, ...] = ()
        """What became of plans that earlier runs had left in the outbox."""
        self.notes: tuple[str, ...] = ()
        """One line each: what could not be read or ended; results have them as well."""
        self._planned_for: str | None = None

    def fetch(self, address: PullAddress, *, is_dry_run: bool = False) -> PullState:
        """The pull request as it is, after what earlier runs began has been ended.

        Raises:
            GitHubError: GitHub refuses, or the poster is gone.
            UsageError: the address of the server cannot be used.
        """
        reply = self._ask(Fetch(address, is_dry_run))
        if not isinstance(reply, Fetched):
            raise GitHubError("the poster answered something else")
        self.resumed, self.notes = reply.resumed, reply.notes
        self._planned_for = reply.state.viewer_login
        return reply.state

    def post(self, address: PullAddress, plan: PostingPlan) -> PostingResult:
        """What became of each finding.

        Raises:
            GitHubError: the poster is gone; what it had begun, the next run ends.
        """
        reply = self._ask(Post(address, plan, self._planned_for))
        if not isinstance(reply, Posted):
            raise GitHubError("the poster answered something else")
        notes = dict.fromkeys((*self.notes, *reply.result.notes))
        return replace(reply.result, notes=tuple(notes))

    def close(self) -> None:
        self._channel.close()

    def _ask(self, command: Command) -> Reply:
        try:
            self._channel.send(command)
        except ValueError as error:
            raise GitHubError(f"cannot be handed to the poster: {error}") from None
        except OSError:
            raise GitHubError("the poster is gone") from None
        reply = self._channel.receive()
        if reply is None:
            raise GitHubError("the poster is gone, or gives no answer")
        if isinstance(reply, Failed):
            raise (UsageError if reply.is_usage else GitHubError)(reply.problem)
        return reply


class PosterProcess(RemotePoster):
    """A poster of one's own; ended with `close`."""

    def __init__(
        self,
        token: str,
        outbox: Path,
        base_url: str = GITHUB,
        limits: WaitLimits = WaitLimits(),  # noqa: B008  frozen
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        """
        Raises:
            UsageError: `base_url` is no https address.
        """
        self._popen, connection = start_poster(token, outbox, base_url, limits, environment)
        self.pid = self._popen.pid
        super().__init__(connection, limits)

    def close(self) -> None:
        super().close()
        try:
            self._popen.wait(_END_S)
        except subprocess.TimeoutExpired:  # in the middle of a plan: the outbox has it
            self._popen.kill()
            self._popen.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def start_poster(
    token: str,
    outbox: Path,
    base_url: str = GITHUB,
    limits: WaitLimits = WaitLimits(),  # noqa: B008  frozen
    environment: Mapping[str, str] = os.environ,
    only: PullAddress | None = None,
) -> tuple[subprocess.Popen[bytes], socket.socket]:
    """The process, and this side of the socket to it; the token is in no argument of it.

    Args:
        only: whatever is sent to it later, it asks and posts about this pull request alone.

    Raises:
        UsageError: `base_url` is no https address.
    """
    begin = Begin(token, checked_base_url(base_url), str(outbox.absolute()), limits, only)
    ours, theirs = socket.socketpair()
    with theirs:
        descriptor = theirs.fileno()
        popen = subprocess.Popen(
            [*interpreter(), "-c", _START, str(descriptor), json.dumps(search_path())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env={name: text for name, text in environment.items() if name in _KEPT_VARIABLES},
            pass_fds=(descriptor,),
            start_new_session=True,  # Ctrl-C is for the parent; a plan that is begun is ended
        )
    Channel[Reply](ours, Reply).send(begin)
    return popen, ours
