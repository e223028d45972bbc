"""Has the child import what its first tasks need, while its parent imports the rest."""

import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module

from dsreview.errors import TaskFailed
from dsreview.sandbox.parent import Sandbox
from dsreview.sandbox.task import Task


@dataclass(frozen=True, slots=True)
class Modules:
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Imported:
    num: int


def import_modules(request: Modules) -> Imported:
    for name in request.names:
        import_module(name)
    return Imported(len(request.names))


WARM_UP = Task("dsreview.sandbox.warm_up:import_modules", Modules, Imported, "importing")


def warm_up(sandbox: Sandbox, modules: Sequence[str]) -> None:
    """Start the child and let it import; returns at once, and a first call waits for it.

    A failure costs nothing but the head start.
    """
    request = Modules(tuple(modules))
    threading.Thread(target=_call, args=(sandbox, request), daemon=True).start()


def _call(sandbox: Sandbox, request: Modules) -> None:
    with suppress(TaskFailed):
        sandbox.call(WARM_UP, request)
