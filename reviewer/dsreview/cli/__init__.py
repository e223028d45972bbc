"""The command: arguments to parts to exit code.

typer, and what it brings along, takes longer to import than a hook with nothing to do may
take in all: only `app` imports it, and `hook run` with its own options does not need it.

Exit codes: 0 clean, 1 a finding at or above `--fail-on`, 2 usage or configuration,
3 not everything could be reviewed, 130 interrupted.
"""

import os
import sys


def _without_current_folder(entries: list[str]) -> list[str]:
    """Empty or relative entries would have modules of the repository under review executed."""
    own = os.path.dirname(os.path.dirname(os.path.dirname(__file__)))  # noqa: PTH120
    try:
        here = os.getcwd()  # noqa: PTH109
    except OSError:  # it was removed
        here = ""
    return [
        entry
        for entry in entries
        if entry == own or (os.path.isabs(entry) and os.path.realpath(entry) != here)  # noqa: PTH117
    ]


sys.path[:] = _without_current_folder(sys.path)  # before anything else is imported

import gc  # noqa: E402
from collections.abc import Sequence  # noqa: E402
from contextlib import suppress  # noqa: E402
from io import TextIOWrapper  # noqa: E402
from pathlib import Path  # noqa: E402

from dsreview.errors import DsreviewError  # noqa: E402
from dsreview.githook.standing import FAILED, Standing  # noqa: E402

HOOK_RUN = ("hook", "run")
OBJECTS_BEFORE_GARBAGE = 50_000
INTERRUPTED = 130
READER_GONE = 141
"""As a shell writes that a program ended by SIGPIPE."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit code."""
    _prepare_streams()
    given = list(sys.argv[1:] if arguments is None else arguments)
    if tuple(given[:2]) == HOOK_RUN:
        return _run_hook(given)
    if sys.stdout is None:
        return _fail("standard output is closed; --output FILE writes elsewhere", FAILED)
    try:
        return _run(given)
    except DsreviewError as error:
        return _fail(str(error), error.exit_code)
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:
        return _output_failed(error)
    except Exception as error:  # Python's own exit 1 would say that something was found
        if os.environ.get("DSREVIEW_TRACEBACK"):
            raise
        name = type(error).__name__
        return _fail(f"dsreview failed: {name}: {error}; DSREVIEW_TRACEBACK=1 shows where", FAILED)


def _run_hook(given: list[str]) -> int:
    """No failure holds up a commit: not a wrong option, not a half installed dsreview."""
    from dsreview.cli.forgiving import forgiving_stderr

    with forgiving_stderr():
        try:
            return Standing("--strict" in given).ended(lambda: _hook(given))
        except KeyboardInterrupt:
            return INTERRUPTED


def _hook(given: list[str]) -> int:
    from dsreview.cli.hook_options import read_words

    words = read_words(given[len(HOOK_RUN) :])
    if words is None:
        return _run(given)
    # looking for garbage among what is being imported takes a tenth of the time
    gc.set_threshold(OBJECTS_BEFORE_GARBAGE)
    from dsreview.cli.hook_run import run_hook
    from dsreview.cli.options import flags_of

    return run_hook(words.name, words.arguments, flags_of(words.options))


def _output_failed(error: OSError) -> int:
    _forget_output()
    if isinstance(error, BrokenPipeError):
        return READER_GONE
    return _fail(f"{error.filename or 'the report'}: {error.strerror}", FAILED)


def _prepare_streams() -> None:
    """UTF-8 whatever the locale says; somewhere to write errors that nobody will read."""
    if sys.stderr is None:  # closed by whoever started it
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  (until the end)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def _run(given: list[str]) -> int:
    from dsreview.cli.app import run

    code = run(given)
    if sys.stdout is not None:
        sys.stdout.flush()
    return code


def _forget_output() -> None:
    """Leave nothing that the interpreter would try to write again at its exit."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(message: str, exit_code: int) -> int:
    from dsreview.sanitize import terminal_safe

    line = " ".join(message.split())
    sys.stderr.write(f"error: {terminal_safe(line)}\n")
    return exit_code
