"""Where the journals are: light, since every command looks there for what was cut off."""

import hashlib
import os
from enum import StrEnum
from pathlib import Path


class State(StrEnum):
    """Suffix of a record's file."""

    PENDING = "pending"
    """Being written, or cut off while it was."""
    APPLIED = "applied"
    UNDOING = "undoing"
    """Being taken back, or cut off while it was."""


def state_folder() -> Path:
    named = os.environ.get("DSREVIEW_STATE_DIR")
    if named:
        return Path(named)
    import platformdirs  # 4 ms that --help need not pay

    return Path(platformdirs.user_state_dir("dsreview"))


def journal_folder(git_dir: Path) -> Path:
    """Linked worktrees have one each: their files and their index are their own."""
    name = hashlib.sha256(os.fsencode(git_dir.resolve())).hexdigest()[:32]
    return state_folder() / "applied" / name


def has_unfinished(git_dir: Path) -> bool:
    """An application was cut off there, or is going on now."""
    try:
        names = os.listdir(journal_folder(git_dir))  # noqa: PTH208  (no Path each)
    except OSError:
        return False
    return any(name.endswith((f".{State.PENDING}", f".{State.UNDOING}")) for name in names)
