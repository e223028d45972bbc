"""Fixes whose text is broken: what models leave out, leave in and get wrong."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from random import Random

from broken_fixes.cases import Case
from broken_fixes.tokens import Piece, Punctuation
from dsreview.finding import Edit

_DEFINES = {"def", "func", "function", "fn", "fun", "class", "public", "private", "static", "catch"}
_BEFORE_A_READ = ("(", ",", "=", "+", "-", "==", "[", "return", "!", "/")
_BEHIND_A_READ = (")", ",", ";", "+", "-", "]", "==")
NONCE = "qzMissing7"
"""A name that stands nowhere."""
LEADING = re.compile(r"[ \t]*")
_OTHER_LANGUAGES = {
    "python": "if (value !== undefined && value.length > 0) { return value; }",
    "other": "    if value is not None and len(value) > 0: return value",
}
_DANGLING = {
    "python": ("else:", "except ValueError:", "elif value:"),
    "ruby": ("else", "rescue ArgumentError => e", "end"),
    "bash": ("else", "fi", "done"),
    "c": ("} else {", "} else if (1) {"),
    "go": ("} else {", "} else if true {"),
    "rust": ("} else {", "} else if true {"),
    "other": ("} else {", "} catch (e) {"),
}
_LIBRARIES = {
    "python": ("functools.reduce(min, {})", "itertools.chain({})", "shlex.quote({})"),
    "javascript": ("lodash.get({})", "qs.stringify({})", "semver.valid({})"),
    "go": ("strconv.Itoa({})", "slices.Max({})", "unicode.ToUpper({})"),
    "rust": ("HashMap::from({})", "BTreeSet::from({})", "Arc::new({})"),
    "java": ("Collectors.counting({})", "LocalDate.from({})", "BigDecimal.valueOf({})"),
    "kotlin": ("Instant.from({})", "BigDecimal({})", "Paths.get({})"),
}
_LIBRARIES |= {"typescript": _LIBRARIES["javascript"], "tsx": _LIBRARIES["javascript"]}


@dataclass(frozen=True, slots=True)
class Broken:
    edit: Edit
    quote: str | None = None
    """What the finding quotes instead of the code there."""


Mutation = Callable[[Case, Random], Edit | Broken | None]


def rewritten(case: Case, lines: Iterable[str]) -> Edit | None:
    """The fix with other lines; None where they are the same."""
    new = tuple(lines)
    return None if new == case.edit.lines else replace(case.edit, lines=new)


def with_piece(case: Case, piece: Piece, text: str) -> Edit | None:
    lines = list(case.edit.lines)
    row, stop = lines[piece.line], piece.column + len(piece.text)
    lines[piece.line] = row[: piece.column] + text + row[stop:]
    return rewritten(case, lines)


def _pieces(case: Case, wanted: Callable[[Piece], bool]) -> list[Piece]:
    return [piece for piece in case.pieces if wanted(piece)]


def _brackets(case: Case, marks: str) -> list[Piece]:
    return _pieces(case, lambda piece: piece.type in Punctuation and piece.text in tuple(marks))


def lost_bracket(case: Case, random: Random) -> Edit | None:
    found = _brackets(case, ")]}")
    return with_piece(case, random.choice(found), "") if found else None


def lost_opening_bracket(case: Case, random: Random) -> Edit | None:
    found = _brackets(case, "([{")
    return with_piece(case, random.choice(found), "") if found else None


def bracket_too_many(case: Case, random: Random) -> Edit | None:
    found = _brackets(case, ")]}")
    if not found:
        return None
    piece = random.choice(found)
    return with_piece(case, piece, piece.text * 2)


def lost_indentation(case: Case, _: Random) -> Edit | None:
    return rewritten(case, (line.lstrip() for line in case.edit.lines))


def other_indentation(case: Case, _: Random) -> Edit | None:
    return rewritten(case, map(_other_space, case.edit.lines))


def _other_space(line: str) -> str:
    space = LEADING.match(line)[0]  # type: ignore[index]  # matches anything
    other = space.replace("\t", "    ") if "\t" in space else re.sub(" {2,4}", "\t", space)
    return other + line[len(space) :]


def mixed_indentation(case: Case, random: Random) -> Edit | None:
    rows = [at for at, line in enumerate(case.edit.lines) if line.startswith(("  ", "\t"))]
    if not rows:
        return None
    lines = list(case.edit.lines)
    at = random.choice(rows)
    space = LEADING.match(lines[at])[0]  # type: ignore[index]  # matches anything
    mark = " " if space.endswith("\t") else "\t"
    lines[at] = space + mark + lines[at][len(space) :]
    return rewritten(case, lines)


def deeper_indentation(case: Case, random: Random) -> Edit | None:
    """One line stands two levels further in."""
    rows = [at for at, line in enumerate(case.edit.lines) if line.strip()]
    if not rows:
        return None
    lines = list(case.edit.lines)
    at = random.choice(rows)
    lines[at] = ("\t\t" if lines[at].startswith("\t") else " " * 8) + lines[at]
    return rewritten(case, lines)


def unknown_name(case: Case, random: Random) -> Edit | None:
    found = _references(case)
    return with_piece(case, random.choice(found), NONCE) if found else None


def _references(case: Case) -> list[Piece]:
    """Names that are read: neither members nor parameters, and given nothing."""
    if case.language == "bash":  # any word is a string
        return []
    found = []
    around = [None, *case.pieces, None, None]
    for before, piece, after, later in zip(
        around, around[1:], around[2:], around[3:], strict=False
    ):
        if piece is None or not piece.is_name or before is None or after is None:
            continue
        heads = case.edit.lines[piece.line].split()[:3]
        is_head = not _DEFINES.isdisjoint(heads) or (
            later is not None and later.text in ("=>", "->", ">")
        )
        is_apart = before.line == piece.line == after.line and before.text in _BEFORE_A_READ
        if is_apart and after.text in _BEHIND_A_READ and not is_head:
            found.append(piece)
    return found


def missing_import(case: Case, random: Random) -> Edit | None:
    found, calls = _references(case), _LIBRARIES.get(case.language, ())
    absent = [call for call in calls if re.split(r"\W", call)[0] not in case.buggy]
    if not found or not absent:
        return None
    piece = random.choice(found)
    return with_piece(case, piece, random.choice(absent).format(piece.text))


def lookalike_letters(case: Case, random: Random) -> Edit | None:
    found = [piece for piece in _references(case) if set(piece.text) & set("aeop")]
    if not found:
        return None
    piece = random.choice(found)
    letters = str.maketrans("aeop", "\u0430\u0435\u043e\u0440")
    return with_piece(case, piece, piece.text.translate(letters))


def half_a_string(case: Case, random: Random) -> Edit | None:
    rows = [at for at, line in enumerate(case.edit.lines) if _last_quote(line) > 0]
    if not rows:
        return None
    lines = list(case.edit.lines)
    at = random.choice(rows)
    last = _last_quote(lines[at])
    lines[at] = lines[at][:last] + lines[at][last + 1 :]
    return rewritten(case, lines)


def _last_quote(line: str) -> int:
    return max(line.rfind('"'), line.rfind("'") if line.count("'") % 2 == 0 else -1)


def quote_too_many(case: Case, _: Random) -> Edit | None:
    found = _brackets(case, "()[],;")
    return with_piece(case, piece, '"' + piece.text) if found and (piece := found[-1]) else None


def truncated(case: Case, random: Random) -> Edit | None:
    """The last line breaks off."""
    if not case.edit.lines:
        return None
    *rest, last = case.edit.lines
    code = last.strip()
    if len(code) < 4:
        return None
    cut = len(last) - len(last.lstrip()) + random.randrange(2, len(code) - 1)
    return rewritten(case, (*rest, last[:cut]))


def lost_last_line(case: Case, _: Random) -> Edit | None:
    return rewritten(case, case.edit.lines[:-1]) if len(case.edit.lines) > 1 else None


def swapped_lines(case: Case, random: Random) -> Edit | None:
    if len(case.edit.lines) < 2:
        return None
    lines = list(case.edit.lines)
    at = random.randrange(len(lines) - 1)
    lines[at], lines[at + 1] = lines[at + 1], lines[at]
    return rewritten(case, lines)


def other_language(case: Case, _: Random) -> Edit | None:
    row = _OTHER_LANGUAGES.get(case.language, _OTHER_LANGUAGES["other"])
    first = next((line for line in case.edit.lines if line.strip()), "")
    return rewritten(case, (*case.edit.lines, LEADING.match(first)[0] + row.strip()))  # type: ignore[index]


def dangling_branch(case: Case, random: Random) -> Edit | None:
    rows = _DANGLING.get(case.language, _DANGLING["other"])
    first = next((line for line in case.edit.lines if line.strip()), "")
    space = LEADING.match(first)[0]  # type: ignore[index]  # matches anything
    return rewritten(case, (space + random.choice(rows), *case.edit.lines))
