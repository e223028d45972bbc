"""The one place where what a run asks for becomes the settings of its reviews."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

from dsreview.change import EmptySnapshot
from dsreview.config import Config, load, user_config_file
from dsreview.errors import UsageError
from dsreview.pull_scope import SHAPING

CHECKS = "checks"
"""No model: what a fresh clone can run."""
BACKENDS = (CHECKS, "local", "http", "scripted", "auto")
_UNTOLD = frozenset({"backend", "model", "base_url"})
"""A result says what the model calls itself, and no address or path of the machine."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What decides the outcomes of a run, besides its items."""

    config: Config
    run_tests: bool = False
    """Execute the tests of the items on suggestions."""


def config_for(backend: str, flags: Mapping[str, object]) -> Config:
    """The user's settings under `flags`; no repository has a say, and no answer is remembered.

    Raises:
        UsageError: `backend` is none of `BACKENDS`.
        ConfigurationError: a value is not allowed.
    """
    if backend not in BACKENDS:
        raise UsageError(f"--backend {backend}; use {', '.join(BACKENDS)}")
    named = {"backend": "none" if backend == CHECKS else backend}
    config = load(EmptySnapshot(), {**flags, **named}, user_file=user_config_file())
    return replace(config, cache=False)  # a remembered answer takes no time and no tokens


def told_settings(config: Config) -> dict[str, str]:
    """What shapes a review, for readers of the result."""
    told = sorted(field.name for field in fields(config) if field.name in SHAPING - _UNTOLD)
    return {name: _text(getattr(config, name)) for name in told}


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return str(getattr(value, "label", value))
