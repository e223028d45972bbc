"""From a candidate to an item, or to the reason why it makes none."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

from dsreview import languages
from dsreview.benchmark.from_git_candidates import Candidate
from dsreview.benchmark.from_git_edits import (
    MAX_CHANGED_LINES,
    MAX_EDITS,
    Block,
    Edit,
    blocks_of,
    bug_lines,
    diff_text,
    fix_edits,
    is_neutral,
    kind_of,
    weigh,
)
from dsreview.benchmark.from_git_survival import YEAR_S, MainLine, survives
from dsreview.benchmark.items import Item, Kind
from dsreview.errors import GitError, ReviewError, TaskFailed
from dsreview.patch import Hunk, split_lines
from dsreview.sandbox import Sandbox
from dsreview.sources.clean_room import CleanRoom
from dsreview.sources.objects import ObjectStore
from dsreview.sources.tree_diff import diff_trees

MAX_TEXT_BYTES = 200_000


class Reason(StrEnum):
    """Why a candidate is no item."""

    NOT_HERE = "content not here (a partial clone)"
    TOO_LARGE = f"file larger than {MAX_TEXT_BYTES // 1000} kB"
    NOT_TEXT = "not UTF-8 text"
    UNENDED = "its last line, without an end, changed"
    TOO_MUCH = f"more than {MAX_CHANGED_LINES} lines or {MAX_EDITS} places changed"
    COSMETIC = "only comments, docstrings or white space changed"
    UNPARSED = "could not be parsed"
    YOUNG = "younger than a year"
    CHANGED_AGAIN = "did not survive a year"
    TWICE = "the same change as another item"


class NoItem(ReviewError):
    """The candidate cannot be used."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class _Sides:
    """A change as its item shows it: of a bug, from the fixed text to the buggy one."""

    before: str
    after: str
    hunks: tuple[Hunk, ...]
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes items of one repository."""

    room: CleanRoom
    store: ObjectStore
    sandbox: Sandbox
    name: str
    """Of the repository, as its items say it."""
    licence: str

    def bug(self, one: Candidate) -> Item:
        """The fix turned round: a change that brings the bug in.

        Raises:
            NoItem: the fix cannot be used.
            GitError: git failed.
        """
        sides = self._sides(one, is_reversed=True)
        language, edits = self._edits(one, sides)
        return replace(
            self._benign(one, sides, language, edits),
            kind=kind_of(edits),
            clean=False,
            bug_lines=bug_lines(edits, len(split_lines(sides.after))),
            edits=fix_edits(edits),
            buggy_commit=one.parent,
        )

    def benign(self, one: Candidate, line: MainLine) -> Item:
        """The change as it was made, if it lasted.

        Raises:
            NoItem: it cannot be used.
            GitError: git failed.
        """
        if one.time_s + YEAR_S > line.end_s:
            raise NoItem(Reason.YOUNG)
        content = line.content_at(one.file.path, one.time_s, one.time_s + YEAR_S)
        if content is None:
            raise NoItem(Reason.CHANGED_AGAIN)
        sides = self._sides(one, is_reversed=False)
        later = split_lines(self._text(content))
        if not survives(split_lines(sides.after), [block.new for block in sides.blocks], later):
            raise NoItem(Reason.CHANGED_AGAIN)
        language, edits = self._edits(one, sides)
        return self._benign(one, sides, language, edits)

    def _sides(self, one: Candidate, *, is_reversed: bool) -> _Sides:
        old, new = self._text(one.file.old_id), self._text(one.file.new_id)
        if _num_different_lines(old, new) > MAX_CHANGED_LINES:
            raise NoItem(Reason.TOO_MUCH)
        ends = (one.commit, one.parent) if is_reversed else (one.parent, one.commit)
        try:
            patch = diff_trees(self.room, *ends, (one.file.path,))
        except GitError:  # it looks for copies among the other files, and one is not here
            raise NoItem(Reason.NOT_HERE) from None
        hunks = next(file.hunks for file in patch.files if file.path == one.file.path)
        blocks = blocks_of(hunks)
        num_changed = sum(block.old.num_lines + block.new.num_lines for block in blocks)
        if num_changed > MAX_CHANGED_LINES or len(blocks) > MAX_EDITS:
            raise NoItem(Reason.TOO_MUCH)
        if any(not block.is_ended for block in blocks):
            raise NoItem(Reason.UNENDED)
        return _Sides(*((new, old) if is_reversed else (old, new)), hunks, blocks)

    def _text(self, content_id: str) -> str:
        size = self.store.size_bytes(content_id)
        if size is None:
            raise NoItem(Reason.NOT_HERE)
        content = self.store.blob(content_id) if size <= MAX_TEXT_BYTES else None
        if content is None:
            raise NoItem(Reason.TOO_LARGE)
        try:
            text = content.decode()
        except UnicodeDecodeError:
            raise NoItem(Reason.NOT_TEXT) from None
        if "\0" in text:
            raise NoItem(Reason.NOT_TEXT)
        return text

    def _edits(self, one: Candidate, sides: _Sides) -> tuple[str, tuple[Edit, ...]]:
        """The language, and what the change does."""
        before, after = sides.before.encode(), sides.after.encode()
        language = languages.detect(one.file.path, "", after)
        assert language is not None  # or the candidate would be none
        try:
            edits = weigh(sides.blocks, language.name, before, after, self.sandbox)
        except TaskFailed:
            raise NoItem(Reason.UNPARSED) from None
        if all(edit.is_cosmetic for edit in edits):
            raise NoItem(Reason.COSMETIC)
        return language.name, edits

    def _benign(
        self, one: Candidate, sides: _Sides, language: str, edits: tuple[Edit, ...]
    ) -> Item:
        return Item(
            id=f"{self.name}@{one.commit[:12]}",
            language=language,
            path=one.file.path,
            before_text=sides.before,
            after_text=sides.after,
            kind=Kind.BENIGN,
            neutral=is_neutral(edits),
            diff=diff_text(one.file.path, sides.hunks),
            source="git",
            licence=self.licence,
            clean=True,
            description=one.subject,
            project=self.name,
            date=_date(one.time_s),
            fix_commit=one.commit,
        )


def _num_different_lines(old: str, new: str) -> int:
    """At least so many lines does a diff have; far cheaper than the diff."""
    before, after = Counter(split_lines(old)), Counter(split_lines(new))
    return (before - after).total() + (after - before).total()


def _date(time_s: int) -> str:
    """Day of a committer's clock; empty where that is beyond reason."""
    try:
        return datetime.fromtimestamp(time_s, UTC).date().isoformat()
    except (ValueError, OverflowError, OSError):
        return ""
