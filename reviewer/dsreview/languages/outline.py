"""Which lines of a file help to understand some of its other lines."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dsreview.languages.base import Language, ScopeKind
from dsreview.languages.names import NameRole, names
from dsreview.languages.scopes import MAX_DEPTH, Scope, lines_of, scopes_at
from dsreview.patch import Span

if TYPE_CHECKING:
    from tree_sitter import Node, Tree

MAX_FIELD_LINES = 40
MAX_SIGNATURES = 20


@dataclass(frozen=True, slots=True)
class Outline:
    """Spans of the file, each group in source order."""

    imports: tuple[Span, ...]
    """Imports of names that the scope uses."""
    types: tuple[Span, ...]
    """Headers of the types and namespaces around the scope."""
    fields: tuple[Span, ...]
    """Lines of the innermost of these types that lie in none of its methods."""
    called: tuple[Span, ...]
    """Signatures of the definitions in this file that the changed lines call."""


def outline(tree: "Tree", language: Language, scope: Span, changed: tuple[int, ...]) -> Outline:
    """What helps with the lines of `scope`, of which `changed` changed."""
    chain = list(scopes_at(tree, language, (scope.start,)))
    types = [
        found
        for found in chain
        if not found.kind.is_function_like and found.span != scope and scope.start in found.span
    ]
    used = {name.text for name in names(tree, language, scope)}
    called = _called_names(tree, language, scope, set(changed))
    return Outline(
        imports=tuple(_imports(tree, language, used, scope)),
        types=tuple(found.header for found in types),
        fields=tuple(_fields(tree, language, types)),
        called=tuple(_signatures(tree, language, called, scope)),
    )


def _called_names(
    tree: "Tree", language: Language, scope: Span, changed: set[int]
) -> frozenset[str]:
    return frozenset(
        name.text
        for name in names(tree, language, scope)
        if name.line in changed and name.role is not NameRole.DEFINITION
    )


def _imports(tree: "Tree", language: Language, used: set[str], scope: Span) -> Iterator[Span]:
    """Import statements that name something that is used; all where they name no names."""
    for node in _top_nodes(tree, language):
        if node.type not in language.imports:
            continue
        span = lines_of(node)
        if span.overlaps(scope):
            continue
        brought = {name.text for name in names(tree, language, span)}
        if not brought or brought & used or language.name in ("c", "cpp"):
            yield span


def _top_nodes(tree: "Tree", language: Language) -> Iterator["Node"]:
    """Children of the root and of the namespaces right below it."""
    for node in tree.root_node.children:
        yield node
        if language.scope_kind(node.type) is ScopeKind.NAMESPACE:
            body = node.child_by_field_name("body")
            yield from (body.children if body is not None else ())


def _fields(tree: "Tree", language: Language, types: list[Scope]) -> Iterator[Span]:
    if not types:
        return
    span = types[-1].span
    inner = [
        found.span
        for found in _definitions(tree, language)
        if span.start <= found.span.start and found.span.stop <= span.stop and found.span != span
    ]
    taken = {line for one in inner for line in range(one.start, one.stop)}
    free = [line for line in range(types[-1].header.stop, span.stop - 1) if line not in taken]
    for line in free[:MAX_FIELD_LINES]:
        yield Span(line, line + 1)


def _signatures(
    tree: "Tree", language: Language, called: frozenset[str], scope: Span
) -> Iterator[Span]:
    num_found = 0
    for found in _definitions(tree, language):
        own_name = found.name.rpartition(".")[2]
        is_here = found.span.start in scope or found.span == scope
        if own_name in called and not is_here and num_found < MAX_SIGNATURES:
            num_found += 1
            yield found.header


def _definitions(tree: "Tree", language: Language) -> Iterator[Scope]:
    """All named scopes of the file."""
    last = tree.root_node.end_point.row + 1
    assert MAX_DEPTH > 0
    lines = tuple(range(1, last + 1))
    for found in scopes_at(tree, language, lines):
        if found.kind is not ScopeKind.CLOSURE:
            yield found
