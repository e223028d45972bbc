"""Fixes that come with what is no code: marks, fences, words, characters that nobody sees."""

import re
from random import Random

from broken_fixes.cases import Case
from broken_fixes.wording import LEADING, rewritten, with_piece
from dsreview.finding import Edit

_HASH_COMMENTS = ("python", "ruby", "bash")
_PLACEHOLDERS = (
    "... existing code ...",
    "rest of the code unchanged",
    "... rest of the function ...",
    "existing code here",
    "(remaining lines unchanged)",
    "... same as before ...",
)


def typographic_quotes(case: Case, _: Random) -> Edit | None:
    return rewritten(
        case, (re.sub(r'"([^"]*)"', "\u201c\\1\u201d", line) for line in case.edit.lines)
    )


def html_entities(case: Case, _: Random) -> Edit | None:
    table = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}
    return rewritten(case, ("".join(table.get(c, c) for c in line) for line in case.edit.lines))


def line_ends_written_out(case: Case, _: Random) -> Edit | None:
    if len(case.edit.lines) < 2:
        return None
    return rewritten(case, ["\\n".join(case.edit.lines)])


def line_numbers(case: Case, random: Random) -> Edit | None:
    start = case.edit.span.start
    shape = random.choice(("{:>5} + {}", "{:>5}   {}", "{}: {}", "{:>4} | {}", "{}\t{}"))
    return rewritten(
        case, (shape.format(start + at, row) for at, row in enumerate(case.edit.lines))
    )


def plus_marks(case: Case, _: Random) -> Edit | None:
    return rewritten(case, (f"+{line}" for line in case.edit.lines))


def whole_diff(case: Case, _: Random) -> Edit | None:
    old, new = (f"-{line}" for line in case.old_lines), (f"+{line}" for line in case.edit.lines)
    return rewritten(case, (*old, *new))


def fence(case: Case, random: Random) -> Edit | None:
    opening = random.choice(("```", f"```{case.language}", "~~~"))
    rows = (opening, *case.edit.lines, opening[:3])
    return rewritten(case, random.choice((rows, rows[:-1], rows[1:])))


def backticks(case: Case, _: Random) -> Edit | None:
    def ticked(line: str) -> str:
        code = line.strip()
        return line.replace(code, f"`{code}`") if code else line

    return rewritten(case, map(ticked, case.edit.lines))


def conflict_marks(case: Case, _: Random) -> Edit | None:
    old, new = case.old_lines, case.edit.lines
    return rewritten(case, ("<<<<<<< HEAD", *old, "=======", *new, ">>>>>>> fix"))


def prose(case: Case, random: Random) -> Edit | None:
    said = random.choice(("Here is the fix:", "Replace the line with this one.", "Fixed code:"))
    return rewritten(case, (said, *case.edit.lines))


def placeholder(case: Case, random: Random) -> Edit | None:
    """A comment stands for the last line of several, or behind the only one."""
    if not case.edit.lines:
        return None
    *rest, last = case.edit.lines
    mark = "#" if case.language in _HASH_COMMENTS else "//"
    space = LEADING.match(last)[0]  # type: ignore[index]  # matches anything
    words = random.choice((*(f"{mark} {words}" for words in _PLACEHOLDERS), "..."))
    return rewritten(case, (*(rest or [last]), space + words))


def byte_order_mark(case: Case, _: Random) -> Edit | None:
    return rewritten(case, ("\ufeff" + "\n".join(case.edit.lines)).split("\n"))


def carriage_returns(case: Case, random: Random) -> Edit | None:
    """Line ends of another system, in the middle of what came as one line."""
    if len(case.edit.lines) > 1:
        return rewritten(case, ["\r".join(case.edit.lines)])
    return _with_mark(case, random, ("\r", "\r\n"))


def control_character(case: Case, random: Random) -> Edit | None:
    return _with_mark(case, random, ("\x00", "\x08", "\x1b[31m", "\x7f", "\x0c", "\x9b"))


def invisible_character(case: Case, random: Random) -> Edit | None:
    return _with_mark(case, random, ("\u200b", "\u202e", "\u2066", "\xa0", "\u2060", "\U000e0041"))


def _with_mark(case: Case, random: Random, marks: tuple[str, ...]) -> Edit | None:
    if not case.pieces:
        return None
    piece = random.choice(case.pieces)
    return with_piece(case, piece, random.choice(marks) + piece.text)
