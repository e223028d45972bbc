"""`dsreview bench`: what the reviewer is worth on bugs that are known."""

from pathlib import Path
from typing import Annotated

import typer

from dsreview.cli import bench_compare, bench_make
from dsreview.cli.option_types import (
    ApiKeyEnv,
    BatchSize,
    ContextMode,
    Daemon,
    Device,
    Disable,
    Examples,
    MaxRounds,
    MinConfidence,
    MinSeverity,
    Model,
    Runner,
    ServerUrl,
    Votes,
    Weights,
    Window,
)

bench = typer.Typer(
    name="bench",
    rich_markup_mode=None,
    invoke_without_command=True,
)


@bench.callback()
def run(
    context: typer.Context,
    set_name: Annotated[
        str,
        typer.Option(
            "--set", metavar="NAME|FILE", help="A set in DSREVIEW_BENCH_DIR, or a JSONL file."
        ),
    ] = "",
    backend: Annotated[
        str, typer.Option(metavar="NAME", help="checks, local, http, scripted or auto.")
    ] = "checks",
    out: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="For the result; ./dsreview-bench/SET-BACKEND."),
    ] = None,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The page; report.html in the folder.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Only the first N items.")
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Processes without a model; one a processor."),
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Forget an unfinished run in the folder.")
    ] = False,
    run_tests: Annotated[
        bool,
        typer.Option(
            "--run-tests", help="Execute the set's own tests on suggestions (Python items)."
        ),
    ] = False,
    calibrate: Annotated[
        Path | None,
        typer.Option(metavar="RESULT", help="Fit the model's confidence to a result, and no run."),
    ] = None,
    ablate: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PART",
            help="Without context, examples or repair; repeatable.",
            show_default=False,
        ),
    ] = None,
    context_mode: ContextMode = None,
    max_rounds: MaxRounds = None,
    examples: Examples = None,
    votes: Votes = None,
    min_severity: MinSeverity = None,
    min_confidence: MinConfidence = None,
    disable: Disable = None,
    model: Model = None,
    device: Device = None,
    runner: Runner = None,
    weights: Weights = None,
    batch_size: BatchSize = None,
    window: Window = None,
    base_url: ServerUrl = None,
    api_key_env: ApiKeyEnv = None,
    daemon: Daemon = None,
) -> None:
    """Review a set of known bugs, and say how often the reviewer is right.

    \b
    dsreview bench --set humanevalpack --backend checks    no model
    dsreview bench --set ours.jsonl --backend local --model DIR
    dsreview bench make --from-git REPO --out ours.jsonl   a set of your own
    dsreview bench compare A B                             two results
    dsreview bench --calibrate RESULT                      make its model's confidence honest

    An interrupted run goes on where it was when it is started again.
    """
    if context.invoked_subcommand is not None:
        return
    if calibrate is not None:
        from dsreview.cli.bench_calibrate import calibrate_and_keep

        calibrate_and_keep(calibrate)
        return
    from dsreview.benchmark.ablation import without
    from dsreview.cli.bench_run import Wanted, run_and_write
    from dsreview.cli.options import flags_of
    from dsreview.errors import UsageError

    if not set_name:
        raise UsageError("bench needs --set NAME, or one of its commands; --help lists them")
    flags = without(ablate or (), flags_of({**context.params, "backend": None}))
    parts = tuple(ablate or ())
    wanted = Wanted(set_name, backend, out, html, limit, jobs, fresh, run_tests, parts)
    run_and_write(wanted, flags)


bench.command("compare")(bench_compare.compare)
bench.command("make")(bench_make.make)
