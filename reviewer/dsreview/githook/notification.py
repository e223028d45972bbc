"""Tells somebody who is elsewhere by now that a review in the background has found something."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from dsreview.githook.events import without_git
from dsreview.sanitize import terminal_line

TIMEOUT_S = 5.0
_OSASCRIPT = "/usr/bin/osascript"
# the text is an argument: in a script it could end its string and say more
_SCRIPT = (
    *("-e", "on run texts"),
    *("-e", "display notification (item 2 of texts) with title (item 1 of texts)"),
    *("-e", "end run"),
)
_DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY")
_MARKUP = str.maketrans(dict.fromkeys("<>&", "_"))
MAX_LENGTH = 200


def notify(title: str, text: str, environment: Mapping[str, str] = os.environ) -> None:
    """Show it on the desktop, where there is one; nothing where it fails."""
    command = _command(environment)
    if command is None:
        return
    with suppress(OSError, subprocess.TimeoutExpired):
        subprocess.run(
            [*command, _harmless(title), _harmless(text)],
            env=without_git(environment),
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=TIMEOUT_S,
            check=False,
        )


def _command(environment: Mapping[str, str]) -> tuple[str, ...] | None:
    if sys.platform == "darwin":
        return (_OSASCRIPT, *_SCRIPT)
    if not any(environment.get(name) for name in _DISPLAYS):
        return None
    # an entry that is no full path could lie in the repository
    folders = environment.get("PATH", os.defpath).split(os.pathsep)
    absolute = os.pathsep.join(folder for folder in folders if Path(folder).is_absolute())
    program = shutil.which("notify-send", path=absolute)
    return None if program is None else (program, "--app-name=dsreview", "--")


def _harmless(text: str) -> str:
    """Some desktops read HTML; an empty text would be an error to others."""
    return terminal_line(text).translate(_MARKUP)[:MAX_LENGTH] or "-"
