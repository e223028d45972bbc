"""The edit must bring no character that acts, hides or cannot be written.

A character that the replaced lines already hold may stay.
"""

import re
import unicodedata
from typing import Final

from dsreview.constraints.base import Candidate, Constraint, Violation
from dsreview.patch import Span
from dsreview.sandbox import Sandbox
from dsreview.sanitize import terminal_safe

_NAME: Final = "plain-text"
_LOOKALIKES: Final = "\u0370-\u03a8\u03bd\u03bf\u03c1\u03c5\u0400-\u052f\uff21-\uff3a\uff41-\uff5a"
"""Greek, Cyrillic and wide letters that look Latin; not those that formulas are written in."""
_MIXED: Final = re.compile(
    rf"[A-Za-z0-9_]*[A-Za-z_][A-Za-z0-9_]*[{_LOOKALIKES}]\w*|[{_LOOKALIKES}]+[A-Za-z_]\w*"
)


def _plain_text(candidate: Candidate, _: Sandbox) -> Violation | None:
    known = set("".join(candidate.replaced))
    for number, line in enumerate(candidate.edit.lines, candidate.edit.span.start):
        strange = sorted(mark for mark in set(line) - known if _is_strange(mark))
        if strange:
            name = unicodedata.name(strange[0], f"U+{ord(strange[0]):04X}")
            message = f"line {number} holds the character {name}"
            return Violation(_NAME, message, Span(number, number + 1))
        mixed = next((w for w in _MIXED.findall(line) if w not in candidate.file.text), "")
        if mixed:
            message = f"line {number} mixes letters of two scripts in one word"
            return Violation(_NAME, message, Span(number, number + 1))
    return None


def _is_strange(mark: str) -> bool:
    if mark in "\r\n":
        return True
    is_space = mark.isspace() and mark not in " \t"
    return is_space or terminal_safe(mark) != mark


PLAIN_TEXT = Constraint(
    name=_NAME,
    requirement="it holds no control, bidirectional or invisible characters no line ends "
    "inside a line and no letters that only look Latin",
    check=_plain_text,
)
