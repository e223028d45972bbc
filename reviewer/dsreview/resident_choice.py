"""Whether a review uses the resident server, starts it, or loads the model itself.

Whatever is wrong with a server is no reason not to review: the model is loaded here, and
a line on stderr says why.
"""

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from dsreview.backends.base import BackendSettings, absolute_model
from dsreview.backends.resident_place import Place, ServerUnusable, default_place
from dsreview.prompt import Backend
from dsreview.sanitize import terminal_line

if TYPE_CHECKING:
    from dsreview.backends.resident_wire import Hello


def open_resident(name: str, settings: BackendSettings, daemon: str) -> Backend | None:
    """The resident server's model; None where the model is to be loaded here.

    Args:
        daemon: `auto` uses a server that runs, `start` starts one, `never` does neither.
    """
    place = default_place()
    if daemon == "never" or (daemon == "auto" and not place.is_occupied()):
        return None
    from dsreview.backends.resident import ResidentBackend, wait_until_ready

    given = replace(settings, model=absolute_model(name, settings.model))
    try:
        hello = _server(place, name, given, may_start=daemon == "start")
        return ResidentBackend(place, wait_until_ready(place, hello)) if hello else None
    except ServerUnusable as error:
        line = terminal_line(f"{error}; the model is loaded here")
        sys.stderr.write(f"warning: {line}\n")
        return None


def _server(place: Place, name: str, settings: BackendSettings, may_start: bool) -> "Hello | None":
    """One that has the model; where one may be started, an idle one of another makes room.

    Raises:
        ServerUnusable: the one that runs cannot be used, or none could be started.
    """
    from dsreview.backends.resident import OtherVersion, ask_hello, mismatch
    from dsreview.backends.resident_wire import Served

    wanted = Served(name, settings.model, settings.device, settings.runner, settings.weights)
    try:
        hello = ask_hello(place)
        problem = mismatch(hello, wanted) if hello is not None else ""
        is_free = hello is None or not hello.num_jobs
    except OtherVersion as error:
        hello, problem, is_free = None, str(error), True
    if may_start and is_free and (problem or hello is None):
        from dsreview.server.starting import start, stop

        if problem:
            stop(place)
        hello = start(name, settings, place)
        problem = mismatch(hello, wanted)
    if problem:
        raise ServerUnusable(f"{problem}; `dsreview stop` ends it")
    return hello
