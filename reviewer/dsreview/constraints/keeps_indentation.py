"""The edit must be indented as the code around it: same character, a level that fits.

What replaces lines starts at their level and goes no further out; what is inserted
stands at the level of a neighbour, or of the lines that were removed there. One column
of difference is let pass: people misalign.
"""

from typing import Final

from dsreview.constraints.base import Candidate, Constraint, Violation
from dsreview.patch import LineKind, Span
from dsreview.sandbox import Sandbox

_NAME: Final = "keeps-indentation"
_TAB_WIDTH: Final = 4
_TOLERANCE: Final = 1
_OPENS: Final = ("{", "(", "[", ":", "->", "=>", "then", "do", "else", "begin", "try", "|", ",")


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
    characters = {line[:1] for line in candidate.replaced if line[:1] in (" ", "\t")}
    characters = characters or {line[:1] for line in candidate.lines if line[:1] in (" ", "\t")}
    if len(characters) != 1:
        return None
    known = "tabs" if characters == {"\t"} else "spaces"
    for number, line in new:
        if line[:1] in (" ", "\t") and line[:1] not in characters:
            message = f"line {number} is not indented with {known} as the code around it"
            return Violation(_NAME, message, Span(number, number + 1))
    return None


def _wrong_level(new: list[tuple[int, str]], candidate: Candidate) -> Violation | None:
    language = candidate.file.language
    old = [line for line in candidate.replaced if _has_level(line, language)]
    number, first = new[0]
    if not old:
        levels = _levels_around(candidate)
        fits = not levels or any(abs(_level(first) - level) <= _TOLERANCE for level in levels)
        return None if fits else _misplaced(number, first, min(levels))
    expected = _level(old[0])
    is_kept = any(line == old[0] for _, line in new)
    if not is_kept and abs(_level(first) - expected) > _TOLERANCE:
        return _misplaced(number, first, expected)
    outermost = min(map(_level, old))
    for number, line in new:
        if _level(line) < outermost - _TOLERANCE:
            return _misplaced(number, line, outermost)
    return None


def _levels_around(candidate: Candidate) -> set[int]:
    """Where an inserted line may start."""
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
    is_directive = language in ("c", "cpp", "c_sharp") and line.startswith("#")
    return bool(line.strip()) and not is_directive


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
