"""The frame of a unified diff: which lines are a file's header, which its hunks.

git's own output, `diff -u`, and mails with a patch in them are all read here.
Hunks are delimited by their counted lines, so a removed line that looks like a
header stays a removed line. Names are unquoted as git quotes them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from dsreview.errors import PatchError

NULL = "/dev/null"
_HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_EXTENDED = re.compile(
    r"(old mode|new mode|deleted file mode|new file mode|copy from|copy to|rename from"
    r"|rename to|rename old|rename new|similarity index|dissimilarity index|index) ?(.*)"
)
_SUBMODULE = re.compile(r"Submodule (.+) ([0-9a-f]{4,64})\.{2,3}([0-9a-f]{4,64})(?: \(.*\))?:?$")
_PLAIN_BINARY = re.compile(r"Binary files (.+) and (.+) differ$")
_MAX_COUNT = 10**9
NO_NEWLINE = "\\ No newline at end of file"
_ESCAPES = {"a": 7, "b": 8, "t": 9, "n": 10, "v": 11, "f": 12, "r": 13, '"': 34, "\\": 92}


@dataclass(slots=True)
class Section:
    """What a diff says of one file, line by line, before it is understood."""

    line: int
    """1-based line of the diff at which it starts."""
    git_names: str | None = None
    """What follows `diff --git `; None in a plain diff."""
    extended: dict[str, str] = field(default_factory=dict)
    old_name: str | None = None
    new_name: str | None = None
    hunk_line: int = 0
    """1-based line of the diff of the first hunk; 0 where there is none."""
    hunks: list[str] = field(default_factory=list)
    is_binary: bool = False
    is_submodule: bool = False


def read_sections(lines: list[str]) -> list[Section]:
    """Every file section of a diff, whatever text stands around them.

    Raises:
        PatchError: a hunk without a file, cut short or longer than it says, or the
            combined diff of a merge.
    """
    found: list[Section] = []
    at = 0
    while at < len(lines):
        section, at = _read_section(lines, at)
        if section is not None:
            found.append(section)
    return found


def _read_section(lines: list[str], at: int) -> tuple[Section | None, int]:
    line = lines[at]
    if line.startswith("diff --git "):
        return _read_git_section(lines, at)
    if line.startswith(("diff --cc ", "diff --combined ")):
        raise PatchError(
            f"line {at + 1}: combined diff of a merge; give the diff against one parent"
        )
    if _is_name_pair(lines, at):
        section = Section(line=at + 1)
        return section, _read_body(lines, at, section)
    if match := _SUBMODULE.match(line):
        section = Section(line=at + 1, is_submodule=True)
        section.old_name = section.new_name = match.group(1)
        section.extended["index"] = f"{match.group(2)}..{match.group(3)}"
        return section, at + 1
    if match := _PLAIN_BINARY.match(line):
        return (
            Section(at + 1, old_name=match.group(1), new_name=match.group(2), is_binary=True),
            at + 1,
        )
    if _HUNK.match(line):
        raise PatchError(f"line {at + 1}: hunk without the name of a file")
    return None, at + 1


def _is_name_pair(lines: list[str], at: int) -> bool:
    return (
        at + 2 < len(lines)
        and lines[at].startswith("--- ")
        and lines[at + 1].startswith("+++ ")
        and _HUNK.match(lines[at + 2]) is not None
    )


def _read_git_section(lines: list[str], at: int) -> tuple[Section, int]:
    section = Section(line=at + 1, git_names=lines[at].removeprefix("diff --git "))
    at += 1
    while at < len(lines) and (match := _EXTENDED.match(lines[at])):
        section.extended[match.group(1)] = match.group(2)
        at += 1
    return section, _read_body(lines, at, section)


def _read_body(lines: list[str], at: int, section: Section) -> int:
    if at < len(lines) and (
        lines[at] == "GIT binary patch" or _PLAIN_BINARY.match(lines[at]) is not None
    ):
        section.is_binary = True
        return at + 1
    if at + 1 < len(lines) and lines[at].startswith("--- ") and lines[at + 1].startswith("+++ "):
        section.old_name = read_name(lines[at][4:])
        section.new_name = read_name(lines[at + 1][4:])
        at += 2
    section.hunk_line = at + 1
    while at < len(lines) and (match := _HUNK.match(lines[at])):
        at = _read_hunk(lines, at, match, section)
    if section.hunks and _is_stray(lines, at):
        raise PatchError(f"line {at + 1}: the hunk before it is longer than its header says")
    return at


def _read_hunk(lines: list[str], at: int, header: re.Match[str], section: Section) -> int:
    old_left, new_left = _hunk_counts(header, at)
    start = at
    section.hunks.append(lines[at])
    at += 1
    while old_left or new_left:
        if at >= len(lines):
            raise PatchError(f"line {at}: the diff ends inside the hunk of line {start + 1}")
        line = lines[at]
        mark = line[:1] if line not in ("", "\r") else " "
        if mark == "\\":
            line = NO_NEWLINE
        elif mark not in " +-":
            raise PatchError(f"line {at + 1}: not a line of a hunk; the hunk is cut short")
        old_left -= mark in " -"
        new_left -= mark in " +"
        if old_left < 0 or new_left < 0:
            raise PatchError(f"line {at + 1}: the hunk is longer than its header says")
        section.hunks.append(line if line not in ("", "\r") else f" {line}")
        at += 1
    while at < len(lines) and lines[at].startswith("\\"):
        section.hunks.append(NO_NEWLINE)
        at += 1
    return at


def _hunk_counts(header: re.Match[str], at: int) -> tuple[int, int]:
    if any(len(number or "") > 9 for number in header.groups()):
        raise PatchError(f"line {at + 1}: a hunk with a number above {_MAX_COUNT - 1}")
    old_start, old_count, new_start, new_count = (
        int(number) if number is not None else 1 for number in header.groups()
    )
    if not (old_count or new_count):
        raise PatchError(f"line {at + 1}: a hunk of no lines")
    if (old_count and not old_start) or (new_count and not new_start):
        raise PatchError(f"line {at + 1}: a hunk that starts at line 0")
    return old_count, new_count


def _is_stray(lines: list[str], at: int) -> bool:
    """A line that looks as if it belonged to the hunk that just ended."""
    if at >= len(lines) or lines[at].rstrip() == "--" or _is_name_pair(lines, at):
        return False
    return lines[at][:1] in ("+", "-", " ") and lines[at].strip() != ""


def read_name(text: str) -> str:
    """A name of a `---` or `+++` line, unquoted, without the time behind a tab."""
    if text.startswith('"'):
        name, _ = unquote(text)
        return name
    return text.split("\t", 1)[0]


def unquote(text: str) -> tuple[str, str]:
    """A name in git's C quotes at the start of `text`, and what follows it.

    >>> unquote('"caf\\\\303\\\\251" b')
    ('café', ' b')
    """
    raw = bytearray()
    at = 1
    while at < len(text) and text[at] != '"':
        if text[at] != "\\":
            raw += text[at].encode("utf-8", "surrogateescape")
            at += 1
        elif (escape := _ESCAPES.get(text[at + 1 : at + 2])) is not None:
            raw.append(escape)
            at += 2
        elif match := re.compile(r"[0-3][0-7]{2}").match(text, at + 1):
            raw.append(int(match.group(), 8))
            at += 4
        else:
            raise PatchError(f"a file name with an unknown escape: {text}")
    if at >= len(text):
        raise PatchError(f"a quoted file name that does not end: {text}")
    return raw.decode("utf-8", "surrogateescape"), text[at + 1 :]


def split_git_names(names: str) -> tuple[str, str]:
    """The two names of a `diff --git` line, prefixes still on.

    Unquoted names may hold spaces, so the line alone is ambiguous; git writes it
    without other name lines only where both are the same file, which decides.

    Raises:
        PatchError: no way to cut it gives the same file twice.
    """
    if names.startswith('"'):
        old, rest = unquote(names)
        return old, read_name(rest.removeprefix(" "))
    if names.endswith('"') and ' "' in names:
        old, rest = names.split(' "', 1)
        return old, read_name(f'"{rest}')
    cuts = sorted(_spaces(names), key=lambda at: abs(2 * at + 1 - len(names)))
    for at in cuts:
        old, new = names[:at], names[at + 1 :]
        if old == new or without_prefix(old) == without_prefix(new) is not None:
            return old, new
    raise PatchError(f"cannot tell the two file names apart: diff --git {names}")


def _spaces(text: str) -> Iterator[int]:
    return (at for at, char in enumerate(text) if char == " ")


def without_prefix(name: str) -> str | None:
    """The name below its first folder (`a/` of `a/x.py`); None if it has none."""
    _, slash, rest = name.partition("/")
    return rest if slash and rest else None
