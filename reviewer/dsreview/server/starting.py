"""Starting a server for those who come after, and ending it."""

import json
import os
import subprocess
import time
from contextlib import suppress
from typing import Final

from dsreview.backends.base import BackendSettings
from dsreview.backends.resident import ask_hello, ask_to_stop
from dsreview.backends.resident_place import Place, ServerUnusable
from dsreview.backends.resident_wire import Hello
from dsreview.backends.worker_process import kept_environment
from dsreview.isolated import interpreter, search_path
from dsreview.server.locking import end_by_force, running_pid, wait_for_end

_COMMAND: Final = (
    "import json, sys; sys.path += json.loads(sys.argv.pop(1));"
    " from dsreview.cli import main; sys.exit(main())"
)
_LISTENS_IN_S: Final = 30.0
_LOOK_INTERVAL_S: Final = 0.05
_OWN_VARIABLES: Final = ("DSREVIEW_CACHE_DIR", "DSREVIEW_CONFIG", "DSREVIEW_ALLOW_ROOT")
"""Other settings are arguments; a variable of a user's own naming may hold a key."""


def start(backend: str, settings: BackendSettings, place: Place, *arguments: str) -> Hello:
    """Start a server that outlives this process; its model may still be loading.

    Where another process starts one at the same time, the hello of that one.

    Raises:
        ServerUnusable: none came up.
    """
    place.prepare()
    environment = kept_environment(os.environ) | {
        name: os.environ[name] for name in _OWN_VARIABLES if name in os.environ
    }
    process = subprocess.Popen(
        [
            *(*interpreter(), "-c", _COMMAND, json.dumps(search_path()), "serve"),
            *("--backend", backend, "--model", settings.model, "--device", settings.device),
            *("--runner", settings.runner, "--weights", settings.weights),
            *("--batch-size", str(settings.batch_size), *arguments),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env=environment,
        start_new_session=True,
    )
    end = time.monotonic() + _LISTENS_IN_S
    while time.monotonic() < end:
        hello = ask_hello(place)
        if hello is not None:
            return hello
        if process.poll() is not None and running_pid(place) is None:
            break
        time.sleep(_LOOK_INTERVAL_S)
    raise ServerUnusable(f"no server came up; {_last_words(place)}")


def stop(place: Place) -> bool:
    """End the server of `place`; whether there was one."""
    if running_pid(place) is None:
        return False
    with suppress(ServerUnusable):
        ask_to_stop(place)
        if wait_for_end(place):
            return True
    end_by_force(place)
    return True


def _last_words(place: Place) -> str:
    try:
        lines = place.log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    return lines[-1] if lines else f"{place.log} says nothing"
