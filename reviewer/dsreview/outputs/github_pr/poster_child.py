"""The poster's side of its process: the only one with the token and the network.

It sees the state of the pull request and a plan, no repository and no model, and ends when
the other side is gone; a plan that it has begun it ends first.
"""

import ctypes
import resource
import socket
import sys
from pathlib import Path

import truststore

from dsreview.backends.worker_frames import Channel
from dsreview.errors import DsreviewError, GitHubError, UsageError
from dsreview.outputs.github_pr.client import GitHub
from dsreview.outputs.github_pr.existing import fetch_state
from dsreview.outputs.github_pr.limits import Patience, SystemClock
from dsreview.outputs.github_pr.outbox import Outbox
from dsreview.outputs.github_pr.poster import Poster
from dsreview.outputs.github_pr.poster_frames import (
    Begin,
    Command,
    Failed,
    Fetched,
    Post,
    Posted,
    Reply,
)
from dsreview.outputs.github_pr.results import PostingResult

_PR_SET_DUMPABLE = 4
"""Of prctl(2), which Python has no name for."""


def main(descriptor: int) -> None:
    _hide_memory()
    truststore.inject_into_ssl()  # the certificates that this system trusts, a company's too
    channel: Channel[Command] = Channel(socket.socket(fileno=descriptor), Command)
    begin = channel.receive()
    while isinstance(begin, Begin) and (command := channel.receive()) is not None:
        try:
            channel.send(_answer(begin, command))
        except OSError:
            return  # the other side is gone


def _hide_memory() -> None:
    """It holds the token: no core dump, and no other process of this user may look into it."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def _answer(begin: Begin, command: Command) -> Reply:
    try:
        return _do(begin, command)
    except DsreviewError as error:
        return Failed(str(error), is_usage=isinstance(error, UsageError))
    except Exception as error:  # noqa: BLE001 - of the libraries; its words may hold the token
        return Failed(f"the poster failed: {type(error).__name__}")


def _do(begin: Begin, command: Command) -> Reply:
    if isinstance(command, Begin):
        return Failed("the poster has begun already")
    if begin.only not in (None, command.address):
        return Failed(f"the poster serves {begin.only} and no other pull request")
    # each command has patience of its own: a review lies between two of them
    github = GitHub(begin.base_url, begin.token, Patience(begin.limits, SystemClock()))
    try:
        poster = Poster(github, command.address, Outbox(Path(begin.outbox)))
        if isinstance(command, Post):
            return Posted(poster.post(command.plan, command.planned_for))
        resumed = () if command.is_dry_run else _resumed(poster, github)
        state = fetch_state(github, command.address)
        return Fetched(state, resumed, tuple(github.notes))
    finally:
        github.close()


def _resumed(poster: Poster, github: GitHub) -> tuple[PostingResult, ...]:
    """A review is worth its time also where the outbox cannot be used."""
    try:
        return poster.resume()
    except GitHubError as error:
        github.notes.append(f"what earlier runs had begun was not ended: {error}")
        return ()
