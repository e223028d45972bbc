"""Choosing which rows of a file are shown, so that they fit a budget of tokens."""

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
    for shown in _selections(piece, rows, shows_scopes):
        excerpt = _excerpt(piece, rows, shown, MAX_LINE_LENGTH, budget)
        if excerpt.num_tokens <= budget.max_tokens:
            yield excerpt
            return
    parts = list(_split(piece, rows))
    if not parts:
        yield _cut(piece, rows, budget)
    for part in parts:
        yield from fit(part, rows, shows_scopes, budget)


def _selections(piece: Piece, rows: Rows, shows_scopes: bool) -> Iterator[set[int]]:
    """Ever smaller sets of rows to show; the last one is the changed rows alone."""
    header = {index for scope in piece.scopes for index in _header_rows(scope, rows)}
    num_lines = sum(scope.span.num_lines for scope in piece.scopes)
    if shows_scopes and piece.scopes and num_lines <= MAX_SCOPE_LINES:
        whole = {index for scope in piece.scopes for index in rows.of_span(scope.span)}
        yield whole | _windows(piece, rows, HUNK_WINDOWS[0])
    for window in SCOPE_WINDOWS if shows_scopes else HUNK_WINDOWS:
        if window >= MIN_SHARED_WINDOW or len(piece.hunks) == 1:
            yield header | _windows(piece, rows, window)
    if len(piece.hunks) == 1:
        yield set(piece.changed)


def _header_rows(scope: Scope, rows: Rows) -> Iterable[int]:
    return rows.of_span(scope.header)[:MAX_HEADER_LINES]


def _windows(piece: Piece, rows: Rows, size: int) -> set[int]:
    shown: set[int] = set()
    for run in runs(piece.changed):
        shown.update(range(max(run.start - size, 0), min(run.stop + size, len(rows))))
    return shown


def _split(piece: Piece, rows: Rows) -> Iterator[Piece]:
    """Its hunks, else its halves; nothing where it is a single row."""
    if len(piece.hunks) > 1:
        for hunk in piece.hunks:
            changed = rows.changed_of_hunk[hunk]
            yield Piece((hunk,), changed, _around(changed, piece.scopes, rows))
    elif len(piece.changed) > 1:
        middle = len(piece.changed) // 2
        for changed in (piece.changed[:middle], piece.changed[middle:]):
            yield Piece(piece.hunks, changed, _around(changed, piece.scopes, rows))


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
        excerpt = _excerpt(piece, rows, set(piece.changed), length, budget)
        if excerpt.num_tokens <= budget.max_tokens:
            return excerpt
    left_out = merged([rows.place(index) for index in piece.changed])
    return Excerpt(piece, "", 0, is_elided=True, shown=(), left_out=left_out)


def _excerpt(piece: Piece, rows: Rows, shown: set[int], max_length: int, budget: Budget) -> Excerpt:
    visible = _fill_gaps(sorted(shown | set(piece.changed)))
    stretches = [range(indices.start, indices.stop) for indices in runs(visible)]
    ends = _ends(piece, rows, visible)
    lines: list[str] = []
    previous_stop = ends.start
    for stretch in stretches:
        _add_gap(lines, rows, previous_stop, stretch.start)
        lines.extend(render_row(rows[index], max_length) for index in stretch)
        previous_stop = stretch.stop
    _add_gap(lines, rows, previous_stop, ends.stop)
    code = "\n".join(lines)
    cut = [index for index in visible if len(rows[index].text) > max_length]
    changed = set(piece.changed)
    return Excerpt(
        piece=piece,
        code=code,
        num_tokens=budget.count_tokens(code),
        is_elided=bool(cut) or len(visible) < len(ends),
        shown=merged([rows.place(i) for i in visible if rows[i].number is not None]),
        left_out=merged([rows.place(index) for index in cut if index in changed]),
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
