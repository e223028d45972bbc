"""`dsreview hook run`: what git calls. Nothing here imports typer, nor the reviewer unasked."""

import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from dsreview.cli.settling import settle_first
from dsreview.config import Config, load, user_config_file
from dsreview.githook.deadline import Deadline
from dsreview.githook.events import HookCall
from dsreview.githook.hook_review import HookRun
from dsreview.githook.standing import Standing

if TYPE_CHECKING:
    from dsreview.change import Change
    from dsreview.prompt import Backend
    from dsreview.report import Report
    from dsreview.sources import SourceRequest

FIRST_TASKS = ("dsreview.checks.rule_tasks", "ast_grep_py", "dsreview.symbols.tasks")
"""Modules of what the checks run in the sandbox."""


def run_hook(name: str, arguments: Sequence[str], flags: Mapping[str, object]) -> int:
    """Review for the hook `name`; 0 lets git go on.

    Whatever fails lets it go on as well, with a line that says so, unless `strict`.
    """
    standing = Standing(bool(flags.get("strict")))

    def run() -> int:
        config = load(None, flags, user_file=user_config_file())
        standing.is_strict = config.strict
        call = HookCall(name, arguments, os.environ, Path.cwd(), _read_input)
        settle_first(call.folder)
        deadline = Deadline(config.deadline_s)
        hook = HookRun(call, flags, _review, _offer, sys.stderr, deadline, standing)
        with deadline.held():
            return standing.ended(hook.run)

    return standing.ended(run)


def _read_input() -> bytes:
    """What git writes to the hook; nothing where a person would have to type it."""
    if sys.stdin is None or sys.stdin.isatty():
        return b""
    return sys.stdin.buffer.read()


def _review(change: "Change", config: Config, stack: ExitStack) -> "Report":
    from dsreview.sandbox import Sandbox
    from dsreview.sandbox.warm_up import warm_up

    sandbox = stack.enter_context(Sandbox())
    warm_up(sandbox, FIRST_TASKS)  # before the imports, which take as long
    from dsreview.githook.events import FRAMEWORK
    from dsreview.progress import SilentProgress, open_progress
    from dsreview.review import review
    from dsreview.review_tools import open_tools

    def open_model(config: Config) -> "Backend":
        return _open_model(config, stack)

    # the framework collects what is written, and shows it at the end
    is_watched = os.environ.get(FRAMEWORK) != "1"
    with ExitStack() as drawn:
        progress = drawn.enter_context(open_progress()) if is_watched else SilentProgress()
        return review(change, config, open_tools(config, progress, stack, open_model, sandbox))


def _open_model(config: Config, stack: ExitStack) -> "Backend":
    """The model, which no deadline finds in this process: it can be left at any time."""
    from dsreview.backends.closed_later import ClosedLater
    from dsreview.model_choice import RESIDENT, chosen_backend, open_backend, open_worker

    is_heavy = chosen_backend(config) == RESIDENT
    backend = open_worker(config) if is_heavy else open_backend(config)
    stack.callback(backend.close)
    return ClosedLater(backend)


def _offer(
    report: "Report", change: "Change", config: Config, request: "SourceRequest"
) -> "Report | None":
    """What is left of the findings when a person has gone through them; None without a terminal.

    Raises:
        KeyboardInterrupt: Ctrl-C, which ends the commit as well.
    """
    from dsreview.cli.interactive import offer
    from dsreview.cli.run import Reviewed
    from dsreview.cli.screen import attached_screen

    with attached_screen() as screen:
        if screen is None:
            return None
        outcome = offer(Reviewed(report, change, config), request, screen)
    if outcome.is_interrupted:
        raise KeyboardInterrupt
    return replace(report, findings=outcome.left)
