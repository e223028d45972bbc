"""`dsreview hook`: what git runs before a commit or a push, and how it gets there."""

from typing import Annotated

import typer

from dsreview.cli import hook_install
from dsreview.cli.hook_options import DEADLINE, FAIL_ON, FINISH, MODE, STRICT
from dsreview.cli.option_types import (
    ApiKeyEnv,
    BackendName,
    Cache,
    ContextMode,
    Daemon,
    Device,
    Disable,
    Exclude,
    MaxFindings,
    MaxRounds,
    MaxTokens,
    MinSeverity,
    Model,
    PartialOk,
    Runner,
    ServerUrl,
    Weights,
)

hooks = typer.Typer(
    name="hook",
    help="Review before git commits, merges or pushes.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
hook_install.register(hooks)


@hooks.command("run")
def run(
    context: typer.Context,
    name: Annotated[
        str,
        typer.Argument(
            metavar="[NAME]",
            help="pre-commit, pre-merge-commit, pre-push or manual; none: as the pre-commit "
            "framework says, or what is staged.",
            show_default=False,
        ),
    ] = "",
    arguments: Annotated[
        list[str] | None, typer.Argument(metavar="[ARGS...]", help="What git gave the hook.")
    ] = None,
    mode: Annotated[
        str | None, typer.Option(MODE.flag, metavar=MODE.metavar, help=MODE.help)
    ] = None,
    deadline_s: Annotated[
        str | None,
        typer.Option(DEADLINE.flag, metavar=DEADLINE.metavar, help=DEADLINE.help),
    ] = None,
    strict: Annotated[bool | None, typer.Option(STRICT.flag, help=STRICT.help)] = None,
    finish: Annotated[bool | None, typer.Option(FINISH.flag, help=FINISH.help)] = None,
    interactive: Annotated[
        bool | None,
        typer.Option("--interactive", help="Offer to apply suggestions, on a terminal."),
    ] = None,
    notify: Annotated[
        bool | None,
        typer.Option("--notify/--no-notify", help="Tell the desktop what the background found."),
    ] = None,
    fail_on: Annotated[
        str | None,
        typer.Option(FAIL_ON.flag, metavar=FAIL_ON.metavar, help=FAIL_ON.help),
    ] = None,
    min_severity: MinSeverity = None,
    max_findings: MaxFindings = None,
    partial_ok: PartialOk = None,
    max_tokens: MaxTokens = None,
    max_rounds: MaxRounds = None,
    context_mode: ContextMode = None,
    disable: Disable = None,
    exclude: Exclude = None,
    model: Model = None,
    backend: BackendName = None,
    device: Device = None,
    runner: Runner = None,
    weights: Weights = None,
    daemon: Daemon = None,
    base_url: ServerUrl = None,
    api_key_env: ApiKeyEnv = None,
    cache: Cache = None,
) -> None:
    """Review what git is about to commit, merge or push; git calls it as a hook.

    \b
    dsreview hook run                              what is staged
    dsreview hook run pre-commit --mode block      stop the commit at --fail-on
    dsreview hook run --mode background            do not wait; the next hook shows the result
    dsreview hook run --deadline 10s --finish      wait 10 s, do the rest in the background
    dsreview hook run pre-push origin URL < refs   as git calls it before a push

    In mode warn (the default) git always goes on, in mode block not with a finding at or above
    --fail-on. Where the review itself fails git goes on, with a line that says so, but with
    --strict. What it wrote last is shown again by `dsreview last`.

    Exit codes: 0 git goes on; 1 stopped by a finding; 2, 3 stopped by a failure (--strict).
    """
    from dsreview.cli.hook_run import run_hook
    from dsreview.cli.options import flags_of

    given = (*(arguments or ()), *(context.obj or ()))
    raise typer.Exit(run_hook(name, given, flags_of(context.params)))
