"""Where a change comes from: a git repository, or a patch."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from dsreview.sources.request import SourceRequest

if TYPE_CHECKING:
    from dsreview.sources.opening import (
        SOURCES,
        change_between,
        change_in,
        open_blobs,
        open_change,
    )

__all__ = [
    "SOURCES",
    "SourceRequest",
    "change_between",
    "change_in",
    "open_blobs",
    "open_change",
]


def __getattr__(name: str) -> Any:
    """What opens changes is imported when asked for: a hook with nothing to do never asks."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("dsreview.sources.opening"), name)
