"""The user's own editor, opened at a line.

Only the environment says which one: a repository's configuration could name any program.
"""

import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from dsreview.errors import UsageError

_VARIABLES = ("GIT_EDITOR", "VISUAL", "EDITOR")
"""In git's order."""
_WITH_PLUS = frozenset(
    {"vi", "vim", "nvim", "gvim", "view", "nano", "pico", "emacs", "emacsclient", "micro", "kak"}
    | {"ed", "joe", "jed", "mg", "ne", "gedit", "kate", "less"}
)
_WITH_COLON = frozenset({"hx", "helix", "subl", "zed", "cursor"})
_WITH_GOTO = frozenset({"code", "code-insiders", "codium"})
_DEFAULT = "vi"


def open_editor(
    path: Path, line: int, inside: Path, environment: Mapping[str, str] = os.environ
) -> None:
    """Run the editor until it ends.

    Args:
        inside: the repository; no program in it is taken for an editor.

    Raises:
        UsageError: there is no such editor, or it failed.
    """
    named = next((environment[name] for name in _VARIABLES if environment.get(name)), _DEFAULT)
    try:
        command = shlex.split(named)
    except ValueError as error:
        raise UsageError(f"the editor {named!r} is no command: {error}") from None
    if not command:
        raise UsageError("the editor's variable is empty; set VISUAL or EDITOR")
    program = _find(command[0], inside, environment)
    # what git told a hook is not for the editor's own git
    kept = {name: text for name, text in environment.items() if not name.startswith("GIT_")}
    arguments = _arguments(Path(command[0]).name, path.absolute(), line)
    try:
        status = subprocess.run([program, *command[1:], *arguments], env=kept).returncode
    except OSError as error:
        raise UsageError(f"{command[0]}: {error.strerror}") from None
    if status:
        raise UsageError(f"{command[0]} ended with status {status}")


def _find(program: str, inside: Path, environment: Mapping[str, str]) -> str:
    if os.sep in program:
        found = program if Path(program).is_absolute() else None
    else:
        entries = environment.get("PATH", os.defpath).split(os.pathsep)
        own = [
            entry
            for entry in entries
            if Path(entry).is_absolute()
            and not Path(entry).resolve().is_relative_to(inside.resolve())
        ]
        found = shutil.which(program, path=os.pathsep.join(own))
    if found is None:
        raise UsageError(f"the editor {program} is not on PATH; set VISUAL or EDITOR")
    return found


def _arguments(name: str, path: Path, line: int) -> list[str]:
    if name in _WITH_PLUS:
        return [f"+{line}", str(path)]
    if name in _WITH_COLON:
        return [f"{path}:{line}"]
    if name in _WITH_GOTO:
        return ["--wait", "--goto", f"{path}:{line}"]
    return [str(path)]
