"""`dsreview diff`: review a change of a git repository, or a patch.

The options that set a field of `Config` carry its name; their default None means
"not given", so that files and the environment have their say.
"""

from pathlib import Path
from typing import Annotated

import typer

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
    staged: Annotated[
        bool, typer.Option("--staged", "--cached", help="What would be committed now.")
    ] = False,
    commit: Annotated[
        str, typer.Option(metavar="SHA", help="One commit, against its first parent.")
    ] = "",
    patch: Annotated[
        str, typer.Option(metavar="FILE", help="A patch file; - reads standard input.")
    ] = "",
    untracked: Annotated[
        bool, typer.Option("--untracked", help="With files that git does not know yet.")
    ] = False,
    folder: Annotated[
        Path,
        typer.Option(
            "-C", metavar="DIR", exists=True, file_okay=False, help="Run as if started in DIR."
        ),
    ] = Path(),
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
    fail_on: Annotated[
        str | None,
        typer.Option(metavar="SEVERITY", help="Mildest finding that makes the exit code 1."),
    ] = None,
    min_severity: Annotated[
        str | None, typer.Option(metavar="SEVERITY", help="Milder findings are left out.")
    ] = None,
    max_findings: Annotated[
        str | None, typer.Option(metavar="N", help="Findings shown in full; the rest is counted.")
    ] = None,
    partial_ok: Annotated[
        bool | None, typer.Option("--partial-ok", help="Exit 0, not 3, where not all was seen.")
    ] = None,
    budget_s: Annotated[
        str | None, typer.Option("--budget", metavar="TIME", help="Stop after, say, 60s or 2m.")
    ] = None,
    max_tokens: Annotated[
        str | None, typer.Option(metavar="N", help="Tokens the model may read and write in all.")
    ] = None,
    max_rounds: Annotated[
        str | None,
        typer.Option(metavar="N", help="Asks for one suggestion in all."),
    ] = None,
    context_mode: Annotated[
        str | None,
        typer.Option("--context", metavar="MODE", help="Shown around it: hunk, scope, outline."),
    ] = None,
    disable: Annotated[
        list[str] | None, typer.Option(metavar="RULE", help="Do not run this rule; repeatable.")
    ] = None,
    exclude: Annotated[
        list[str] | None, typer.Option(metavar="GLOB", help="Do not review these; repeatable.")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="A folder (/..., ./..., ~/...), a cached name, or auto."),
    ] = None,
    backend: Annotated[
        str | None, typer.Option(metavar="NAME", help="auto, none, local, http or scripted.")
    ] = None,
    device: Annotated[
        str | None, typer.Option(metavar="NAME", help="auto, mps, cuda or cpu.")
    ] = None,
    batch_size: Annotated[
        str | None, typer.Option(metavar="N", help="Contexts the local model answers at once.")
    ] = None,
    window: Annotated[
        str | None,
        typer.Option(metavar="N", help="Tokens the http server takes in all."),
    ] = None,
    base_url: Annotated[
        str | None, typer.Option(metavar="URL", help="An OpenAI-compatible server, for http.")
    ] = None,
    api_key_env: Annotated[
        str | None, typer.Option(metavar="VARIABLE", help="Variable with the server's key.")
    ] = None,
    cache: Annotated[
        bool | None, typer.Option("--cache/--no-cache", help="Keep answers for unchanged code.")
    ] = None,
) -> None:
    """Review a change; the exit code says whether anything was found.

    \b
    dsreview diff                         the files on disk against HEAD
    dsreview diff --staged                what would be committed
    dsreview diff main...HEAD             a branch
    dsreview diff HEAD~1 -- src tests     only these paths
    git diff | dsreview diff --patch -    any patch
    """
    from dsreview.cli import run
    from dsreview.cli.options import flags_of
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
    if preview:
        raise typer.Exit(run.preview(request, flags))
    target = None if output is None or str(output) == "-" else folder / output
    raise typer.Exit(run.review(request, flags, output_format, target))
