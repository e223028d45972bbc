"""The edit must bring no character that acts, hides or cannot be written.

A character that the replaced lines already hold may stay.
"""

import unicodedata
from typing import Final

from dsreview.constraints.base import Candidate, Constraint, Violation
from dsreview.patch import Span
from dsreview.sandbox import Sandbox
from dsreview.sanitize import terminal_safe

_NAME: Final = "plain-text"


def _plain_text(candidate: Candidate, _: Sandbox) -> Violation | None:
    known = set("".join(candidate.replaced))
    for number, line in enumerate(candidate.edit.lines, candidate.edit.span.start):
        strange = sorted(mark for mark in set(line) - known if _is_strange(mark))
        if strange:
            name = unicodedata.name(strange[0], f"U+{ord(strange[0]):04X}")
            message = f"line {number} holds the character {name}"
            return Violation(_NAME, message, Span(number, number + 1))
    return None


def _is_strange(mark: str) -> bool:
    if mark in "\r\n":
        return True
    is_space = mark.isspace() and mark not in " \t"
    return is_space or terminal_safe(mark) != mark


PLAIN_TEXT = Constraint(
    name=_NAME,
    requirement="it holds no control, bidirectional or invisible characters and no line ends "
    "inside a line",
    check=_plain_text,
)
