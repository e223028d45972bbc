"""`dsreview undo`: take back what was applied."""

from pathlib import Path
from typing import Annotated

import typer

from dsreview.cli.option_types import Folder


def undo(
    everything: Annotated[
        bool, typer.Option("--all", help="All that the last command applied, not its last only.")
    ] = False,
    folder: Folder = Path(),
) -> None:
    """Take back the last suggestion or comment that was applied here.

    A file is restored only where it still is what was written; later edits are never lost.
    One that changed since is left, and the last before it in another file is taken back.

    Exit codes: 0 taken back, 2 there is nothing to take back, 3 something was left as it is.
    """
    from dsreview.cli.settling import settle_first
    from dsreview.cli.undoing import undo_last

    settle_first(folder)
    raise typer.Exit(undo_last(folder.absolute(), whole_run=everything))
