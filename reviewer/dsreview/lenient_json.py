"""JSON as language models write it: a reader that forgives form, never meaning.

Taken besides JSON: single and typographic quotes, keys without quotes, trailing
commas, raw control characters in strings, `True`, `False`, `None`. A value that
breaks off is given with what stood complete in it, and said to be cut.
"""

import re
from dataclasses import dataclass
from typing import Final, TypeAlias

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"

_CLOSING: Final = {'"': '"', "'": "'", "“": "“”", "”": "”", "„": "“”", "‘": "‘’", "’": "’"}
_WORDS: Final[dict[str, Json]] = {
    "true": True,
    "True": True,
    "false": False,
    "False": False,
    "null": None,
    "None": None,
    # No JSON, and no number either: whoever wants a number says so.
    "NaN": None,
    "Infinity": None,
    "undefined": None,
}
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_WORD: Final = re.compile(r"[A-Za-z_][\w-]*")
_CUT_NUMBER: Final = re.compile(r"-?[\d.eE+-]*\Z")
"""More of it may have followed."""
_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d{1,3})?")
_BEHIND_STRING: Final = re.compile(r"\s*([,:}\]]|$)")
_OPENING: Final = re.compile(r"[{\[]")
_MAX_DEPTH: Final = 20
_MAX_CHARS_READ: Final = 1_000_000
"""In all: text that fails late and often is read again from many openings."""


@dataclass(frozen=True, slots=True)
class Value:
    """One object or list that stood somewhere in a text."""

    value: Json
    start: int
    stop: int
    is_cut: bool
    """It broke off; members that were not complete are left out."""


def find_values(text: str) -> list[Value]:
    """Objects and lists of `text` in their order, the outermost only."""
    found: list[Value] = []
    position = num_read = 0
    while num_read < _MAX_CHARS_READ:
        opening = _OPENING.search(text, position)
        if opening is None:
            break
        reader = _Reader(text, opening.start())
        try:
            value = reader.read(0)
        except _NotJson:
            num_read += reader.position - opening.start() + 1
            position = opening.end()
            continue
        found.append(Value(value, opening.start(), reader.position, reader.is_cut))
        position = reader.position
    return found


def _joined_surrogates(text: str) -> str:
    """Pairs of escaped surrogates as the one character they stand for."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


class _NotJson(Exception):
    """What stands here is no JSON value, however kindly read."""


class _Cut(Exception):
    """The text ended inside a value."""


class _Reader:
    """A recursive reader of bounded depth over one text."""

    def __init__(self, text: str, position: int) -> None:
        self.text = text
        self.position = position
        self.is_cut = False

    def read(self, depth: int) -> Json:
        if depth > _MAX_DEPTH:
            raise _NotJson
        mark = self._peek()
        if mark == "{":
            return self._object(depth)
        if mark == "[":
            return self._list(depth)
        if mark in _CLOSING:
            return self._string()
        return self._scalar()

    def _peek(self) -> str:
        """The next character that is no white space; not consumed."""
        while self.position < len(self.text) and self.text[self.position].isspace():
            self.position += 1
        if self.position >= len(self.text):
            raise _Cut
        return self.text[self.position]

    def _object(self, depth: int) -> Json:
        self.position += 1
        members: dict[str, Json] = {}
        try:
            while self._peek() != "}":
                key = self._key()
                if self._peek() != ":":
                    raise _NotJson
                self.position += 1
                value = self.read(depth + 1)
                if not self.is_cut or isinstance(value, list | dict):
                    members[key] = value
                if self.is_cut:
                    return members
                self._separator("}")
        except _Cut:
            self.is_cut = True
            return members
        self.position += 1
        return members

    def _list(self, depth: int) -> Json:
        self.position += 1
        members: list[Json] = []
        try:
            while self._peek() != "]":
                value = self.read(depth + 1)
                if self.is_cut:
                    return members
                members.append(value)
                self._separator("]")
        except _Cut:
            self.is_cut = True
            return members
        self.position += 1
        return members

    def _separator(self, closing: str) -> None:
        mark = self._peek()
        if mark == ",":
            self.position += 1
        elif mark != closing:
            raise _NotJson

    def _key(self) -> str:
        if self._peek() in _CLOSING:
            return self._string()
        word = _WORD.match(self.text, self.position)
        if word is None:
            raise _NotJson
        self.position = word.end()
        return word.group()

    def _string(self) -> str:
        closing = _CLOSING[self.text[self.position]]
        self.position += 1
        pieces: list[str] = []
        while True:
            if self.position >= len(self.text):
                raise _Cut
            mark = self.text[self.position]
            self.position += 1
            if mark == "\\":
                pieces.append(self._escape())
            elif mark in closing and self._ends_string():
                return _joined_surrogates("".join(pieces))
            else:
                pieces.append(mark)

    def _ends_string(self) -> bool:
        """Whether a quote here closes: only where JSON goes on behind it."""
        return _BEHIND_STRING.match(self.text, self.position) is not None

    def _escape(self) -> str:
        if self.position >= len(self.text):
            raise _Cut
        mark = self.text[self.position]
        self.position += 1
        if mark != "u":
            return _ESCAPES.get(mark, mark)
        digits = self.text[self.position : self.position + 4]
        if not re.fullmatch(r"[0-9a-fA-F]{4}", digits):
            return "\\u"
        self.position += 4
        return chr(int(digits, 16))

    def _scalar(self) -> Json:
        if _CUT_NUMBER.match(self.text, self.position):
            raise _Cut
        number = _NUMBER.match(self.text, self.position)
        if number is not None:
            self.position = number.end()
            if self.position == len(self.text):
                raise _Cut
            text = number.group()
            return float(text) if number[1] or number[2] else int(text)
        word = _WORD.match(self.text, self.position)
        if word is None:
            raise _NotJson
        self.position = word.end()
        if self.position == len(self.text):
            raise _Cut
        if word.group() not in _WORDS:
            raise _NotJson
        return _WORDS[word.group()]
