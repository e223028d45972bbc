"""`dsreview pr`: review a pull request on GitHub, and post what was found."""

from pathlib import Path
from typing import Annotated

import typer

from dsreview.cli.option_types import (
    ApiKeyEnv,
    BackendName,
    BatchSize,
    Budget,
    Cache,
    ContextMode,
    Device,
    Disable,
    Exclude,
    FailOn,
    Folder,
    MaxRounds,
    MaxTokens,
    MinSeverity,
    Model,
    PartialOk,
    Runner,
    Weights,
    Window,
)
from dsreview.errors import UsageError

FORMATS = ("terminal", "json")


def pr(
    context: typer.Context,
    target: Annotated[
        str,
        typer.Argument(
            metavar="OWNER/REPO#N | URL",
            help="The pull request. None: inside GitHub Actions, that of the event.",
            show_default=False,
        ),
    ] = "",
    folder: Folder = Path(),
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be posted, and post nothing.")
    ] = False,
    output_format: Annotated[
        str, typer.Option("--format", metavar="NAME", help=f"One of {', '.join(FORMATS)}.")
    ] = "terminal",
    full: Annotated[
        bool,
        typer.Option("--full/--incremental", help="All of it, not what came since the last time."),
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", help="Where nothing was found, say and post nothing.")
    ] = False,
    max_comments: Annotated[
        int, typer.Option(metavar="N", min=0, help="Comments on the code; the rest is summed up.")
    ] = 20,
    api_url: Annotated[
        str,
        typer.Option("--base-url", metavar="URL", help="GitHub Enterprise: https://HOST/api/v3."),
    ] = "",
    token_fd: Annotated[
        int | None,
        typer.Option(metavar="N", min=0, help="Read the token there, not from GITHUB_TOKEN."),
    ] = None,
    ephemeral_runner: Annotated[
        bool,
        typer.Option(
            "--ephemeral-runner",
            help="I state: this self-hosted runner is thrown away after each job.",
        ),
    ] = False,
    fail_on: FailOn = None,
    min_severity: MinSeverity = None,
    partial_ok: PartialOk = None,
    budget_s: Budget = None,
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
    batch_size: BatchSize = None,
    window: Window = None,
    api_key_env: ApiKeyEnv = None,
    cache: Cache = None,
    poster: Annotated[int | None, typer.Option(hidden=True)] = None,
) -> None:
    """Review a pull request and post one review with comments on its lines.

    \b
    dsreview pr octo/project#7            in a clone of it, with GITHUB_TOKEN
    dsreview pr https://github.com/octo/project/pull/7 --dry-run
    dsreview pr                           inside GitHub Actions
    """
    from dsreview.cli import pull, run
    from dsreview.cli.options import flags_of

    run.require_format(output_format, FORMATS)
    names = (*((target,) if target else ()), *(context.obj or ()))  # those behind `--`
    if len(names) > 1:
        raise UsageError(f"{names[1]}: one pull request at a time")
    options = pull.PullOptions(
        target=names[0] if names else "",
        folder=folder.absolute(),
        is_dry_run=dry_run,
        output=output_format,
        is_full=full,
        is_quiet=quiet,
        max_comments=max_comments,
        api_url=api_url,
        token_descriptor=token_fd,
        is_ephemeral=ephemeral_runner,
        flags=flags_of(context.params),
    )
    if poster is None:
        pull.give_token_away(options)
    raise typer.Exit(pull.review(options, poster))
