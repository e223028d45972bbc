"""From the arguments of `dsreview bench` to a result, a page and a table."""

import os
import re
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import typer

from dsreview.benchmark.page import render_page
from dsreview.benchmark.results import RESULT
from dsreview.benchmark.running import Finished, Run, run_benchmark
from dsreview.benchmark.sets import find_set
from dsreview.benchmark.settings import CHECKS, RunOptions, config_for, told_settings
from dsreview.cli.bench_summary import print_summary
from dsreview.config import Config
from dsreview.durable import replace_durably
from dsreview.errors import UsageError
from dsreview.progress import open_progress
from dsreview.sanitize import terminal_safe

PAGE = "report.html"
RESULTS_FOLDER = "dsreview-bench"


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
    without: tuple[str, ...] = ()
    """Parts that are left out: `--ablate`."""


def run_and_write(wanted: Wanted, flags: Mapping[str, object]) -> None:
    """Run, write, and print what came of it.

    Raises:
        UsageError: arguments, the set, or a place that cannot be written.
        BackendError: the model could not be used.
    """
    config = config_for(wanted.backend, flags)
    found = find_set(wanted.set_name)
    folder = wanted.out or Path(RESULTS_FOLDER) / _folder_name(found.name, wanted, config)
    page = wanted.html or folder / PAGE
    if wanted.out is None:
        _refuse_links(folder)
    _refuse_unwritable(page, folder)
    items = tuple(islice(found.items(), wanted.limit))
    if not items:
        raise UsageError(f"--set {wanted.set_name}: holds no items")
    run = Run(
        name=found.name,
        items=items,
        options=RunOptions(config, wanted.run_tests),
        folder=folder,
        jobs=wanted.jobs or os.cpu_count() or 1,
        fresh=wanted.fresh,
    )
    finished = _run(run)
    _write_page(page, finished)
    print_summary(finished)
    typer.echo(terminal_safe(f"result: {folder / RESULT}\npage:   {page}"))


def _run(run: Run) -> Finished:
    try:
        with ExitStack() as stack:
            return run_benchmark(run, stack.enter_context(open_progress()))
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; the same command goes on from here\n")
        raise


def _folder_name(set_name: str, wanted: Wanted, config: Config) -> str:
    """Runs of other settings do not write over each other."""
    parts = [set_name, wanted.backend]
    if wanted.backend != CHECKS and config.model != "auto":
        parts.append(Path(config.model).name)
    usual = told_settings(Config())
    parts += [
        f"{name}-{text}"
        for name, text in told_settings(config).items()
        if text != usual[name] and not wanted.without
    ]
    parts += [f"without-{part}" for part in sorted(set(wanted.without))]
    if wanted.limit is not None:
        parts.append(f"first-{wanted.limit}")
    return re.sub(r"[^\w.-]+", "-", "-".join(parts))


def _refuse_links(folder: Path) -> None:
    """In the current folder, the links may be those of anybody's repository.

    Raises:
        UsageError: the folder leads elsewhere.
    """
    if os.path.realpath(folder) != os.path.normpath(Path.cwd().resolve() / folder):
        raise UsageError(f"{folder}: leads elsewhere through a symbolic link; use --out")


def _refuse_unwritable(page: Path, folder: Path) -> None:
    """Better now than after hours of work.

    Raises:
        UsageError: the page cannot be written there.
    """
    if page.parent == folder:
        return
    if not (page.parent.is_dir() and os.access(page.parent, os.W_OK)):
        raise UsageError(f"--html {page}: its folder does not exist or cannot be written to")
    if page.is_dir():
        raise UsageError(f"--html {page}: is a folder")


def _write_page(page: Path, finished: Finished) -> None:
    try:
        replace_durably(page, render_page(finished.result, finished.times).encode())
    except OSError as error:
        raise UsageError(f"{page}: {error.strerror}") from None
