"""What a killed process left half applied is put right before anything is reviewed."""

import sys
from pathlib import Path


def settle_first(folder: Path) -> None:
    """Put it right, and say so on standard error."""
    from dsreview.applying.recovery import settle
    from dsreview.sanitize import terminal_line

    for line in settle(folder):
        sys.stderr.write(f"note: {terminal_line(line)}\n")
