"""Models that complete prompts: one file each, one row here.

A row imports nothing heavy: a backend loads what it needs when it is opened.
"""

from collections.abc import Callable, Mapping

from dsreview.backends.base import BackendSettings, InterruptibleBackend
from dsreview.backends.local import LocalBackend
from dsreview.backends.scripted import ScriptedBackend

Opener = Callable[[BackendSettings], InterruptibleBackend]


def _open_http(settings: BackendSettings) -> InterruptibleBackend:
    from dsreview.backends.http import HttpBackend  # httpx takes 0.2 s to import

    return HttpBackend.open(settings)


BACKENDS: Mapping[str, Opener] = {
    "local": LocalBackend.open,
    "http": _open_http,
    "scripted": ScriptedBackend.open,
}

__all__ = ["BACKENDS", "BackendSettings", "LocalBackend", "ScriptedBackend"]
