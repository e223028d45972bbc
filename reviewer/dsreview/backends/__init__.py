"""Models that complete prompts: one file each, one row here.

A row imports nothing heavy: a backend loads what it needs when it is opened.
"""

from collections.abc import Callable, Mapping

from dsreview.backends.base import BackendSettings
from dsreview.backends.http import HttpBackend
from dsreview.backends.local import LocalBackend
from dsreview.backends.scripted import ScriptedBackend
from dsreview.prompt import Backend

Opener = Callable[[BackendSettings], Backend]

BACKENDS: Mapping[str, Opener] = {
    "local": LocalBackend.open,
    "http": HttpBackend.open,
    "scripted": ScriptedBackend.open,
}

__all__ = ["BACKENDS", "BackendSettings", "HttpBackend", "LocalBackend", "ScriptedBackend"]
