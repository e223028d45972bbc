"""What a row of the language table says."""

from dataclasses import dataclass, field
from enum import StrEnum


class ScopeKind(StrEnum):
    FUNCTION = "function"
    CLOSURE = "closure"
    TYPE = "type"
    NAMESPACE = "namespace"

    @property
    def is_function_like(self) -> bool:
        return self in (ScopeKind.FUNCTION, ScopeKind.CLOSURE)


def words(text: str) -> frozenset[str]:
    """Node types of a table row, written as one line of words."""
    return frozenset(text.split())


@dataclass(frozen=True, slots=True)
class Language:
    """Node types are those of the tree-sitter grammar.

    `type.field` names the children of `type` in that field; `type.` those in no field.
    """

    name: str
    title: str
    """As its users write it."""
    extensions: tuple[str, ...]
    """With the dot, lower case."""
    ast_grep: str
    """ast-grep's name for it."""
    grammar: str
    """`module:function` of the wheel that holds the grammar."""
    line_comment: str
    functions: frozenset[str]
    closures: frozenset[str]
    types: frozenset[str]
    namespaces: frozenset[str]
    imports: frozenset[str]
    """Nodes that bring names of other files."""
    calls: frozenset[str]
    """`type.field` of what is called."""
    identifiers: frozenset[str]
    """Leaves that are names of variables, functions and types."""
    definitions: frozenset[str]
    """`type.field` where a name is given to something."""
    patterns: frozenset[str] = frozenset()
    """Nodes that hold several names that are defined together."""
    members: frozenset[str] = frozenset()
    """`type.field` of names that only mean something behind a dot, and label names."""
    member_identifiers: frozenset[str] = frozenset()
    """Leaves that are always such names."""
    members_behind_first: frozenset[str] = frozenset()
    """Nodes all of whose names but the first are such names."""
    wrappers: frozenset[str] = frozenset()
    """Nodes that belong to the scope they hold: decorators, template headers, `export`."""
    prefixes: frozenset[str] = frozenset()
    """Siblings right before a scope that belong to it."""
    needs_body: frozenset[str] = frozenset()
    """Scopes only where they have a body: `struct S {...}`, not `struct S x`."""
    needs_child: frozenset[str] = frozenset()
    """`type.child`: the type is a scope only where it has a child of such a type."""
    bindings: frozenset[str] = frozenset()
    """`type.field` that names a closure or an unnamed type in it; `type.child` too."""
    fixed_names: tuple[tuple[str, str], ...] = ()
    """Scopes whose name is not written in the source."""
    filenames: tuple[str, ...] = ()
    interpreters: tuple[str, ...] = ()
    """Of a `#!` line, without version."""
    comments: frozenset[str] = field(default=frozenset({"comment"}))

    def scope_kind(self, node_type: str) -> ScopeKind | None:
        if node_type in self.functions:
            return ScopeKind.FUNCTION
        if node_type in self.closures:
            return ScopeKind.CLOSURE
        if node_type in self.types:
            return ScopeKind.TYPE
        if node_type in self.namespaces:
            return ScopeKind.NAMESPACE
        return None
