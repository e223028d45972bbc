"""`dsreview hook install`, `uninstall` and `status`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dsreview.cli.option_types import Folder
from dsreview.githook.installation import COMMIT_STAGES, Stage

if TYPE_CHECKING:
    from dsreview.githook.installing import Outcome

NOT_DONE = 1
"""Exit code: what was asked for is not so, and the lines say why."""

Stages = Annotated[
    list[Stage] | None,
    typer.Option(
        "--stage", metavar="NAME", help=f"One of {', '.join(Stage)}; repeat it for several."
    ),
]


def install(stage: Stages = None, folder: Folder = Path()) -> None:
    """Have git call dsreview.

    Before commits and merges, where no --stage is named. Where another program keeps the
    hooks, nothing is changed: it says what to add there.

    \b
    dsreview hook install                                         commits and merges
    dsreview hook install --stage pre-commit --stage pre-push     commits and pushes

    Exit codes: 0 git calls dsreview; 1 nothing was changed; 2 wrong usage.
    """
    from dsreview.githook import installing

    _finish(installing.install(folder, stage or COMMIT_STAGES))


def uninstall(stage: Stages = None, folder: Folder = Path()) -> None:
    """Remove the hooks that dsreview wrote, and nothing else.

    All of them, where no --stage is named. A hook that has lines of others is left.

    Exit codes: 0 git does not call dsreview any more; 1 it does, for the reason that is
    said; 2 wrong usage.
    """
    from dsreview.githook import installing

    _finish(installing.uninstall(folder, stage or tuple(Stage)))


def status(stage: Stages = None, folder: Folder = Path()) -> None:
    """Say what git calls, and whether that leads to dsreview.

    Exit codes: 0 each --stage leads to dsreview (where none is named: one does, and no hook
    is stale); 1 it does not; 2 wrong usage.
    """
    from dsreview.githook import installing

    _finish(installing.status(folder, stage or ()))


def register(group: typer.Typer) -> None:
    """Add the three to `dsreview hook`."""
    for command in (install, uninstall, status):
        group.command(command.__name__)(command)


def _finish(outcome: "Outcome") -> None:
    from dsreview.sanitize import terminal_line

    for line in outcome.lines:
        typer.echo(terminal_line(line))
    if not outcome.is_done:
        raise typer.Exit(NOT_DONE)
