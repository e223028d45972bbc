"""Python processes that import dsreview and nothing of the folder they were started in."""

import os
import sys
from pathlib import Path


def interpreter() -> tuple[str, ...]:
    """An interpreter that reads no environment, no user site and writes no bytecode."""
    return (sys.executable, "-I", "-B", "-X", "utf8")


def search_path() -> tuple[str, ...]:
    """Where a child finds dsreview and what it imports: never the current folder."""
    here = os.path.realpath(os.curdir)
    entries = [str(Path(__file__).resolve().parents[1])]
    for entry in sys.path:
        is_safe = Path(entry).is_absolute() and os.path.realpath(entry) != here
        if is_safe and entry not in entries:
            entries.append(entry)
    return tuple(entries)
