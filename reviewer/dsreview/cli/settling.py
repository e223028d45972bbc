"""What a killed process left half applied is put right before anything is reviewed."""

import sys
from pathlib import Path

from dsreview.applying.state_folder import has_unfinished
from dsreview.errors import UsageError
from dsreview.sources.repository import find_repository


def settle_first(folder: Path) -> None:
    """Put it right, and say so on standard error; costs a look at a folder where nothing is."""
    try:
        repository = find_repository(folder)
    except UsageError:
        return  # a patch may be reviewed anywhere
    if not has_unfinished(repository.git_dir):
        return
    from dsreview.applying.recovery import settle
    from dsreview.sanitize import terminal_line

    for line in settle(repository):
        sys.stderr.write(f"note: {terminal_line(line)}\n")
