"""`dsreview diff`: review a change of a git repository, or a patch."""

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
    Daemon,
    Device,
    Disable,
    Examples,
    Exclude,
    FailOn,
    Folder,
    MaxFindings,
    MaxRounds,
    MaxTokens,
    MinConfidence,
    MinSeverity,
    Model,
    PartialOk,
    Runner,
    ServerUrl,
    Staged,
    Untracked,
    Votes,
    Weights,
    Window,
)

FORMATS = ("terminal", "json", "markdown", "sarif", "rdjson", "github", "gitlab")
"""The rows of `outputs.OUTPUTS`, which would cost time to import; a test compares the two."""


def diff(
    context: typer.Context,
    revision: Annotated[
        str,
        typer.Argument(
            metavar="REV | A..B | A...B",
            help="REV: the files on disk against it. A..B: two commits; A...B: from their merge "
            "base. None: the files on disk against HEAD. Paths to keep to follow behind --.",
            show_default=False,
        ),
    ] = "",
    staged: Staged = False,
    commit: Commit = "",
    patch: Annotated[
        str, typer.Option(metavar="FILE", help="A patch file; - reads standard input.")
    ] = "",
    untracked: Untracked = False,
    folder: Folder = Path(),
    output_format: Annotated[
        str, typer.Option("--format", metavar="NAME", help=f"One of {', '.join(FORMATS)}.")
    ] = "terminal",
    output: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the report there; - is standard output."),
    ] = None,
    preview: Annotated[
        bool, typer.Option("--preview", help="Only list each file and why it is in or out.")
    ] = False,
    interactive: Annotated[
        bool,
        typer.Option("--interactive", "-i", help="Ask about each finding, and apply what you say."),
    ] = False,
    fail_on: FailOn = None,
    min_severity: MinSeverity = None,
    min_confidence: MinConfidence = None,
    max_findings: MaxFindings = None,
    partial_ok: PartialOk = None,
    budget_s: Budget = None,
    max_tokens: MaxTokens = None,
    max_rounds: MaxRounds = None,
    votes: Votes = None,
    examples: Examples = None,
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
    daemon: Daemon = None,
    cache: Cache = None,
) -> None:
    """Review a change; the exit code says whether anything was found.

    \b
    dsreview diff                         the files on disk against HEAD
    dsreview diff --staged                what would be committed
    dsreview diff main...HEAD             a branch
    dsreview diff HEAD~1 -- src tests     only these paths
    git diff | dsreview diff --patch -    any patch
    dsreview diff --staged --interactive  asks about each finding; applies what you accept
    """
    from dsreview.cli import run
    from dsreview.cli.options import flags_of
    from dsreview.cli.settling import settle_first
    from dsreview.errors import UsageError
    from dsreview.sources import SourceRequest

    run.require_format(output_format, FORMATS)
    request = SourceRequest(
        folder=folder.absolute(),
        revision=revision,
        is_staged=staged,
        commit=commit,
        patch=run.read_patch(patch, folder),
        paths=context.obj or (),
        with_untracked=untracked,
    )
    flags = flags_of(context.params)
    settle_first(folder)
    if interactive:
        from dsreview.cli.interactive import review_interactively

        if output is not None or output_format != FORMATS[0]:
            raise UsageError("--interactive talks to a terminal; --format and --output do not")
        raise typer.Exit(review_interactively(request, flags))
    if preview:
        raise typer.Exit(run.preview(request, flags))
    target = None if output is None or str(output) == "-" else folder / output
    raise typer.Exit(run.review(request, flags, output_format, target))
