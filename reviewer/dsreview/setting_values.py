"""What a setting may be: one check for each field of `Config` that its type does not say.

A check takes what a file, a flag or a variable gave and returns the value, or raises
ValueError, TypeError, KeyError or AttributeError; `allowed_values` says what it takes.
"""

from collections.abc import Callable, Mapping
from typing import Any

from dsreview.severity import Severity

CONTEXT_MODES = ("bare", "hunk", "scope", "outline")
DAEMON_MODES = ("auto", "start", "never")
BACKEND_NAMES = ("auto", "none", "local", "http", "scripted")
RUNNER_NAMES = ("auto", "torch", "llama.cpp", "mlx")
WEIGHT_KINDS = ("auto", "full", "int8", "int4")
HOOK_MODES = ("warn", "block", "background")


def check_of(name: str, default: object) -> Callable[[object], object]:
    """The check of the setting `name`; that of its default's type where it has no own."""
    return _CHECKS.get(name) or _by_type(default)


def allowed_values(name: str, default: object) -> str:
    """In words, for a message."""
    return _ALLOWED.get(name) or _type_words(default)


def parse_seconds(text: str) -> float:
    """`90`, `60s`, `1.5m` or `1h` in seconds. Raises ValueError."""
    units = {"s": 1.0, "m": 60.0, "h": 3600.0}
    number, unit = (text[:-1], units[text[-1]]) if text[-1:] in units else (text, 1.0)
    seconds = float(number) * unit
    if not 0 <= seconds < float("inf"):
        raise ValueError(text)
    return seconds


def _by_type(default: object) -> Callable[[Any], object]:
    if isinstance(default, bool):
        return _boolean
    if isinstance(default, int):
        return _count
    if isinstance(default, tuple):
        return _strings
    return _string


def _boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError(value)
    return value


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise TypeError(value)
    return value


def _positive(value: object) -> int:
    if _count(value) == 0:
        raise ValueError(value)
    return _count(value)


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _name(value: object) -> str:
    if not _string(value):
        raise ValueError(value)
    return _string(value)


def _strings(value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise TypeError(value)
    return tuple(_string(item) for item in value)


def _severity(value: object) -> Severity:
    return value if isinstance(value, Severity) else Severity.of(_string(value))


def _seconds(value: object) -> float:
    if isinstance(value, bool):
        raise TypeError(value)
    return parse_seconds(str(value))


def _share(value: object) -> float:
    if isinstance(value, bool):
        raise TypeError(value)
    share = float(str(value))
    if not 0 <= share <= 1:
        raise ValueError(value)
    return share


def _some_seconds(value: object) -> float:
    if _seconds(value) == 0:
        raise ValueError(value)
    return _seconds(value)


def _daemon(value: object) -> str:
    """Yes or no say what the flags --daemon and --no-daemon do."""
    if isinstance(value, bool):
        return "start" if value else "never"
    return _one_of(*DAEMON_MODES)(value)


def _one_of(*names: str) -> Callable[[object], str]:
    def check(value: object) -> str:
        if value not in names:
            raise ValueError(value)
        return _string(value)

    return check


def _type_words(default: object) -> str:
    words = {bool: "true or false", int: "a whole number from 0", tuple: "a list of strings"}
    return words.get(type(default), "a string")


_CHECKS: Mapping[str, Callable[[object], object]] = {
    "daemon": _daemon,
    "fail_on": _severity,
    "min_severity": _severity,
    "min_confidence": _share,
    "budget_s": _seconds,
    "max_rounds": _positive,
    "votes": _positive,
    "batch_size": _positive,
    "window": _positive,
    "context": _one_of(*CONTEXT_MODES),
    "model": _name,
    "backend": _one_of(*BACKEND_NAMES),
    "device": _one_of("auto", "mps", "cuda", "cpu"),
    "runner": _one_of(*RUNNER_NAMES),
    "weights": _one_of(*WEIGHT_KINDS),
    "mode": _one_of(*HOOK_MODES),
    "deadline_s": _some_seconds,
}

_ALLOWED: Mapping[str, str] = {
    "daemon": "auto, start or never",
    "fail_on": "low, medium, high or critical",
    "min_severity": "low, medium, high or critical",
    "min_confidence": "a number from 0 to 1",
    "budget_s": "seconds, or a number with s, m or h",
    "votes": "a whole number from 1",
    "max_rounds": "a whole number from 1",
    "batch_size": "a whole number from 1",
    "window": "a whole number from 1",
    "context": "bare, hunk, scope or outline",
    "model": "auto, a folder or a name",
    "backend": "auto, none, local, http or scripted",
    "device": "auto, mps, cuda or cpu",
    "runner": "auto, torch, llama.cpp or mlx",
    "weights": "auto, full, int8 or int4",
    "mode": "warn, block or background",
    "deadline_s": "seconds above 0, or a number with s, m or h",
}
