"""Patterns as in `.gitignore`, matched in time that grows with their length alone.

The files come from the repository under review: a pattern of thirty stars must not keep
the program busy for hours, as a translation to one regular expression does.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

_ANY_FOLDERS = "**"
_PIECE = re.compile(
    r"(?P<star>\*+)|(?P<one>\?)|\[(?P<no>[!^]?)(?P<set>\]?(?:\\.|\[:\w+:\]|[^\]\\])*)\]"
    r"|\\(?P<escaped>.)|(?P<broken>[\[\\])|(?P<plain>.)",
    re.DOTALL,
)
_MEMBER = re.compile(r"\[:(\w+):\]|(\\.|[^\\])(?:-(\\.|[^\\]))?", re.DOTALL)
_CLASSES = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "blank": " \\t",
    "cntrl": "\\x00-\\x1f\\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": "!-/:-@\\[-`{-~",
    "space": "\\s",
    "upper": "A-Z",
    "xdigit": "0-9A-Fa-f",
}


@dataclass(frozen=True, slots=True)
class IgnorePattern:
    text: str
    """As written."""
    is_ignored: bool
    """False for `!pattern`."""
    is_for_folders: bool
    names: tuple[re.Pattern[str] | None, ...]
    """One for each folder on the way; None is `**`."""


@dataclass(frozen=True, slots=True)
class IgnorePatterns:
    """Of one file, in its order: the last that matches decides."""

    patterns: tuple[IgnorePattern, ...]

    @classmethod
    def from_lines(cls, lines: Iterable[str]) -> "IgnorePatterns":
        """A pattern that git could not use matches nothing, as in git."""
        read = (_read(line) for line in lines)
        return cls(tuple(pattern for pattern in read if pattern is not None))

    def decide(self, path: str) -> IgnorePattern | None:
        """The pattern that decides about a path; None where none says anything.

        Args:
            path: of a file; of a folder with a slash behind it.
        """
        names = path.rstrip("/").split("/")
        deciding: list[IgnorePattern | None] = [None] * len(names)
        for pattern in self.patterns:
            for depth in _matched_depths(pattern, names):
                is_folder = depth + 1 < len(names) or path.endswith("/")
                if is_folder or not pattern.is_for_folders:
                    deciding[depth] = pattern
        # nothing in an ignored folder can be taken back
        ignored = (one for one in deciding if one is not None and one.is_ignored)
        return next(ignored, deciding[-1])

    def ignores(self, path: str) -> bool:
        deciding = self.decide(path)
        return deciding is not None and deciding.is_ignored


def _matched_depths(pattern: IgnorePattern, names: list[str]) -> list[int]:
    """Positions in `names` at which the path so far matches: all states at once."""
    end = len(pattern.names)
    states = _with_skipped(pattern, {0})
    found: list[int] = []
    for depth, name in enumerate(names):
        following: set[int] = set()
        for state in states - {end}:
            expected = pattern.names[state]
            if expected is None:
                following.add(state)
                if state + 1 == end:  # `folder/**` is what is in it
                    following.add(end)
            elif expected.match(name):
                following.add(state + 1)
        states = _with_skipped(pattern, following)
        if end in states:
            found.append(depth)
        if not states:
            break
    return found


def _with_skipped(pattern: IgnorePattern, states: set[int]) -> set[int]:
    """`**` may stand for no folder at all, but not at the end."""
    found = set(states)
    last = len(pattern.names) - 1
    for state in range(last):
        if state in found and pattern.names[state] is None:
            found.add(state + 1)
    return found


def _read(line: str) -> IgnorePattern | None:
    text = re.sub(r"(?<!\\) +$", "", line.removesuffix("\n").removesuffix("\r"))
    if text.startswith("#"):
        return None
    body = text.removeprefix("!")
    is_for_folders = body.endswith("/")
    body = body.removesuffix("/")
    is_anchored = "/" in body
    names = body.removeprefix("/").split("/")
    if not all(names):
        return None
    if not is_anchored:
        names = [_ANY_FOLDERS, *names]
    try:
        expected = tuple(None if name == _ANY_FOLDERS else _name(name) for name in names)
    except (ValueError, re.error):
        return None
    return IgnorePattern(text, not text.startswith("!"), is_for_folders, expected)


def _name(glob: str) -> re.Pattern[str]:
    """A glob of one name. Raises ValueError where git would match nothing.

    What follows a star is looked for once and never again: the first place is as good as
    any other, so nothing is gained by going back.
    """
    parts = [""]
    for piece in _PIECE.finditer(glob):
        if piece["star"]:
            parts.append("")
        elif piece["broken"]:
            raise ValueError(glob)
        elif piece["one"]:
            parts[-1] += "."
        elif piece["set"] is not None:
            parts[-1] += _set(piece["no"], piece["set"])
        else:
            parts[-1] += re.escape(piece["escaped"] or piece["plain"])
    first, *rest = parts
    if not rest:
        return re.compile(rf"(?s:{first})\Z")
    between = "".join(f"(?>.*?{part})" for part in rest[:-1] if part)
    return re.compile(rf"(?s:{first}{between}.*{rest[-1]})\Z")


def _set(negation: str, members: str) -> str:
    found = ""
    for member in _MEMBER.finditer(members):
        named, first, last = member.groups()
        if named:
            if named not in _CLASSES:
                raise ValueError(members)
            found += _CLASSES[named]
            continue
        found += re.escape(first[-1]) + (f"-{re.escape(last[-1])}" if last else "")
    if not found:
        raise ValueError(members)
    return f"[{'^' if negation else ''}{found}]"
