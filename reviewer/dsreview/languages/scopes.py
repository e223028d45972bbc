"""Which scopes hold a line: walked with a cursor, from the outside in."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dsreview.languages.base import Language, ScopeKind, words
from dsreview.patch import Span

if TYPE_CHECKING:
    from tree_sitter import Node, Tree

MAX_DEPTH = 1_000
"""Code that people write is nested less deeply; what is deeper has no scope of its own."""

MAX_NAME_LENGTH = 120
MAX_NAME_PARTS = 16
"""A deeper scope is named by the innermost ones around it."""
UNNAMED = "<lambda>"

_DECLARATIONS = ("_declaration", "_definition", "_item", "_specifier")
"""Ends of node types: a loop has a body and a declarator too."""

_BODIES = words(
    """block body_statement class_body compound_statement computed_property declaration_list
    do_group enum_class_body enum_class_body function_body statement_block accessor_list
    constructor_body willset_didset_block arrow_expression_clause block_body statements"""
)


@dataclass(frozen=True, slots=True)
class Scope:
    """A function, closure, type or namespace that holds code."""

    kind: ScopeKind
    name: str
    """Qualified by the scopes around it, for example `Stack.push`."""
    span: Span
    """With its decorators and attributes."""
    header: Span
    """From the first line to the one before the body."""


def enclosing_scopes(
    tree: "Tree", language: Language, lines: tuple[int, ...]
) -> tuple[tuple[Scope, ...], ...]:
    """For each of `lines`, the scopes that hold it, outermost first."""
    return chains_of(tuple(scopes_at(tree, language, lines)), lines)


def chains_of(scopes: Sequence[Scope], lines: Sequence[int]) -> tuple[tuple[Scope, ...], ...]:
    """For each of `lines`, those of `scopes` that hold it; an outer scope stands before inner."""
    chains: dict[int, tuple[Scope, ...]] = {}
    active: list[Scope] = []
    upcoming = 0
    for line in sorted(set(lines)):
        while upcoming < len(scopes) and scopes[upcoming].span.start <= line:
            active.append(scopes[upcoming])
            upcoming += 1
        active = [scope for scope in active if line < scope.span.stop]
        chains[line] = tuple(active)
    return tuple(chains[line] for line in lines)


def scopes_at(tree: "Tree", language: Language, lines: tuple[int, ...]) -> Iterator[Scope]:
    """Every scope that holds one of `lines`, an outer one before those inside it."""
    wanted = sorted(set(lines))
    walk = _Walk(language)
    cursor = tree.walk()
    depth = 0
    while True:
        node = cursor.node
        assert node is not None
        goes_in = depth < MAX_DEPTH and holds_any(lines_of(node), wanted)
        scope = walk.enter(node, depth)
        if scope is not None and holds_any(scope.span, wanted):
            yield scope
        if goes_in and cursor.goto_first_child():
            depth += 1
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return
            depth -= 1


class _Walk:
    """What is known of the nodes above the cursor."""

    def __init__(self, language: Language) -> None:
        self._language = language
        self._path: list[Node] = []
        self._names: list[tuple[int, str]] = []
        self._prefix: tuple[int, int] | None = None
        """Depth and first line of attributes that stand right before the next node."""

    def enter(self, node: "Node", depth: int) -> Scope | None:
        """The scope that `node` is; None where it is none."""
        del self._path[depth:]
        while self._names and self._names[-1][0] >= depth:
            self._names.pop()
        prefix = self._take_prefix(node, depth)
        kind = self._kind(node)
        scope = None
        if kind is not None:
            name = scope_name(node, kind, self._language, self._path)
            self._names.append((depth, name))
            scope = self._scope(node, kind, prefix)
        self._path.append(node)
        return scope

    def _kind(self, node: "Node") -> ScopeKind | None:
        if not node.is_named:
            return None
        kind = self._language.scope_kind(node.type) or _generic_kind(node)
        if kind is None:
            return None
        if node.type in self._language.needs_body and node.child_by_field_name("body") is None:
            return None
        wanted = {
            word.partition(".")[2]
            for word in self._language.needs_child
            if word.startswith(f"{node.type}.")
        }
        if wanted and not any(child.type in wanted for child in node.children):
            return None
        return kind

    def _scope(self, node: "Node", kind: ScopeKind, prefix: int | None) -> Scope:
        span = lines_of(node)
        start = span.start if prefix is None else prefix
        for above in reversed(self._path):
            holds_more = above.end_point.row != node.end_point.row
            if above.type not in self._language.wrappers or holds_more:
                break
            start = min(start, lines_of(above).start)
        name = ".".join(name for _, name in self._names[-MAX_NAME_PARTS:])
        span = Span(start, span.stop)
        return Scope(kind, name, span, _header(node, span))

    def _take_prefix(self, node: "Node", depth: int) -> int | None:
        """First line of the attributes before `node`; they are remembered one by one."""
        known = self._prefix[1] if self._prefix and self._prefix[0] == depth else None
        if node.type in self._language.prefixes:
            self._prefix = (depth, known or lines_of(node).start)
            return None
        if self._prefix and self._prefix[0] >= depth and node.type not in self._language.comments:
            self._prefix = None
        return known


def _generic_kind(node: "Node") -> ScopeKind | None:
    """For declarations that no table row names: those with a body and a name.

    Alone it would find most scopes of most languages, but few of Ruby and Kotlin, whose
    grammars have no fields: tests/languages/test_generic_rule.py says how many.
    """
    if not node.type.endswith(_DECLARATIONS) or node.child_by_field_name("body") is None:
        return None
    if node.child_by_field_name("declarator") is not None:
        return ScopeKind.FUNCTION
    if node.child_by_field_name("name") is None:
        return None
    has_parameters = node.child_by_field_name("parameters") is not None
    return ScopeKind.FUNCTION if has_parameters else ScopeKind.TYPE


def lines_of(node: "Node") -> Span:
    """Rows of tree-sitter are 0-based, and the end may be the start of an unused line."""
    start, end = node.start_point, node.end_point
    last = end.row if end.column or end.row == start.row else end.row - 1
    return Span(start.row + 1, last + 2)


def scope_name(node: "Node", kind: ScopeKind, language: Language, path: list["Node"]) -> str:
    """Its own name, not qualified by the scopes around it."""
    fixed = dict(language.fixed_names).get(node.type)
    if fixed is not None:
        return fixed
    named = node.child_by_field_name("name")
    if named is not None:
        mark = "~" if node.type == "destructor_declaration" else ""
        return _receiver(node) + mark + _text(named)
    if node.type == "impl_item":
        return _type_name(node.child_by_field_name("type")) or UNNAMED
    operator = node.child_by_field_name("operator")
    if kind is ScopeKind.FUNCTION and operator is not None:
        return f"operator {_text(operator)}"
    if kind is ScopeKind.FUNCTION and (declared := _declared(node)) is not None:
        if declared.type == "operator_cast":
            return f"operator {_type_name(declared)}"
        return _text(declared)
    return _bound_name(node, language, [*path[-3:], node]) or UNNAMED


def _text(node: "Node") -> str:
    text = (node.text or b"").decode("utf-8", "replace")
    return "".join(text.split()).replace("::", ".")[:MAX_NAME_LENGTH].strip("\"'$")


def _receiver(node: "Node") -> str:
    """`Stack.` of a Go method; "" of anything else."""
    receiver = node.child_by_field_name("receiver")
    if receiver is None:
        return ""
    pending = list(reversed(receiver.children))
    while pending:
        inner = pending.pop()
        if inner.type == "type_identifier":
            return f"{_text(inner)}."
        pending.extend(reversed(inner.children[:8]))
    return ""


def _type_name(node: "Node | None") -> str:
    """`Stack` of `Stack<T>`."""
    if node is None:
        return ""
    inner = node.child_by_field_name("type")
    return _text(inner if inner is not None else node)


def _declared(node: "Node") -> "Node | None":
    """What the innermost of C's declarators names; None where there is none."""
    inner = node.child_by_field_name("declarator")
    for _ in range(MAX_DEPTH):
        if inner is None or inner.type == "operator_cast":
            break
        further = inner.child_by_field_name("declarator")
        if further is None and inner.type.endswith("_declarator") and inner.named_child_count:
            further = inner.named_children[-1]
        if further is None:
            break
        inner = further
    return inner


def _bound_name(node: "Node", language: Language, path: list["Node"]) -> str:
    """Name of the variable, property or type that an unnamed scope is bound to."""
    for above in reversed(path):
        for binding in language.bindings:
            node_type, _, field = binding.partition(".")
            if node_type != above.type:
                continue
            target = above.child_by_field_name(field) or next(
                (child for child in above.children if child.type == field), None
            )
            if target is not None and (above is node or not _within(node, target)):
                return _text(target).partition(":")[0]
        if above is not node and language.scope_kind(above.type) is not None:
            return ""
    return ""


def _within(node: "Node", other: "Node") -> bool:
    return other.start_byte <= node.start_byte and node.end_byte <= other.end_byte


def _header(node: "Node", span: Span) -> Span:
    body = node.child_by_field_name("body") or node.child_by_field_name("accessors")
    if body is None:
        body = next((child for child in node.children if child.type in _BODIES), None)
    if body is None:
        return Span(span.start, min(span.stop, node.start_point.row + 2))
    named = node.child_by_field_name("name")
    name_line = (named if named is not None else node).start_point.row + 1
    body_line = body.start_point.row + 1
    stop = body_line + 1 if _opens_with_bracket(body) else max(body_line, name_line + 1)
    return Span(span.start, max(span.start + 1, min(stop, span.stop)))


def _opens_with_bracket(body: "Node") -> bool:
    first = body
    for _ in range(4):  # function_body, block, {
        if first.type in ("{", "("):
            return True
        child = first.child(0) if first.child_count else None
        if child is None:
            return False
        first = child
    return False


def holds_any(span: Span, wanted: list[int]) -> bool:
    at = bisect_left(wanted, span.start)
    return at < len(wanted) and wanted[at] < span.stop
