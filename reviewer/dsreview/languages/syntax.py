"""How many syntax errors a source has: ERROR and MISSING nodes, and what CPython says.

Some grammars let words through as names that are none, an `else` without its `if`
among them: these are counted as well.
"""

import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from dsreview import languages
from dsreview.languages.scopes import lines_of
from dsreview.patch import Span

if TYPE_CHECKING:
    from tree_sitter import Node, Query, Tree

_MISREAD: Final[Mapping[str, str]] = {
    "java": """((identifier) @word (#any-of? @word "else" "catch" "finally" "case"))""",
    "bash": """((command_name) @word
        (#any-of? @word "fi" "done" "esac" "else" "elif" "then" "do" "}"))
        (if_statement) @body (elif_clause) @body (else_clause) @body (do_group) @body""",
    "ruby": """((identifier) @word (#any-of? @word "end" "elsif" "when" "rescue" "ensure"))
        (body_statement (else) @else)""",
    "go": "(defer_statement (_) @call) (go_statement (_) @call)",
}
"""What a grammar reads although the language does not have it; see `_is_misread`."""
_EMPTY_BODIES: Final = frozenset(
    (opening, closing)
    for opening in ("then", "else", "do")
    for closing in ("fi", "done", "else_clause", "elif_clause")
)
_PREFIX: Final = re.compile(rb"\b[A-Z][A-Z0-9_]{2,}\b(?=[ \t]+[A-Za-z_])(?![ \t]+(?:return|if)\b)")
"""A name in capitals, as macros have them, followed by another name."""


@dataclass(frozen=True, slots=True)
class SyntaxErrors:
    num_errors: int
    num_in_scope: int
    """Of these, in the innermost function-like scope of the edit (else in the file)."""
    first_line: int | None
    first_in_scope: int | None
    """1-based lines of the first error in source order; None where there is none."""


def syntax_errors(tree: "Tree", scope: Span | None, language: str) -> SyntaxErrors:
    """Counts in the whole tree, and in the lines of `scope`."""
    lines = sorted([*error_lines(tree), *misread_lines(tree, language)])
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


def misread_lines(tree: "Tree", language: str) -> Iterator[int]:
    """Lines of words that stand where the language does not let them stand."""
    if language not in _MISREAD:
        return
    from tree_sitter import QueryCursor

    for kind, nodes in QueryCursor(_query(language)).captures(tree.root_node).items():
        for node in nodes:
            if _is_misread(kind, node):
                yield lines_of(node).start


@lru_cache
def _query(language: str) -> "Query":
    from tree_sitter import Query

    return Query(languages.grammar(language), _MISREAD[language])


def _is_misread(kind: str, node: "Node") -> bool:
    parent = node.parent
    if kind == "call":  # `defer` and `go` take calls alone
        return node.type not in ("call_expression", "parenthesized_expression", "comment")
    if kind == "body":  # `then`, `do` and `else` want a command
        nodes = (*node.children, *_following(node))
        types = [child.type for child in nodes if child.type != "comment"]
        return any(pair in _EMPTY_BODIES for pair in pairwise(types))
    if kind == "else":  # of a method without `rescue`
        return parent is not None and all(child.type != "rescue" for child in parent.children)
    # a method may have the name of a keyword behind a dot
    return parent is None or parent.type != "call" or parent.child_by_field_name("receiver") is None


def without_prefixes(source: bytes) -> bytes:
    """C or C++ without the macros that stand before declarations, which no grammar knows.

    >>> without_prefixes(b"API_EXPORT int f(void);")
    b'           int f(void);'
    """
    return _PREFIX.sub(lambda match: b" " * len(match[0]), source)


def _following(node: "Node") -> list["Node"]:
    """What ends an `elif` or `else`, which the statement around it holds."""
    is_clause = node.type in ("elif_clause", "else_clause")
    return [node.next_sibling] if is_clause and node.next_sibling is not None else []


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
