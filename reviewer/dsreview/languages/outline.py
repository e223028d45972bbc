"""Which lines of a file help to understand some of its other lines."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dsreview.languages.base import Language, ScopeKind
from dsreview.languages.names import Name, NameRole, names
from dsreview.languages.scopes import Scope, holds_any, lines_of, scopes_at
from dsreview.patch import Span

if TYPE_CHECKING:
    from tree_sitter import Node, Tree

MAX_FIELD_LINES = 40
MAX_SIGNATURES = 20
MAX_IMPORTS = 40


@dataclass(frozen=True, slots=True)
class Region:
    shown: tuple[Span, ...]
    """Lines that are shown anyway."""
    changed: tuple[int, ...]
    """Those of them that changed, and those beside removed ones."""
    removed_words: tuple[str, ...]
    """What stood in removed lines."""


@dataclass(frozen=True, slots=True)
class Outline:
    """Spans of the file, each group in source order, at most 40 of a group."""

    imports: tuple[Span, ...]
    """Imports of names that the shown lines use; in C and C++, all."""
    types: tuple[Span, ...]
    """Headers of the types and namespaces around the changed lines, and of the type that
    a method stands apart from, as in Go and Rust."""
    fields: tuple[Span, ...]
    """Lines of the innermost of these types that lie in none of its methods."""
    called: tuple[Span, ...]
    """Headers of the definitions in this file that the changed lines name."""


def outlines(tree: "Tree", language: Language, regions: tuple[Region, ...]) -> tuple[Outline, ...]:
    facts = _Facts(
        all_names=tuple(names(tree, language)),
        definitions=tuple(_definitions(tree, language)),
        imports=tuple(_imports(tree, language)),
        imports_files=language.name in ("c", "cpp"),
    )
    return tuple(_outline(facts, region) for region in regions)


@dataclass(frozen=True, slots=True)
class _Facts:
    all_names: tuple[Name, ...]
    definitions: tuple[Scope, ...]
    imports: tuple[tuple[Span, frozenset[str]], ...]
    """Statements with the names in them."""
    imports_files: bool
    """An import brings names that it does not write."""


def _outline(facts: _Facts, region: Region) -> Outline:
    shown = {line for span in region.shown for line in range(span.start, span.stop)}
    changed, region_lines = sorted(region.changed), frozenset(region.changed)
    used = {name.text for name in facts.all_names if name.line in shown}
    named = {
        name.text
        for name in facts.all_names
        if name.line in region_lines and name.role is not NameRole.DEFINITION
    }
    named.update(region.removed_words)
    types = [
        scope
        for scope in facts.definitions
        if not scope.kind.is_function_like and holds_any(scope.span, changed)
    ]
    apart = _types_apart(facts, changed, types)
    imports = [span for span, brought in facts.imports if facts.imports_files or brought & used]
    called = [
        scope.header
        for scope in facts.definitions
        if scope.name.rpartition(".")[2] in named and scope not in types
    ]
    return Outline(
        imports=tuple(imports[:MAX_IMPORTS]),
        types=tuple(scope.header for scope in (*types, *apart)),
        fields=tuple(line for scope in (*types[-1:], *apart) for line in _fields(facts, scope))[
            :MAX_FIELD_LINES
        ],
        called=tuple(called[:MAX_SIGNATURES]),
    )


def _types_apart(facts: _Facts, changed: list[int], types: list[Scope]) -> list[Scope]:
    """The types by which changed methods are named, where they do not stand around them."""
    owners = {
        scope.name.split(".")[-2]
        for scope in facts.definitions
        if scope.kind is ScopeKind.FUNCTION and "." in scope.name and holds_any(scope.span, changed)
    }
    return [
        scope
        for scope in facts.definitions
        if scope.kind is ScopeKind.TYPE
        and scope.name.rpartition(".")[2] in owners
        and scope not in types
    ]


def _fields(facts: _Facts, around: Scope) -> Iterator[Span]:
    """Lines of a type that lie in no definition inside it, nor hold only a bracket."""
    inner = [
        scope.span
        for scope in facts.definitions
        if scope is not around
        and around.span.start <= scope.span.start
        and scope.span.stop <= around.span.stop
    ]
    lines_with_names = {name.line for name in facts.all_names if name.line in around.span}
    for line in sorted(lines_with_names):
        if line not in around.header and not any(line in span for span in inner):
            yield Span(line, line + 1)


def _definitions(tree: "Tree", language: Language) -> Iterator[Scope]:
    """All scopes of the file except closures without a name."""
    lines = tuple(range(1, tree.root_node.end_point.row + 2))
    for scope in scopes_at(tree, language, lines):
        if scope.kind is not ScopeKind.CLOSURE or not scope.name.endswith("<lambda>"):
            yield scope


def _imports(tree: "Tree", language: Language) -> Iterator[tuple[Span, frozenset[str]]]:
    for node in _top_nodes(tree, language):
        if node.type in language.imports:
            span = lines_of(node)
            words = (node.text or b"").decode("utf-8", "replace")
            yield span, frozenset(_split_words(words))


def _split_words(text: str) -> list[str]:
    return "".join(char if char.isalnum() or char == "_" else " " for char in text).split()


def _top_nodes(tree: "Tree", language: Language) -> Iterator["Node"]:
    """Children of the root and of the namespaces right below it."""
    for node in tree.root_node.children:
        yield node
        if language.scope_kind(node.type) is ScopeKind.NAMESPACE:
            body = node.child_by_field_name("body")
            yield from (body.children if body is not None else ())
