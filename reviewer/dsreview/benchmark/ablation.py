"""What a part of the reviewer is worth: the same run without it, to compare with."""

from collections.abc import Iterable, Mapping
from typing import Final

from dsreview.context import ContextMode
from dsreview.errors import UsageError

ABLATIONS: Final[Mapping[str, Mapping[str, object]]] = {
    "context": {"context": ContextMode.BARE.value},
    "examples": {"examples": False},
    "repair": {"max_rounds": 1},
}
"""Fields of `Config` that switch each part off."""


def without(parts: Iterable[str], flags: Mapping[str, object]) -> dict[str, object]:
    """`flags` with `parts` switched off, whatever they say of them.

    Raises:
        UsageError: a part is none of `ABLATIONS`.
    """
    changed = dict(flags)
    for part in parts:
        if part not in ABLATIONS:
            raise UsageError(f"--ablate {part}; use {', '.join(ABLATIONS)}")
        changed |= ABLATIONS[part]
    return changed
