"""`dsreview hook install`, `uninstall` and `status`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dsreview.githook.installation import COMMIT_STAGES, Stage

if TYPE_CHECKING:
    from dsreview.githook.installing import Outcome

NOT_DONE = 1
"""Exit code: what was asked for is not so, and the lines say why."""

StageOption = Annotated[
    list[Stage] | None, typer.Option("--stage", help="One of the hooks; repeat it for several.")
]
FolderOption = Annotated[
    Path,
    typer.Option(
        "-C", metavar="DIR", exists=True, file_okay=False, help="Run as if started in DIR."
    ),
]


def install(stage: StageOption = None, folder: FolderOption = Path()) -> None:
    """Have git call dsreview: before commits and merges, where no stage is named.

    Where another program keeps the hooks, it changes nothing and says what to add there.

    Exit codes: 0 git calls dsreview, 1 nothing was changed, 2 wrong usage.

    Example: dsreview hook install --stage pre-commit --stage pre-push
    """
    from dsreview.githook import installing

    _finish(installing.install(folder, stage or COMMIT_STAGES))


def uninstall(stage: StageOption = None, folder: FolderOption = Path()) -> None:
    """Remove the hooks that dsreview wrote, and nothing else.

    Exit codes: 0 git does not call dsreview any more; 1 it does: a hook has lines of others,
    or another program calls it; 2 wrong usage.
    """
    from dsreview.githook import installing

    _finish(installing.uninstall(folder, stage or tuple(Stage)))


def status(stage: StageOption = None, folder: FolderOption = Path()) -> None:
    """Say what git calls at each stage.

    Exit codes: 0 git calls dsreview at each --stage (where none is named: at one of them,
    and no hook is stale), 1 it does not, 2 wrong usage.
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
