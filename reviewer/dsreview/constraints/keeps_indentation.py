"""The edit must be indented as the code around it: same character, a level that fits.

What replaces lines starts at their level and goes no further out; what is inserted
stands at the level of a neighbour, or of the lines that were removed there. One column
of difference is let pass: people misalign.
"""

import re
from typing import Final

from dsreview import languages
from dsreview.constraints.base import Candidate, Constraint, Violation
from dsreview.patch import LineKind, Span
from dsreview.sandbox import Sandbox

_NAME: Final = "keeps-indentation"
_TAB_WIDTH: Final = 4
_TOLERANCE: Final = 1
_GOES_ON: Final = (",", "(", "[", "=", "+", "&&", "||", "?", "\\")
_CLOSES: Final = re.compile(r"\s*(?:[)\]}]|end\b|fi\b|done\b|esac\b)")
_BRANCHES: Final = re.compile(r"\s*\}\s*(?:else|catch|finally)\b")
_OPENS: Final = ("{", "(", "[", ":", "->", "=>", "then", "do", "else", "begin", "try", "|")


def _keeps_indentation(candidate: Candidate, _: Sandbox) -> Violation | None:
    new = [
        (number, line)
        for number, line in enumerate(candidate.edit.lines, candidate.edit.span.start)
        if _has_level(line, candidate.file.language)
    ]
    if not new:
        return None
    return _wrong_character(new, candidate) or _wrong_level(new, candidate)


def _wrong_character(new: list[tuple[int, str]], candidate: Candidate) -> Violation | None:
    used = {line[:1] for line in candidate.lines if line[:1] in (" ", "\t")}
    characters = {line[:1] for line in candidate.replaced if line[:1] in (" ", "\t")}
    if not characters or candidate.file.language != "python":
        characters |= used
    if len(characters) != 1:
        return None
    known = "tabs" if characters == {"\t"} else "spaces"
    for number, line in new:
        if line[:1] in (" ", "\t") and line[:1] not in characters:
            message = f"line {number} is not indented with {known} as the code around it"
            return Violation(_NAME, message, Span(number, number + 1))
    return None


def _wrong_level(new: list[tuple[int, str]], candidate: Candidate) -> Violation | None:
    language, start = candidate.file.language, candidate.edit.span.start
    above = [line for line in candidate.lines[: start - 1] if line.strip()]
    if above and above[-1].rstrip().endswith(_GOES_ON):
        return None  # a continued line is aligned, not indented
    old = [line for line in candidate.replaced if _has_level(line, language)]
    if not old:
        return _wrong_level_inserted(new, candidate, above)
    number, first = new[0]
    expected = _level(old[0])
    is_kept = any(line == old[0] for _, line in new)
    opens = first.strip() == "{" and bool(above) and _level(first) == _level(above[-1])
    if opens:
        return None  # a block in the place of its only statement
    if not is_kept and abs(_level(first) - expected) > _TOLERANCE:
        return _misplaced(number, first, expected)
    outermost = min(map(_level, old))
    for number, line in new:
        if _level(line) < outermost - _TOLERANCE and not _BRANCHES.match(line):
            return _misplaced(number, line, outermost)
    return None


def _wrong_level_inserted(
    new: list[tuple[int, str]], candidate: Candidate, above: list[str]
) -> Violation | None:
    number, first = next((row for row in new if not _CLOSES.match(row[1])), new[0])
    levels = _levels_around(candidate)
    if _starts_paragraph(candidate, number):
        levels |= _open_levels(above)
    fits = not levels or any(abs(_level(first) - level) <= _TOLERANCE for level in levels)
    return None if fits else _misplaced(number, first, min(levels))


def _starts_paragraph(candidate: Candidate, number: int) -> bool:
    """Whether the line before is blank or only closes something: a new definition may start."""
    start = candidate.edit.span.start
    written = candidate.edit.lines[: number - start]
    before = (*candidate.lines[: start - 1], *written)[-1:]
    return not before or not before[0].strip() or bool(_CLOSES.match(before[0]))


def _open_levels(above: list[str]) -> set[int]:
    """Levels of the blocks that are open behind the last of these lines."""
    levels: list[int] = []
    for line in reversed(above):
        if not levels or _level(line) < levels[-1]:
            levels.append(_level(line))
    return set(levels)


def _levels_around(candidate: Candidate) -> set[int]:
    """Where an inserted line may start, if no new definition does."""
    start = candidate.edit.span.start
    lines, language = candidate.lines, candidate.file.language
    before = next((row for row in reversed(lines[: start - 1]) if _has_level(row, language)), None)
    after = next((row for row in lines[start - 1 :] if _has_level(row, language)), None)
    levels = {_level(line) for line in (before, after) if line is not None}
    if before is not None and before.rstrip().endswith(_OPENS):
        levels |= {_level(before) + step for step in (2, 4, 8)}
    removed = _removed_levels(candidate)
    if start in candidate.file.patch.gaps and removed:
        levels |= removed
    # The level of the file itself, beside indented code, is where lost indentation lands.
    is_indented = any(removed) if removed else any(levels)
    is_top_level = before is None or not _level(before)
    return levels - {0} if is_indented and not is_top_level else levels


def _removed_levels(candidate: Candidate) -> set[int]:
    """Levels of the lines that went from the gap at the edit."""
    start = candidate.edit.span.start
    return {
        _level(line.text)
        for hunk in candidate.file.patch.hunks
        if start in hunk.gaps
        for line in hunk.lines
        if line.kind is LineKind.REMOVED and line.text.strip()
    }


def _has_level(line: str, language: str) -> bool:
    """Neither a blank line, nor a directive, nor a comment: people set these where they like."""
    is_directive = language in ("c", "cpp", "c_sharp") and line.startswith("#")
    mark = languages.by_name(language).line_comment if language else ""
    is_comment = bool(mark) and line.startswith(mark)
    return bool(line.strip()) and not is_directive and not is_comment


def _level(line: str) -> int:
    wide = line.expandtabs(_TAB_WIDTH)
    return len(wide) - len(wide.lstrip())


def _misplaced(number: int, line: str, expected: int) -> Violation:
    message = f"line {number} is indented by {_level(line)} columns, the code there by {expected}"
    return Violation(_NAME, message, Span(number, number + 1))


KEEPS_INDENTATION = Constraint(
    name=_NAME,
    requirement="it is indented with the same character and at the same level as the lines it "
    "replaces",
    check=_keeps_indentation,
)
