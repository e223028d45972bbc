"""From the arguments of `dsreview bench` to a result, a page and a table."""

import os
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import typer

from dsreview.benchmark.items import read_items
from dsreview.benchmark.results import RESULT
from dsreview.benchmark.running import Run, run_benchmark
from dsreview.benchmark.sets import find_set
from dsreview.benchmark.settings import RunOptions, config_for
from dsreview.cli.bench_summary import print_summary
from dsreview.errors import UsageError
from dsreview.progress import open_progress
from dsreview.sanitize import terminal_safe

PAGE = "report.html"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the arguments ask for."""

    set_name: str
    backend: str
    out: Path | None
    html: Path | None
    limit: int | None
    jobs: int | None
    fresh: bool
    run_tests: bool


def run_and_write(wanted: Wanted, flags: Mapping[str, object]) -> None:
    """Run, write, and print what came of it.

    Raises:
        UsageError: arguments, the set, or a place that cannot be written.
        BackendError: the model could not be used.
    """
    config = config_for(wanted.backend, flags)
    name, path = find_set(wanted.set_name)
    items = tuple(islice(read_items(path), wanted.limit))
    if not items:
        raise UsageError(f"{path}: holds no items")
    folder = wanted.out or Path("dsreview-bench") / f"{name}-{wanted.backend}"
    run = Run(
        name=name,
        items=items,
        options=RunOptions(config, wanted.run_tests),
        folder=folder,
        jobs=wanted.jobs or os.cpu_count() or 1,
        fresh=wanted.fresh,
    )
    with ExitStack() as stack:
        progress = stack.enter_context(open_progress())
        finished = run_benchmark(run, progress)
    print_summary(finished)
    typer.echo(terminal_safe(f"result: {folder / RESULT}"))
