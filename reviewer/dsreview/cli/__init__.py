"""The command: arguments to parts to exit code.

typer, and what it brings along, takes longer to import than a hook with nothing to do may
take in all: only `app` imports it, and `hook run` without options does not need it.

Exit codes: 0 clean, 1 a finding at or above `--fail-on`, 2 usage or configuration,
3 not everything could be reviewed, 130 interrupted.
"""

import gc
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path

from dsreview.errors import DsreviewError

HOOK_RUN = ("hook", "run")
OBJECTS_BEFORE_GARBAGE = 50_000
UNWRITABLE = FAILED = 3
READER_GONE = 141
"""As a shell writes that a program ended by SIGPIPE."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit code."""
    _prepare_streams()
    if sys.stdout is None:
        return _fail("standard output is closed; --output FILE writes elsewhere", UNWRITABLE)
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        return _run(given)
    except DsreviewError as error:
        if tuple(given[:2]) == HOOK_RUN:  # a wrong option must not hold up a commit either
            from dsreview.cli.hook_run import fail

            return fail(str(error), error.exit_code, is_strict="--strict" in given)
        return _fail(str(error), error.exit_code)
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        return _output_failed(error)
    except Exception as error:  # Python's own exit 1 would say that something was found
        if os.environ.get("DSREVIEW_TRACEBACK"):
            raise
        name = type(error).__name__
        return _fail(f"dsreview failed: {name}: {error}; DSREVIEW_TRACEBACK=1 shows where", FAILED)


def _output_failed(error: OSError) -> int:
    _forget_output()
    if isinstance(error, BrokenPipeError):
        return READER_GONE
    return _fail(f"{error.filename or 'the report'}: {error.strerror}", UNWRITABLE)


def _prepare_streams() -> None:
    """UTF-8 whatever the locale says; somewhere to write errors that nobody will read."""
    if sys.stderr is None:  # closed by whoever started it
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  (until the end)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def _run(given: list[str]) -> int:
    if tuple(given[:2]) == HOOK_RUN and not any(word.startswith("-") for word in given):
        # looking for garbage among what is being imported takes a tenth of the time
        gc.set_threshold(OBJECTS_BEFORE_GARBAGE)
        from dsreview.cli.hook_run import run_hook

        code = run_hook("".join(given[2:3]), given[3:], {})
    else:
        from dsreview.cli.app import run

        code = run(given)
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
