"""How far a download is, on standard error: a bar for a person, a line a file for a log."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dsreview.sanitize import terminal_line

if TYPE_CHECKING:
    from rich.progress import Progress

    from dsreview.models.patience import Bar
    from dsreview.models.revisions import RemoteFile


@contextmanager
def download_bar() -> Iterator["Bar"]:
    if not sys.stderr.isatty() or os.environ.get("TERM", "dumb") == "dumb":
        yield LineBar()
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    with Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(24, style="dim", complete_style="cyan", finished_style="cyan"),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    ) as bars:
        yield RichBar(bars)


class LineBar:
    """For a file or a pipe."""

    def start(self, file: "RemoteFile") -> None:
        self._say(f"{file.name}: {file.size:,} bytes")

    def reach(self, num_bytes: int) -> None:
        """Nobody watches."""

    def pause(self, reason: str, wait_s: float) -> None:
        self._say(f"{reason}; next try in {wait_s:.0f} s")

    def _say(self, text: str) -> None:
        sys.stderr.write(f"{terminal_line(text)}\n")


class RichBar:
    def __init__(self, bars: "Progress") -> None:
        self._bars = bars
        self._row = bars.add_task("", total=None, visible=False)

    def start(self, file: "RemoteFile") -> None:
        self._bars.update(self._row, completed=file.size)
        self._row = self._bars.add_task(terminal_line(file.name), total=file.size)

    def reach(self, num_bytes: int) -> None:
        self._bars.update(self._row, completed=num_bytes)

    def pause(self, reason: str, wait_s: float) -> None:
        self._bars.console.print(
            terminal_line(f"{reason}; next try in {wait_s:.0f} s"), markup=False, highlight=False
        )
