"""How many syntax errors a source has: ERROR and MISSING nodes, and what CPython says."""

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dsreview.languages.scopes import lines_of
from dsreview.patch import Span

if TYPE_CHECKING:
    from tree_sitter import Tree


@dataclass(frozen=True, slots=True)
class SyntaxErrors:
    num_errors: int
    num_in_scope: int
    """Of these, in the innermost function-like scope of the edit (else in the file)."""
    first_line: int | None
    first_in_scope: int | None
    """1-based lines of the first error in source order; None where there is none."""


def syntax_errors(tree: "Tree", scope: Span | None) -> SyntaxErrors:
    """Counts in the whole tree, and in the lines of `scope`."""
    lines = error_lines(tree)
    inside = [line for line in lines if scope is None or line in scope]
    return SyntaxErrors(
        num_errors=len(lines),
        num_in_scope=len(inside),
        first_line=lines[0] if lines else None,
        first_in_scope=inside[0] if inside else None,
    )


def error_lines(tree: "Tree") -> list[int]:
    """Start line of each ERROR and MISSING node, in source order."""
    found: list[int] = []
    cursor = tree.walk()
    while True:
        node = cursor.node
        assert node is not None
        is_wrong = node.is_error or node.is_missing
        if is_wrong:
            found.append(lines_of(node).start)
        if node.has_error and cursor.goto_first_child():
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return found


def python_refuses(source: bytes) -> str | None:
    """Why CPython does not compile `source`; None where it does. Runs nothing."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(source, "<edit>", "exec", dont_inherit=True)
    except SyntaxError as error:
        return f"line {error.lineno or 1}: {error.msg}"
    except (ValueError, RecursionError, MemoryError) as error:  # all said of deep nesting
        return str(error) or type(error).__name__
    return None
