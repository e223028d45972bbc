"""Which lines of a file's `patch` may be commented on, and where they went after a push."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal, get_args

Side = Literal["LEFT", "RIGHT"]
SIDES: tuple[Side, ...] = get_args(Side)

HUNK = re.compile(r"@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@")
ON_SIDES: dict[str, tuple[Side, ...]] = {"+": ("RIGHT",), "-": ("LEFT",), " ": SIDES}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a patch below a hunk's header."""

    position: int
    """Lines below the patch's first hunk header."""
    hunk: int
    text: str
    """With its first column: `+`, `-` or a space."""
    left: int | None
    right: int | None

    def number(self, side: Side) -> int | None:
        return self.left if side == "LEFT" else self.right


def rows(patch: str) -> Iterator[Row]:
    hunk, left, right = -1, 0, 0
    for position, text in enumerate(patch.split("\n")):
        header = HUNK.match(text)
        if header:
            hunk, left, right = hunk + 1, int(header[1]), int(header[2])
            continue
        sides = ON_SIDES.get(text[:1], ())  # "\ No newline at end of file" is on none
        if hunk < 0 or not sides:
            continue
        yield Row(
            position,
            hunk,
            text,
            left if "LEFT" in sides else None,
            right if "RIGHT" in sides else None,
        )
        left += "LEFT" in sides
        right += "RIGHT" in sides


def find(patch: str, side: Side, line: int) -> Row | None:
    """The row of line `line` (1-based) of that side; None where the patch does not show it."""
    return next((row for row in rows(patch) if row.number(side) == line), None)


def at_position(patch: str, position: int) -> tuple[Side, int] | None:
    """Side and line of the row `position` lines below the first hunk header."""
    for row in rows(patch):
        if row.position == position:
            side: Side = "LEFT" if row.right is None else "RIGHT"
            number = row.number(side)
            return None if number is None else (side, number)
    return None


def hunk_until(patch: str, row: Row) -> str:
    """The `diff_hunk` of a comment: from the hunk's header down to the row."""
    lines = patch.split("\n")
    start = max(at for at in range(row.position) if HUNK.match(lines[at]))
    return "\n".join(lines[start : row.position + 1])


def relocate(old: str, new: str, side: Side, line: int) -> int | None:
    """Where that line of the old patch stands in the new one; None: no more part of the diff."""
    before = [row for row in rows(old) if row.number(side) is not None]
    after = [row for row in rows(new) if row.number(side) is not None]
    matcher = SequenceMatcher(
        None, [row.text for row in before], [row.text for row in after], autojunk=False
    )
    for block in matcher.get_matching_blocks():
        for offset in range(block.size):
            if before[block.a + offset].number(side) == line:
                return after[block.b + offset].number(side)
    return None
