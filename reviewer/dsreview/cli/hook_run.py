"""`dsreview hook run`: what git calls. Nothing here imports typer, nor the reviewer unasked."""

import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from dsreview.change import EmptySnapshot
from dsreview.config import Config, load, user_config_file
from dsreview.errors import DsreviewError
from dsreview.githook.deadline import Deadline
from dsreview.githook.events import HookCall
from dsreview.githook.hook_review import HookRun

if TYPE_CHECKING:
    from dsreview.change import Change
    from dsreview.report import Report

FAILED = 3
FIRST_TASKS = ("dsreview.checks.rule_tasks", "ast_grep_py", "dsreview.symbols.tasks")
"""Modules of what the checks run in the sandbox."""


def run_hook(name: str, arguments: Sequence[str], flags: Mapping[str, object]) -> int:
    """Review for the hook `name`; 0 lets git go on.

    Whatever fails lets it go on as well, with a line that says so, unless `strict`.
    """
    is_strict = bool(flags.get("strict"))
    try:
        config = load(EmptySnapshot(), flags, user_file=user_config_file())
        is_strict = config.strict
        return _run(HookCall(name, arguments, os.environ, Path.cwd(), _read_input), flags, config)
    except DsreviewError as error:
        return _fail(str(error), error.exit_code, is_strict=is_strict)
    except Exception as error:  # whatever it is, no commit is to fail of it
        if os.environ.get("DSREVIEW_TRACEBACK"):
            raise
        name = type(error).__name__
        return _fail(f"dsreview failed: {name}: {error}", FAILED, is_strict=is_strict)


def _run(call: HookCall, flags: Mapping[str, object], config: Config) -> int:
    deadline = Deadline(config.deadline_s)
    deadline.exit_code = FAILED if config.strict else 0
    deadline.last_words = _words(
        f"not done within {config.deadline_s:g} s", is_strict=config.strict
    )
    with deadline.held():
        return HookRun(call, flags, _review, sys.stderr, deadline).run()


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

    # the framework collects what is written, and shows it at the end
    is_watched = os.environ.get(FRAMEWORK) != "1"
    with ExitStack() as drawn:
        progress = drawn.enter_context(open_progress()) if is_watched else SilentProgress()
        return review(change, config, open_tools(config, progress, stack, sandbox=sandbox))


def _fail(problem: str, exit_code: int, *, is_strict: bool) -> int:
    from dsreview.sanitize import terminal_line

    line = terminal_line(" ".join(problem.split()))
    sys.stderr.write(f"{_words(line, is_strict=is_strict)}\n")
    return exit_code if is_strict else 0


def _words(problem: str, *, is_strict: bool) -> str:
    end = "stopped (strict)" if is_strict else "git goes on"
    return f"dsreview: not reviewed, {end}: {problem}"
