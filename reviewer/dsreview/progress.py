"""What is going on, on standard error, while a person waits; nothing where nobody looks."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TextIO

from dsreview.sanitize import terminal_line

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID


class Phase(Protocol):
    """One stage of a review: reading, checks, model, repair."""

    def advance(self) -> None:
        """One more is done."""
        ...

    def reach(self, num_done: int, num_all: int) -> None:
        """So many of so many are done."""
        ...


class Progress(Protocol):
    def phase(self, name: str, num_all: int | None = None) -> AbstractContextManager[Phase]:
        """A stage that lasts as long as the context; `num_all` None: nobody knows how long."""
        ...


def open_progress(
    stream: TextIO | None = None, environment: Mapping[str, str] | None = None
) -> AbstractContextManager[Progress]:
    """Progress on `stream` (standard error) if a person can see it there.

    What it drew is wiped when the context ends, before the report is written.
    """
    stream = sys.stderr if stream is None else stream
    environment = os.environ if environment is None else environment
    if not stream.isatty() or environment.get("TERM", "dumb") == "dumb":
        return nullcontext(SilentProgress())
    return _terminal_progress(stream, environment)


@dataclass(frozen=True, slots=True)
class SilentPhase:
    def advance(self) -> None:
        return None

    def reach(self, num_done: int, num_all: int) -> None:
        return None


@dataclass(frozen=True, slots=True)
class SilentProgress:
    def phase(self, name: str, num_all: int | None = None) -> AbstractContextManager[Phase]:
        return nullcontext(SilentPhase())


@contextmanager
def _terminal_progress(stream: TextIO, environment: Mapping[str, str]) -> Iterator[Progress]:
    from rich.console import Console  # costs time that a hook without a terminal must not pay
    from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as RichProgress

    bars = RichProgress(
        SpinnerColumn("line", style="dim"),
        TextColumn("{task.description:<10}", markup=False),
        BarColumn(24, style="dim", complete_style="cyan", finished_style="cyan"),
        TextColumn("{task.fields[counts]}", markup=False),
        TimeElapsedColumn(),
        console=Console(file=stream, _environ=environment),
        transient=True,
        refresh_per_second=8,
        redirect_stdout=False,  # the report may go to a pipe meanwhile
        redirect_stderr=False,
    )
    with bars:
        yield _TerminalProgress(bars)


@dataclass(frozen=True, slots=True)
class _TerminalProgress:
    bars: "RichProgress"

    @contextmanager
    def phase(self, name: str, num_all: int | None = None) -> Iterator[Phase]:
        counts = "" if num_all is None else f"0 of {num_all}"
        task = self.bars.add_task(terminal_line(name), total=num_all, counts=counts)
        try:
            yield _TerminalPhase(self.bars, task)
        finally:
            self.bars.remove_task(task)


@dataclass(frozen=True, slots=True)
class _TerminalPhase:
    bars: "RichProgress"
    row: "TaskID"

    def advance(self) -> None:
        task = next(task for task in self.bars.tasks if task.id == self.row)
        if task.total is None:
            self.bars.update(self.row, advance=1, counts=f"{task.completed + 1:.0f}")
        else:
            self.reach(int(task.completed) + 1, int(task.total))

    def reach(self, num_done: int, num_all: int) -> None:
        self.bars.update(
            self.row, completed=num_done, total=num_all, counts=f"{num_done} of {num_all}"
        )
