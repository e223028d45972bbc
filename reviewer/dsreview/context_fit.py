"""Choosing which rows of a file are shown, so that they fit a budget of tokens."""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from dsreview.context_rows import (
    MAX_LINE_LENGTH,
    Rows,
    merged,
    render_gap,
    render_row,
    runs,
)
from dsreview.patch import Hunk, Span
from dsreview.scope import Scope

HUNK_WINDOWS = (3, 1, 0)
SCOPE_WINDOWS = (20, 10, 5, 3, 1, 0)
"""Unchanged lines shown around changed ones: the first of these that fits."""
MIN_SHARED_WINDOW = 3
"""Several hunks get contexts of their own before each loses more than this."""
MAX_SCOPE_LINES = 120
"""A longer function is shown as its header and windows around the changed lines."""
MAX_HEADER_LINES = 12
MAX_FILLED_GAP = 2
"""Gaps of so few lines are shown: the note that replaces them is no shorter."""
SPLIT_RESERVE = 1.1
"""Parts are made this much smaller than would just fit, for headers and lines between."""
CUT_LENGTHS = (1_000, 300, 80)
"""Characters shown of a line that does not fit the budget even alone."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What one context must show."""

    hunks: tuple[Hunk, ...]
    changed: tuple[int, ...]
    """Indices of rows."""
    scopes: tuple[Scope, ...]


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A piece as text."""

    piece: Piece
    code: str
    num_tokens: int
    is_elided: bool
    shown: tuple[Span, ...]
    left_out: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Budget:
    max_tokens: int
    count_tokens: Callable[[str], int]


def fit(piece: Piece, rows: Rows, shows_scopes: bool, budget: Budget) -> Iterator[Excerpt]:
    """Excerpts that together show the piece: one, where it fits."""
    bare = _render(piece, rows, set(piece.changed), MAX_LINE_LENGTH)
    num_tokens = budget.count_tokens(bare.code)
    if num_tokens <= budget.max_tokens:
        fitting = _widest(piece, rows, shows_scopes, budget)
        if fitting is not None or len(piece.hunks) == 1:
            yield fitting or _excerpt(piece, rows, bare, num_tokens)
            return
    num_parts = math.ceil(num_tokens / max(budget.max_tokens, 1) * SPLIT_RESERVE)
    parts = list(_split(piece, rows, num_parts))
    if not parts:
        yield _cut(piece, rows, budget)
    for part in parts:
        yield from fit(part, rows, shows_scopes, budget)


def _widest(piece: Piece, rows: Rows, shows_scopes: bool, budget: Budget) -> Excerpt | None:
    """With as much around the changed rows as fits; None where nothing does."""
    previous: set[int] = set()
    for shown in _selections(piece, rows, shows_scopes):
        if shown == previous:
            continue
        rendering = _render(piece, rows, shown, MAX_LINE_LENGTH)
        num_tokens = budget.count_tokens(rendering.code)
        if num_tokens <= budget.max_tokens:
            return _excerpt(piece, rows, rendering, num_tokens)
        previous = shown
    return None


def _selections(piece: Piece, rows: Rows, shows_scopes: bool) -> Iterator[set[int]]:
    """Ever smaller sets of rows to show."""
    header = {index for scope in piece.scopes for index in _header_rows(scope, rows)}
    num_lines = sum(scope.span.num_lines for scope in piece.scopes)
    if shows_scopes and piece.scopes and num_lines <= MAX_SCOPE_LINES:
        whole = {index for scope in piece.scopes for index in rows.of_span(scope.span)}
        yield whole | _windows(piece, rows, HUNK_WINDOWS[0])
    for window in SCOPE_WINDOWS if shows_scopes else HUNK_WINDOWS:
        if window >= MIN_SHARED_WINDOW or len(piece.hunks) == 1:
            yield header | _windows(piece, rows, window)


def _header_rows(scope: Scope, rows: Rows) -> Iterable[int]:
    return rows.of_span(scope.header)[:MAX_HEADER_LINES]


def _windows(piece: Piece, rows: Rows, size: int) -> set[int]:
    shown: set[int] = set()
    for run in runs(piece.changed):
        shown.update(range(max(run.start - size, 0), min(run.stop + size, len(rows))))
    return shown


def _split(piece: Piece, rows: Rows, num_parts: int) -> Iterator[Piece]:
    """Its hunks, else parts of its one; nothing where it is a single row."""
    if len(piece.hunks) > 1:
        for hunk in piece.hunks:
            changed = rows.changed_of_hunk[hunk]
            yield Piece((hunk,), changed, _around(changed, piece.scopes, rows))
    elif len(piece.changed) > 1:
        for part in _divided(piece, rows, min(max(num_parts, 2), len(piece.changed))):
            yield Piece(piece.hunks, part, _around(part, piece.scopes, rows))


def _divided(piece: Piece, rows: Rows, num_parts: int) -> Iterator[tuple[int, ...]]:
    """Parts of about equal size that start, where they can, with a scope or behind a blank."""
    changed = piece.changed
    starts = {rows.of_line.get(scope.span.start) for scope in piece.scopes}
    size = len(changed) / num_parts
    start = 0
    for part in range(1, num_parts):
        ideal = round(part * size)
        near = range(max(start + 1, ideal - int(size / 3)), min(ideal + 1, len(changed)))
        at_scope = [position for position in near if changed[position] in starts]
        at_blank = [position for position in near if not rows[changed[position - 1]].text.strip()]
        stop = max(at_scope or at_blank or [ideal])
        if stop > start:
            yield changed[start:stop]
            start = stop
    yield changed[start:]


def _around(changed: tuple[int, ...], scopes: tuple[Scope, ...], rows: Rows) -> tuple[Scope, ...]:
    kept = []
    for scope in scopes:
        indices = rows.of_span(scope.span)
        if indices and indices.start <= changed[-1] and changed[0] < indices.stop:
            kept.append(scope)
    return tuple(kept)


def _cut(piece: Piece, rows: Rows, budget: Budget) -> Excerpt:
    """A single changed row, cut until it fits; without code where it never does."""
    for length in CUT_LENGTHS:
        rendering = _render(piece, rows, set(piece.changed), length)
        num_tokens = budget.count_tokens(rendering.code)
        if num_tokens <= budget.max_tokens:
            return _excerpt(piece, rows, rendering, num_tokens)
    left_out = merged([rows.place(index) for index in piece.changed])
    return Excerpt(piece, "", 0, is_elided=True, shown=(), left_out=left_out)


@dataclass(frozen=True, slots=True)
class _Rendering:
    code: str
    visible: tuple[int, ...]
    cut: tuple[int, ...]
    """Those of the visible rows that are too long to be shown whole."""
    is_elided: bool


def _render(piece: Piece, rows: Rows, shown: set[int], max_length: int) -> _Rendering:
    visible = _fill_gaps(sorted(shown | set(piece.changed)))
    ends = _ends(piece, rows, visible)
    lines: list[str] = []
    previous_stop = ends.start
    for stretch in runs(visible):
        _add_gap(lines, rows, previous_stop, stretch.start)
        lines.extend(render_row(rows[index], max_length) for index in stretch)
        previous_stop = stretch.stop
    _add_gap(lines, rows, previous_stop, ends.stop)
    cut = tuple(index for index in visible if len(rows[index].text) > max_length)
    is_elided = bool(cut) or len(visible) < len(ends)
    return _Rendering("\n".join(lines), tuple(visible), cut, is_elided)


def _excerpt(piece: Piece, rows: Rows, rendering: _Rendering, num_tokens: int) -> Excerpt:
    changed = set(piece.changed)
    shown = [rows.place(index) for index in rendering.visible if rows[index].number is not None]
    cut = [rows.place(index) for index in rendering.cut if index in changed]
    return Excerpt(
        piece, rendering.code, num_tokens, rendering.is_elided, merged(shown), merged(cut)
    )


def _fill_gaps(indices: list[int]) -> list[int]:
    filled: list[int] = []
    for index in indices:
        if filled and index - filled[-1] - 1 <= MAX_FILLED_GAP:
            filled.extend(range(filled[-1] + 1, index))
        filled.append(index)
    return filled


def _ends(piece: Piece, rows: Rows, visible: list[int]) -> range:
    """Rows from the first to the last that is shown or belongs to a function of the piece."""
    start, stop = visible[0], visible[-1] + 1
    for scope in piece.scopes:
        indices = rows.of_span(scope.span)
        if scope.kind.is_function_like and indices:
            start, stop = min(start, indices.start), max(stop, indices.stop)
    return range(start, stop)


def _add_gap(lines: list[str], rows: Rows, start: int, stop: int) -> None:
    """Counts hidden rows, and lines between hunks of a file whose text is not known."""
    num_hidden = stop - start
    if num_hidden == 0 and 0 < start < len(rows):
        before, after = rows[start - 1].number, rows[start].number
        if before is not None and after is not None and lines:
            num_hidden = after - before - 1
    if num_hidden > 0:
        lines.append(render_gap(num_hidden))
