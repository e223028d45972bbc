"""A run: the items of a set, reviewed, remembered as they are done, and written as a result."""

import os
import platform
from collections.abc import Generator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from dsreview import __version__
from dsreview.benchmark.items import Item, digest
from dsreview.benchmark.journal import JOURNAL, Header, Journal
from dsreview.benchmark.replay import Replayed
from dsreview.benchmark.results import (
    RESULT,
    SCHEMA_VERSION,
    TIMES,
    BenchResult,
    RunFacts,
    SetFacts,
    Times,
    write_result,
    write_times,
)
from dsreview.benchmark.settings import CHECKS, RunOptions, told_settings
from dsreview.benchmark.shared_model import replay_with_model
from dsreview.benchmark.workers import replay_in_processes
from dsreview.change import EmptySnapshot
from dsreview.errors import UsageError
from dsreview.model_choice import chosen_backend, open_backend
from dsreview.progress import Progress
from dsreview.prompt import Backend
from dsreview.pull_scope import review_digest

JOURNAL_VERSION = 1
SCRIPTED = "scripted"
"""Its answers come in order: a run of it cannot go on in the middle."""


@dataclass(frozen=True, slots=True)
class Run:
    """What is to be run, and where it is written."""

    name: str
    """Of the set."""
    items: tuple[Item, ...]
    options: RunOptions
    folder: Path
    jobs: int
    """Processes, where there is no model."""
    fresh: bool = False
    """Forget an unfinished run in the folder."""

    @property
    def set_facts(self) -> SetFacts:
        return SetFacts(self.name, digest(self.items), len(self.items))


@dataclass(frozen=True, slots=True)
class Finished:
    result: BenchResult
    times: Times
    num_resumed: int
    """Items that an earlier, unfinished run had done."""


def run_benchmark(run: Run, progress: Progress) -> Finished:
    """Review every item that no earlier run has done; write result and times.

    Raises:
        UsageError: the folder cannot be written, or holds an unfinished run of another kind.
        BackendError: the model could not be used; what was done so far is remembered.
    """
    _make_folder(run.folder)
    config = run.options.config
    name = chosen_backend(config)
    with ExitStack() as stack:
        backend = stack.enter_context(closing(open_backend(config))) if name else None
        journal = _open_journal(run, backend)
        stack.callback(journal.close)
        done = [replayed for chunk in journal.done for replayed in chunk]
        num_resumed = len(done)
        with progress.phase("replay", len(run.items)) as phase:
            phase.reach(num_resumed, len(run.items))
            # closed at once whatever happens: nothing goes on working behind an error
            chunks = stack.enter_context(closing(_chunks(run, run.items[num_resumed:], backend)))
            for chunk in chunks:
                journal.append(chunk)
                done += chunk
                phase.reach(len(done), len(run.items))
        finished = _finished(run, backend, done, num_resumed)
        write_result(run.folder / RESULT, finished.result)
        write_times(run.folder / TIMES, finished.times)
        journal.forget()
    return finished


def _open_journal(run: Run, backend: Backend | None) -> Journal:
    config = run.options.config
    header = Header(
        journal_version=JOURNAL_VERSION,
        dsreview=__version__,
        set_sha256=run.set_facts.sha256,
        model_identity=backend.identity if backend else "",
        settings=review_digest(config, EmptySnapshot()),
        chunk_size=_chunk_size(run, backend),
        run_tests=run.options.run_tests,
    )
    is_scripted = config.backend == SCRIPTED
    return Journal.open(run.folder / JOURNAL, header, fresh=run.fresh or is_scripted)


def _chunk_size(run: Run, backend: Backend | None) -> int:
    """Items that are done whole or not at all: those whose prompts share a batch."""
    return run.options.config.batch_size if backend else 1


def _finished(
    run: Run, backend: Backend | None, done: Sequence[Replayed], num_resumed: int
) -> Finished:
    outcomes = tuple(outcome for replayed in done for outcome in replayed.outcomes)
    times = tuple(time for replayed in done for time in replayed.times)
    facts = run.set_facts
    return Finished(
        BenchResult(SCHEMA_VERSION, facts, _facts(run.options, backend, done), outcomes),
        Times(SCHEMA_VERSION, facts.sha256, machine(), times),
        num_resumed,
    )


def machine() -> str:
    """What the times were measured on, without its name."""
    return (
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPUs, "
        f"Python {platform.python_version()}"
    )


def _chunks(
    run: Run, items: Sequence[Item], backend: Backend | None
) -> Generator[Sequence[Replayed], None, None]:
    if not items:
        return
    if backend is not None:
        yield from replay_with_model(items, run.options, backend, _chunk_size(run, backend))
        return
    with closing(replay_in_processes(items, run.options, run.jobs)) as reviews:
        for one in reviews:
            yield [one]


def _facts(options: RunOptions, backend: Backend | None, done: Sequence[Replayed]) -> RunFacts:
    return RunFacts(
        version=__version__,
        backend=chosen_backend(options.config) or CHECKS,
        model=backend.model if backend else "",
        model_identity=backend.identity if backend else "",
        device=backend.device if backend else "cpu",
        prompt_revision=max((replayed.prompt_revision for replayed in done), default=""),
        settings=told_settings(options.config),
        run_tests=options.run_tests,
        counts_are_estimated=backend.counts_are_estimated if backend else False,
    )


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{folder}: {error.strerror}") from None
