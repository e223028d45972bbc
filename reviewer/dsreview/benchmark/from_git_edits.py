"""The edits between two texts: which of them count, and what they make of an item."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from dsreview.benchmark.items import FixEdit, Kind
from dsreview.languages.code_lines import CODE_LINES, CodeLine, CodeLinesRequest
from dsreview.patch import Hunk, Line, LineKind, Span
from dsreview.sandbox import Sandbox

MAX_CHANGED_LINES = 20
"""Removed and added ones together: larger changes are rarely about one fault."""
MAX_EDITS = 5


@dataclass(frozen=True, slots=True)
class Block:
    """A run of removed and added lines without one in between that stayed."""

    old: Span
    new: Span
    removed: tuple[str, ...]
    added: tuple[str, ...]
    is_ended: bool
    """Each of its lines has a line end; a fix of one that has none could not be said."""


@dataclass(frozen=True, slots=True)
class Edit:
    block: Block
    is_cosmetic: bool
    """It changes comments, docstrings or white space alone."""
    keeps_comments: bool


def blocks_of(hunks: Iterable[Hunk]) -> tuple[Block, ...]:
    return tuple(_block(run) for hunk in hunks for run in _runs(hunk))


def _runs(hunk: Hunk) -> Iterator[tuple[int, int, list[Line]]]:
    """Changed lines without a kept one in between, and the line on each side they start at."""
    old, new = hunk.old.start, hunk.new.start
    run: list[Line] = []
    for line in hunk.lines:
        if line.kind is not LineKind.CONTEXT:
            run.append(line)
            continue
        if run:
            yield old, new, run
        old += 1 + sum(one.kind is LineKind.REMOVED for one in run)
        new += 1 + sum(one.kind is LineKind.ADDED for one in run)
        run = []
    if run:
        yield old, new, run


def _block(run: tuple[int, int, list[Line]]) -> Block:
    old, new, lines = run
    removed = tuple(line.text for line in lines if line.kind is LineKind.REMOVED)
    added = tuple(line.text for line in lines if line.kind is LineKind.ADDED)
    spans = Span(old, old + len(removed)), Span(new, new + len(added))
    return Block(*spans, removed, added, all(line.has_newline for line in lines))


def weigh(
    blocks: Sequence[Block], language: str, before: bytes, after: bytes, sandbox: Sandbox
) -> tuple[Edit, ...]:
    """Say of each block what it changes.

    Raises:
        TaskFailed: a text could not be parsed.
    """
    old = _lines(language, before, [block.old for block in blocks], sandbox)
    new = _lines(language, after, [block.new for block in blocks], sandbox)
    return tuple(map(_edit, blocks, old, new))


def _lines(
    language: str, source: bytes, spans: Sequence[Span], sandbox: Sandbox
) -> list[tuple[CodeLine, ...]]:
    """What stands on the lines of each span."""
    wanted = tuple(line for span in spans for line in range(span.start, span.stop))
    reply = sandbox.call(CODE_LINES, CodeLinesRequest(language, source, wanted))
    found = iter(reply.lines)
    return [tuple(next(found) for _ in range(span.num_lines)) for span in spans]


def _edit(block: Block, old: tuple[CodeLine, ...], new: tuple[CodeLine, ...]) -> Edit:
    old_code, new_code = ([token for line in side for token in line.code] for side in (old, new))
    old_words, new_words = (
        [text for line in side for text in line.comments] for side in (old, new)
    )
    return Edit(block, old_code == new_code, old_words == new_words)


def fix_edits(edits: Iterable[Edit]) -> tuple[FixEdit, ...]:
    """What turns the new text back into the old one."""
    return tuple(
        FixEdit(
            start=edit.block.new.start,
            end=edit.block.new.stop - 1,
            fix="".join(f"{line}\n" for line in edit.block.removed),
            kind=_kind(edit.block),
            cosmetic=edit.is_cosmetic,
        )
        for edit in edits
    )


def bug_lines(edits: Iterable[Edit], num_lines: int) -> tuple[int, ...]:
    """Lines of the new text that an edit of code wrote; of a gap, the lines around it."""
    found: set[int] = set()
    for edit in edits:
        if edit.is_cosmetic:
            continue
        span = edit.block.new
        lines = range(span.start, span.stop) or range(span.start - 1, span.start + 1)
        found.update(min(max(line, 1), max(num_lines, 1)) for line in lines)
    return tuple(sorted(found))


def kind_of(edits: Iterable[Edit]) -> Kind:
    """Of a change with an edit of code."""
    kinds = {_kind(edit.block) for edit in edits if not edit.is_cosmetic}
    return kinds.pop() if len(kinds) == 1 else Kind.MIXED


def is_neutral(edits: Sequence[Edit]) -> bool:
    """As many lines added as removed, no comment touched, nothing cosmetic on the way."""
    num_added = sum(edit.block.new.num_lines for edit in edits)
    num_removed = sum(edit.block.old.num_lines for edit in edits)
    is_plain = all(edit.keeps_comments and not edit.is_cosmetic for edit in edits)
    return num_added == num_removed and is_plain


def _kind(block: Block) -> Kind:
    if not block.added:
        return Kind.MISSING
    return Kind.REPLACE if block.removed else Kind.EXTRA


def diff_text(path: str, hunks: Iterable[Hunk]) -> str:
    """The hunks as a patch of the file."""
    rows = [f"--- a/{path}\n", f"+++ b/{path}\n"]
    for hunk in hunks:
        rows.append(f"@@ -{_range(hunk.old)} +{_range(hunk.new)} @@\n")
        for line in hunk.lines:
            rows.append(f"{line.kind.value}{line.text}\n")
            if not line.has_newline:
                rows.append("\\ No newline at end of file\n")
    return "".join(rows)


def _range(span: Span) -> str:
    """As diffs count: an empty range is named by the line before it."""
    return f"{span.start - (span.num_lines == 0)},{span.num_lines}"
