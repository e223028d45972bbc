"""Settings: read once, checked, frozen, and passed down.

Each value comes from the first of: a flag, the environment (`DSREVIEW_...`), the
repository's `.dsreview.toml` or `[tool.dsreview]` of `pyproject.toml`, the user's own
`config.toml`, the default. What names an address, a credential, a model or a path is
the user's alone: a repository under review cannot set it. What a review comes to, and may do
to a commit, a repository can only wish for: its word counts where the user's file says nothing.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dsreview.errors import ConfigurationError
from dsreview.setting_values import allowed_values, check_of
from dsreview.severity import Severity

if TYPE_CHECKING:
    from dsreview.change import Snapshot


@dataclass(frozen=True, slots=True)
class Config:
    """One field a setting; its key in a file has dashes for underscores."""

    fail_on: Severity = Severity.HIGH
    """Mildest finding that makes the exit code 1."""
    min_severity: Severity = Severity.LOW
    """Milder findings are not reported."""
    min_confidence: float = 0.0
    """Findings that are less sure, from 0 to 1, are not reported."""
    max_findings: int = 5
    """Findings shown in full; the rest is listed and counted."""
    partial_ok: bool = False
    """Exit 0 instead of 3 when not everything was reviewed."""
    budget_s: float = 0.0
    """Seconds for the whole review; 0 is no limit."""
    max_tokens: int = 0
    """Tokens that the model may read and write in one review; 0 is no limit."""
    max_rounds: int = 3
    """How often a suggestion is asked for in all, repairs included."""
    votes: int = 1
    """Answers of the model about each context; what most of them find is reported."""
    examples: bool = True
    """Show the model worked examples, which cost tokens once a review."""
    context: str = "hunk"
    """What the model sees around a change: bare, hunk, scope or outline."""
    disable: tuple[str, ...] = ()
    """Rules that are not run."""
    exclude: tuple[str, ...] = ()
    """Files that are not reviewed; patterns as in `.gitignore`."""
    model: str = "auto"
    """A folder or cached name for `local`, a served name for `http`; auto is none named."""
    backend: str = "auto"
    """local runs the model in this process, http asks a server, none uses no model."""
    device: str = "auto"
    """auto, mps, cuda or cpu."""
    runner: str = "auto"
    """What runs the local model: torch, llama.cpp or mlx; auto is the fastest for its weights."""
    weights: str = "auto"
    """How `local` keeps weights: full, int8 or int4; auto takes the most precise that fits."""
    batch_size: int = 8
    """Contexts that the local model answers at once."""
    window: int = 8192
    """Tokens of prompt and answer together that the `http` server takes; it does not say."""
    base_url: str = ""
    """Address of an OpenAI-compatible server, for `http`."""
    api_key_env: str = ""
    """Name of the environment variable that holds the server's key."""
    daemon: str = "auto"
    """auto uses the resident server where one runs, start starts it, never loads the model here."""
    cache: bool = True
    """Keep answers, so that unchanged contexts cost no tokens."""
    mode: str = "warn"
    """What a hook does: warn shows findings, block also stops, background does not wait."""
    deadline_s: float = 20.0
    """Seconds after which a hook shows what is done by then, and lets the commit pass."""
    strict: bool = False
    """A hook that could not review, or not all, stops the commit as well."""
    finish: bool = False
    """What a hook had no time for goes on in the background."""
    interactive: bool = False
    """A hook offers to apply suggestions, where it has a terminal."""
    notify: bool = True
    """Show the result of a review in the background on the desktop."""


USER_ONLY = frozenset(
    {"model", "backend", "device", "runner", "weights", "batch_size", "window", "base_url"}
    | {"api_key_env", "cache", "daemon", "finish", "interactive", "notify", "votes", "examples"}
)
USER_FIRST = frozenset(
    {"mode", "deadline_s", "strict", "fail_on", "min_severity", "partial_ok", "budget_s"}
    | {"min_confidence"}
)
"""A repository may ask for them, so that a team has one hook; it must not undo what a user
chose: no commit is held up that was to pass, and none passes that was to be stopped."""
LOWER_ONLY = frozenset({"deadline_s"})
"""Where the user says nothing a repository may ask for less than the default: more could
hold up every commit."""

REPOSITORY_FILES = ("pyproject.toml", ".dsreview.toml")
"""The later one has the last word."""

MAX_FILE_BYTES = 200_000
"""Of a repository's file: reading TOML takes time that grows with the square of some files."""


def load(
    base: "Snapshot | None",
    flags: Mapping[str, object],
    environment: Mapping[str, str] = os.environ,
    user_file: Path | None = None,
) -> Config:
    """The settings for a review of a change whose old side is `base`; None: the user's alone.

    Raises:
        ConfigurationError: an unknown key, a wrong type or a value that is not allowed.
    """
    config, chosen = Config(), frozenset[str]()
    if user_file is not None and user_file.is_file():
        table = _toml(str(user_file), user_file.read_bytes())
        config = _with(config, table, str(user_file), is_user=True)
        chosen = USER_FIRST & {_field_of(key) for key in table}
    if base is not None:
        config = _with_repository(config, base, chosen)
    config = _with(config, _environment(environment), "environment", is_user=True)
    return _with(config, flags, "command line", is_user=True)


def _with_repository(config: Config, base: "Snapshot", kept: frozenset[str]) -> Config:
    most = config
    for name in REPOSITORY_FILES:
        if (base.size_bytes(name) or 0) > MAX_FILE_BYTES:
            raise ConfigurationError(f"{name}: larger than {MAX_FILE_BYTES:,} bytes")
        content = base.read(name)
        if content is None:
            continue
        table = _toml(name, content)
        if name == "pyproject.toml":
            table = _subtable(table, name)
        config = _with(config, table, name, is_user=False, kept=kept)
    lowered = {name: min(getattr(config, name), getattr(most, name)) for name in LOWER_ONLY}
    return replace(config, **lowered)


def user_config_file() -> Path:
    """The user's own file; `DSREVIEW_CONFIG` names another one.

    Raises:
        ConfigurationError: the file that it names does not exist.
    """
    named = os.environ.get("DSREVIEW_CONFIG")
    if named:
        if not Path(named).exists() or Path(named).is_dir():
            raise ConfigurationError(f"DSREVIEW_CONFIG: {named} is no file")
        return Path(named)
    import platformdirs  # 4 ms that --help need not pay

    return Path(platformdirs.user_config_dir("dsreview")) / "config.toml"


def _toml(name: str, content: bytes) -> Mapping[str, object]:
    import tomllib  # 5 ms that a hook in a repository without settings need not pay

    try:
        return tomllib.loads(content.decode("utf-8"))
    except ValueError as error:  # also of a number with thousands of digits
        raise ConfigurationError(f"{name}: not valid TOML: {error}") from None
    except RecursionError:
        raise ConfigurationError(f"{name}: not valid TOML: nested too deeply") from None


def _subtable(table: Mapping[str, object], name: str) -> Mapping[str, object]:
    tool = table.get("tool", {})
    section = tool.get("dsreview", {}) if isinstance(tool, dict) else {}
    if not isinstance(section, dict):
        raise ConfigurationError(f"{name}: tool.dsreview is no table")
    return section


def _environment(environment: Mapping[str, str]) -> dict[str, object]:
    """`DSREVIEW_FAIL_ON=low` and the like; other variables are not ours."""
    found: dict[str, object] = {}
    for field in fields(Config):
        text = environment.get(f"DSREVIEW_{_key(field.name).replace('-', '_').upper()}")
        if text:
            found[field.name] = from_text(text, getattr(Config(), field.name))
    return found


def from_text(text: str, default: object) -> object:
    """What a flag or variable says, as a file would; what does not fit stays text."""
    if isinstance(default, bool):
        return {"1": True, "true": True, "0": False, "false": False}.get(text.lower(), text)
    if isinstance(default, int):
        return int(text) if text.isascii() and text.isdigit() else text
    if isinstance(default, tuple):
        return [part.strip() for part in text.split(",") if part.strip()]
    return text


def _key(field: str) -> str:
    """`budget_s` is written `budget`: its value carries the unit."""
    return field.removesuffix("_s").replace("_", "-")


def _field_of(key: str) -> str:
    """The field that a key of a file names; empty for none."""
    names = [field.name for field in fields(Config)]
    by_key = {_key(name): name for name in names}
    return by_key.get(key.replace("_", "-"), key if key in names else "")


def _with(
    config: Config,
    table: Mapping[str, object],
    where: str,
    *,
    is_user: bool,
    kept: frozenset[str] = frozenset(),
) -> Config:
    """`config` with what `table` sets, but for the fields that are `kept` as they are."""
    for key, value in table.items():
        name = _field_of(key)
        if not name:
            known = [field.name for field in fields(Config)]
            allowed = [_key(one) for one in known if is_user or one not in USER_ONLY]
            raise ConfigurationError(
                f"{where}: unknown key {key!r}; known are {', '.join(sorted(allowed))}"
            )
        if name in USER_ONLY and not is_user:
            raise ConfigurationError(
                f"{where}: {key!r} cannot be set by a repository; "
                f"set it in {user_config_file()}, the environment or by a flag"
            )
        checked = _checked(name, value, where)
        if name not in kept:
            config = replace(config, **{name: checked})
    return config


def _checked(name: str, value: object, where: str) -> Any:
    default = getattr(Config(), name)
    try:
        return check_of(name, default)(value)
    except (ValueError, TypeError, KeyError, AttributeError):
        shown = str(value) if isinstance(value, Severity) else repr(value)
        raise ConfigurationError(
            f"{where}: {_key(name)} = {shown}; use {allowed_values(name, default)}"
        ) from None
