"""What a model is shown of a change: the smallest scopes around its hunks, within a budget.

Nothing is left out silently: elided stretches are counted in the text, and changed lines
that a context could not show whole are in `left_out`.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

from dsreview.change import ChangedFile
from dsreview.context_fit import Budget, Excerpt, Piece, fit
from dsreview.context_outline import find_outlines
from dsreview.context_rows import (
    Rows,
    make_visible,
)
from dsreview.errors import TaskFailed
from dsreview.patch import Hunk, Span
from dsreview.sandbox import Sandbox
from dsreview.scope import Scope, ScopeKind, find_scopes

__all__ = ["DEFAULT_CONTEXT_MODE", "Context", "ContextMode", "build_contexts", "make_visible"]


class ContextMode(StrEnum):
    BARE = "bare"
    """The changed lines with 3 lines around them, as git shows them: no syntax tree is asked."""
    HUNK = "hunk"
    """The changed lines with 3 lines around them, and the header of their scope."""
    SCOPE = "scope"
    """The whole innermost function, as far as it fits."""
    OUTLINE = "outline"
    """SCOPE, with imports, class header, fields and signatures of what is called."""


DEFAULT_CONTEXT_MODE = ContextMode.HUNK
"""More context was measured to hurt: eight of eight frontier models found fewer issues as
it grew, function context from the syntax tree included (SWE-PRBench, arXiv 2603.26130), and
a 4B model found 88 % hunk by hunk against 61 % with whole files (lgtmaybe)."""

MIN_SCOPE_LINES = 3
"""A shorter function or closure says less than the function around it."""


@dataclass(frozen=True, slots=True)
class Context:
    file: ChangedFile
    hunks: tuple[Hunk, ...]
    """A large hunk may be spread over several contexts."""
    scopes: tuple[Scope, ...]
    """Innermost scopes of the changed lines; empty at top level or where not parsed."""
    code: str
    """Numbered rows; "" where not even a cut line fits the budget: nothing to ask."""
    outline: str
    num_tokens: int
    """Of code and outline."""
    is_elided: bool
    """Whether something of the scopes or of long lines is not shown."""
    shown: tuple[Span, ...]
    """Lines of the new file that `code` shows."""
    left_out: tuple[Span, ...]
    """Changed lines (a gap for removed ones) that are not shown, or not whole."""


def build_contexts(
    file: ChangedFile,
    mode: ContextMode,
    max_tokens: int,
    count_tokens: Callable[[str], int],
    sandbox: Sandbox,
) -> tuple[Context, ...]:
    """Contexts that together show every changed line of `file`, in order.

    Hunks of the same function share a context. A file that cannot be parsed is shown
    hunk by hunk. Each context holds at most `max_tokens`, by `count_tokens`.
    """
    rows = Rows(file)
    budget = Budget(max_tokens, count_tokens)
    chains: dict[int, tuple[Scope, ...]] | None = None
    if file.language and mode is not ContextMode.BARE:
        with suppress(TaskFailed):
            chains = _chains(file, rows, sandbox)
    if chains is None:
        mode, chains = ContextMode.HUNK, {}
    shows_scopes = mode is not ContextMode.HUNK
    excerpts = [
        excerpt
        for piece in _pieces(file, rows, chains)
        for excerpt in fit(piece, rows, shows_scopes, budget)
    ]
    outlines = [""] * len(excerpts)
    if mode is ContextMode.OUTLINE:
        outlines = find_outlines(file, rows, excerpts, budget, sandbox)
    return tuple(
        _context(file, excerpt, outline, budget)
        for excerpt, outline in zip(excerpts, outlines, strict=True)
    )


def _context(file: ChangedFile, excerpt: Excerpt, outline: str, budget: Budget) -> Context:
    num_tokens = excerpt.num_tokens
    if outline:
        num_tokens = budget.count_tokens(f"{outline}\n{excerpt.code}")
    return Context(
        file=file,
        hunks=excerpt.piece.hunks,
        scopes=excerpt.piece.scopes,
        code=excerpt.code,
        outline=outline,
        num_tokens=num_tokens,
        is_elided=excerpt.is_elided,
        shown=excerpt.shown,
        left_out=excerpt.left_out,
    )


def _chains(file: ChangedFile, rows: Rows, sandbox: Sandbox) -> dict[int, tuple[Scope, ...]]:
    """The scopes around each changed row; of a removed one, around the lines that met."""
    lines_of_row: dict[int, tuple[int, ...]] = {}
    for index in (index for changed in rows.changed_of_hunk.values() for index in changed):
        place = rows.place(index)
        is_gap = place.num_lines == 0
        lines_of_row[index] = (max(place.start - 1, 1), place.start) if is_gap else (place.start,)
    lines = tuple(sorted({line for asked in lines_of_row.values() for line in asked}))
    if not lines:
        return {}
    chain_of_line = dict(zip(lines, find_scopes(file, lines, sandbox), strict=True))
    return {
        index: max((chain_of_line[line] for line in asked), key=len)
        for index, asked in lines_of_row.items()
    }


def _pieces(file: ChangedFile, rows: Rows, chains: dict[int, tuple[Scope, ...]]) -> Iterator[Piece]:
    """One per hunk; neighbours that share a function are one."""
    piece: Piece | None = None
    for hunk in file.patch.hunks:
        changed = rows.changed_of_hunk[hunk]
        scopes = _distinct(_context_scope(chains.get(index, ())) for index in changed)
        if piece is not None and _share_function(piece.scopes, scopes):
            scopes = _distinct((*piece.scopes, *scopes))
            piece = Piece((*piece.hunks, hunk), (*piece.changed, *changed), scopes)
            continue
        if piece is not None and piece.changed:
            yield piece
        piece = Piece((hunk,), changed, scopes)
    if piece is not None and piece.changed:
        yield piece


def _share_function(left: tuple[Scope, ...], right: tuple[Scope, ...]) -> bool:
    return any(scope.kind.is_function_like and scope in left for scope in right)


def _distinct(scopes: Iterable[Scope | None]) -> tuple[Scope, ...]:
    return tuple(dict.fromkeys(scope for scope in scopes if scope is not None))


def _context_scope(chain: tuple[Scope, ...]) -> Scope | None:
    """The innermost function that says enough: no one-line closure, no accessor of a property."""
    functions = [scope for scope in chain if scope.kind.is_function_like]
    named = [scope for scope in functions if not scope.name.endswith("<lambda>")]
    large = [scope for scope in named or functions if scope.span.num_lines >= MIN_SCOPE_LINES]
    types = [scope for scope in chain if scope.kind is ScopeKind.TYPE]
    for candidates in (large, named, functions[:1], types):
        if candidates:
            return candidates[-1]
    return None
