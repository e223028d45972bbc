"""Options that several commands share, and what they say to `Config`."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

_OPTION_OF = {"context": "context_mode"}
"""Fields whose option has another name: typer keeps `context` for itself."""


def flags_of(params: Mapping[str, Any]) -> dict[str, object]:
    """The options of a command that set a field of `Config` and were given."""
    from dsreview.config import Config, from_text

    flags: dict[str, object] = {}
    for field in fields(Config):
        value = params.get(_OPTION_OF.get(field.name, field.name))
        if value in (None, (), []):
            continue
        default = getattr(Config(), field.name)
        flags[field.name] = from_text(value, default) if isinstance(value, str) else value
    return flags
