"""JSON whose strings know the line they start on."""

import json
import re
from dataclasses import dataclass
from typing import TypeAlias

_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\],:]|[^\s{}\[\],:"]+', re.DOTALL)


@dataclass(frozen=True, slots=True)
class LocatedString:
    text: str
    line: int
    """1-based."""


Json: TypeAlias = "dict[str, Json] | list[Json] | LocatedString | bool | int | float | None"


def read_json(text: str) -> Json:
    """Without recursion of its own.

    Raises ValueError where it is not JSON, or nested too deeply.
    """
    try:
        json.loads(text)  # the walk below relies on it being well formed
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return _Walk().read(text)


class _Walk:
    def __init__(self) -> None:
        self._open: list[dict[str, Json] | list[Json]] = []
        self._keys: list[str | None] = []
        """For each open container, the key whose value comes next."""
        self._top: Json = None

    def read(self, text: str) -> Json:
        line, counted_to = 1, 0
        for match in _TOKEN.finditer(text):
            lexeme = match.group()
            line += text.count("\n", counted_to, match.start())
            counted_to = match.start()
            self._take(lexeme, line)
        return self._top

    def _take(self, lexeme: str, line: int) -> None:
        if lexeme in ",:":
            return
        if lexeme in "]}":
            self._open.pop()
            self._keys.pop()
        elif lexeme in "[{":
            container: dict[str, Json] | list[Json] = [] if lexeme == "[" else {}
            self._put(container)
            self._open.append(container)
            self._keys.append(None)
        elif lexeme.startswith('"') and self._wants_key():
            self._keys[-1] = json.loads(lexeme)
        elif lexeme.startswith('"'):
            self._put(LocatedString(json.loads(lexeme), line))
        else:
            self._put(json.loads(lexeme))

    def _wants_key(self) -> bool:
        return bool(self._open) and isinstance(self._open[-1], dict) and self._keys[-1] is None

    def _put(self, value: Json) -> None:
        if not self._open:
            self._top = value
            return
        container = self._open[-1]
        key = self._keys[-1]
        if isinstance(container, list):
            container.append(value)
        elif key is not None:
            container[key] = value
            self._keys[-1] = None
