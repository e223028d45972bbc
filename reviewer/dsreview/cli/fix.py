"""`dsreview fix`: apply every verified suggestion of a review, or print them as a patch."""

from pathlib import Path
from typing import Annotated

import typer

from dsreview.cli.option_types import (
    ApiKeyEnv,
    BackendName,
    BatchSize,
    Budget,
    Cache,
    Commit,
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
    ServerUrl,
    Staged,
    Untracked,
    Weights,
    Window,
)


def fix(
    context: typer.Context,
    revision: Annotated[
        str,
        typer.Argument(
            metavar="REV | A..B | A...B",
            help="As for dsreview diff; commits only with --dry-run. Paths to keep to follow "
            "behind --.",
            show_default=False,
        ),
    ] = "",
    staged: Staged = False,
    commit: Commit = "",
    untracked: Untracked = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Change nothing; print a patch for git apply.")
    ] = False,
    folder: Folder = Path(),
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
    base_url: ServerUrl = None,
    api_key_env: ApiKeyEnv = None,
    cache: Cache = None,
) -> None:
    """Apply every verified suggestion; `dsreview undo --all` takes them back.

    \b
    dsreview fix                          to the files on disk
    dsreview fix --staged                 to the index and the files on disk
    dsreview fix A...B --dry-run | git apply   in the top folder of the repository

    Exit codes: 0 nothing at or above --fail-on is left, 1 something is, 2 usage, 3 not
    everything was reviewed or a suggestion could not be applied. With --dry-run: 0, or 3.
    """
    from dsreview.cli.fixing import fix_all, print_patch
    from dsreview.cli.options import flags_of
    from dsreview.cli.settling import settle_first
    from dsreview.sources import SourceRequest

    request = SourceRequest(
        folder=folder.absolute(),
        revision=revision,
        is_staged=staged,
        commit=commit,
        paths=context.obj or (),
        with_untracked=untracked,
    )
    settle_first(folder)
    do = print_patch if dry_run else fix_all
    raise typer.Exit(do(request, flags_of(context.params)))
