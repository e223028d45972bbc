"""True fixes: what a change broke, the edit that mends it, and the change as it is reviewed."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from random import Random

from broken_fixes.tokens import Piece, is_same_code, pieces
from dsreview.anchors import Anchor, anchor
from dsreview.benchmark.items import read_items
from dsreview.change import ChangedFile
from dsreview.edits import apply_edit
from dsreview.finding import Edit
from dsreview.line_diff import diff_hunks
from dsreview.patch import FilePatch, FileStatus, Span, split_lines

MAX_FIX_LINES = 12
_MODE = 0o100644
_ADDED_AROUND = 6
_MAX_QUOTED = 5
"""As the prompt says."""


class Setting(StrEnum):
    """What the change under review did."""

    BROKE = "broke"
    """It made the wrong code of right code: it holds nothing but the bug."""
    ADDED = "added"
    """It added the wrong code with lines around it; the right code was never there."""


@dataclass(frozen=True)
class Case:
    id: str
    language: str
    path: str
    fixed: str
    buggy: str
    edit: Edit
    """Makes `fixed` of `buggy`."""
    source: str
    git_dir: Path | None = None
    commit: str = ""
    """The one whose tree holds `buggy`."""

    def randomness(self, word: str) -> Random:
        seed = hashlib.sha256(f"{self.id} {word}".encode()).digest()
        return Random(seed)

    @cached_property
    def old_lines(self) -> list[str]:
        """What the fix replaces."""
        return self.lines[self.edit.span.start - 1 : self.edit.span.stop - 1]

    @cached_property
    def lines(self) -> list[str]:
        """Of the buggy file, without line ends."""
        return [line.removesuffix("\r") for line in split_lines(self.buggy)]

    @cached_property
    def pieces(self) -> tuple[Piece, ...]:
        """The code of the fix, read within its file; lines count from 0 in the fix."""
        start = self.edit.span.start
        return tuple(
            Piece(piece.line - start, piece.column, piece.type, piece.text)
            for piece in pieces(self.language, self.fixed)
            if 0 <= piece.line - start < len(self.edit.lines) and "\n" not in piece.text
        )

    def reviewed(self, setting: Setting) -> ChangedFile:
        old = self.fixed if setting is Setting.BROKE else self._without_surroundings()
        patch = FilePatch(
            *(self.path, self.path, FileStatus.MODIFIED, _MODE, _MODE),
            hunks=diff_hunks(old, self.buggy),
        )
        return ChangedFile(self.path, self.language, patch, old, self.buggy)

    def _without_surroundings(self) -> str:
        lines, span = self.buggy.splitlines(keepends=True), self.edit.span
        return "".join(
            lines[: max(span.start - 1 - _ADDED_AROUND, 0)] + lines[span.stop - 1 + _ADDED_AROUND :]
        )

    def finding(self, file: ChangedFile, setting: Setting) -> Anchor | None:
        """Where a finding stands that quotes the code as the prompt asks; None: not certain."""
        for quote, line in self._quotes(setting):
            place = anchor(quote, line, file, file.patch.hunks)
            if isinstance(place, Anchor) and place.is_precise:
                return place
        return None

    def _quotes(self, setting: Setting) -> Iterator[tuple[str, int]]:
        """One line, or up to five where one is not enough; the other way round for half."""
        start, old = self.edit.span.start, self.old_lines
        if not any(line.strip() for line in old):
            if setting is Setting.BROKE:
                rows = [line for line in self.edit.lines if line.strip()]
                yield "\n".join(rows[:_MAX_QUOTED]), start
                return
            for first, stop in ((start - 1, start), (start - 2, start), (start - 2, start + 2)):
                if first >= 1:
                    yield "\n".join(self.lines[first - 1 : stop - 1]), first
            return
        new = set(self.edit.lines)
        wrong = [at for at, line in enumerate(old) if line.strip() and line not in new] or [0]
        short = (old[wrong[0]], start + wrong[0])
        first = max(wrong[0] - 2, 0)
        long = ("\n".join(old[wrong[0] :][:_MAX_QUOTED]), start + wrong[0])
        around = ("\n".join(self.lines[start + first - 2 :][:_MAX_QUOTED]), start + first - 1)
        is_long = self.randomness(f"quote {setting}").random() < 0.5
        yield from (long, short, around) if is_long else (short, long, around)


def case_of(
    name: str,
    language: str,
    path: str,
    texts: tuple[str, str],
    source: str,
    place: tuple[Path, str] | None = None,
) -> Case | None:
    """The smallest single edit from buggy to fixed (`texts`); None where it is no small code."""
    buggy, fixed = texts
    edit = _edit_between(buggy, fixed)
    if edit is None or is_same_code(language, buggy, fixed):
        return None
    if apply_edit(buggy, edit) != fixed:
        return None
    git_dir, commit = place or (None, "")
    return Case(name, language, path, fixed, buggy, edit, source, git_dir, commit)


def _edit_between(buggy: str, fixed: str) -> Edit | None:
    old, new = split_lines(buggy), split_lines(fixed)
    blocks = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    changed = [block for block in blocks if block[0] != "equal"]
    if not changed:
        return None
    old_start, old_stop = changed[0][1], changed[-1][2]
    new_start, new_stop = changed[0][3], changed[-1][4]
    if max(old_stop - old_start, new_stop - new_start) > MAX_FIX_LINES:
        return None
    lines = tuple(line.removesuffix("\r") for line in new[new_start:new_stop])
    return Edit(Span(old_start + 1, old_stop + 1), lines)


def of_items(path: Path) -> Iterator[Case]:
    """From a set of known bugs, as `dsreview bench` reads it."""
    for item in read_items(path):
        if item.is_bug:
            texts = (item.after_text, item.before_text)
            case = case_of(item.id, item.language, item.path, texts, item.source)
            if case is not None:
                yield case
