"""Which model is used from now on: one line of the user's `config.toml`."""

import json
import tomllib
from pathlib import Path
from typing import Final

from dsreview.durable import replace_durably
from dsreview.errors import ConfigurationError

KEY: Final = "model"


def use_model(file: Path, name: str) -> None:
    """Write `model = NAME` into the settings; everything else stays byte for byte.

    Raises:
        ConfigurationError: the file is no TOML, or written so that no single line says it.
        OSError: it could not be written; the old one is still there.
    """
    place = file.resolve()  # a link of somebody who keeps settings elsewhere stays a link
    if place.exists() and not place.is_file():
        raise ConfigurationError(f"{file}: is no file; DSREVIEW_CONFIG names another one")
    content = place.read_bytes() if place.exists() else b""
    before = _parsed(file, content)
    text = content.decode("utf-8")
    edited = _edited(text, f"{KEY} = {_quoted(name)}").encode("utf-8")
    if _parsed(file, edited) != before | {KEY: name}:
        raise ConfigurationError(
            f"{file}: {KEY} is not set in a line of its own; write {KEY} = {_quoted(name)} there"
        )
    mode = place.stat().st_mode & 0o777 if place.exists() else 0o600
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    replace_durably(place, edited)
    place.chmod(mode)


def _edited(text: str, line: str) -> str:
    """With `line` for the one that sets the key, or before the first table."""
    lines = text.splitlines(keepends=True)
    ending = "\r\n" if lines and lines[0].endswith("\r\n") else "\n"
    table = next((at for at, each in enumerate(lines) if each.lstrip().startswith("[")), len(lines))
    for number, each in enumerate(lines[:table]):
        key, equals, value = each.partition("=")
        if equals and key.strip().strip("\"'") == KEY:
            lines[number] = line + _comment(value) + ending
            return "".join(lines)
    if table and not lines[table - 1].endswith("\n"):
        lines[table - 1] += ending
    lines.insert(table, line + ending)
    return "".join(lines)


def _comment(value: str) -> str:
    """What stands behind a plain value; a `#` within quotes begins none."""
    value = value.strip()
    quote = value[:1]
    end = value.find(quote, 1) + 1 if quote in ("'", '"') and quote else len(value.split("#")[0])
    rest = value[end:].strip()
    return f"  {rest}" if rest.startswith("#") else ""


def _quoted(name: str) -> str:
    """A basic string of TOML: JSON's escapes are among its own."""
    return json.dumps(name, ensure_ascii=False)


def _parsed(file: Path, content: bytes) -> dict[str, object]:
    try:
        return tomllib.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"{file}: not valid TOML: {error}") from None
