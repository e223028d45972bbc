"""Takes back the last application and says what became of it."""

import sys
from pathlib import Path

from dsreview.applying.journal import open_journal
from dsreview.applying.recovery import TakenBack, undo
from dsreview.errors import ReviewError, UsageError
from dsreview.sanitize import terminal_line
from dsreview.sources.clean_room import CleanRoom
from dsreview.sources.repository import find_repository


def undo_last(folder: Path, *, whole_run: bool) -> int:
    """Undo, print a line for each file, and say the exit code.

    Raises:
        UsageError: nothing was applied here.
    """
    repository = find_repository(folder)
    with CleanRoom(repository) as room, open_journal(repository) as journal:
        are_done = [_told(result) for result in undo(room, journal, whole_run=whole_run)]
    if not are_done:
        raise UsageError("nothing that dsreview applied is left to take back here")
    return 0 if all(are_done) else ReviewError.exit_code


def _told(result: TakenBack) -> bool:
    sys.stdout.write(f"{terminal_line(result.message)}\n")
    return result.is_done
