"""Walks a syntax tree with its own stack and collects facts.

A language is a table from node type to visitor. A visitor says what the node binds
or uses, and pushes the children that are still to be read, with the place they are
read in; a node without a visitor pushes all its children. So no input, however deep,
can exhaust the interpreter's stack.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from tree_sitter import Node

from dsreview.symbols.facts import (
    Binding,
    BindingKind,
    Call,
    Definition,
    DefinitionKind,
    Export,
    FileSymbols,
    Import,
    Parameter,
    Receiver,
    Reference,
    ReferenceKind,
    Scope,
    ScopeKind,
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a node is read."""

    scope: int
    is_conditional: bool = False
    is_guarded: bool = False
    is_pattern: bool = False
    """Names are bound here, not used."""
    binds: BindingKind = BindingKind.UNPACKED
    """In a pattern: how."""

    self_name: str = ""
    """In a method: what it calls the object; empty outside methods."""

    def inside(self, scope: int) -> "Place":
        return Place(scope, is_guarded=self.is_guarded, self_name=self.self_name)

    def maybe(self) -> "Place":
        return self if self.is_conditional else replace(self, is_conditional=True)

    def guarded(self) -> "Place":
        return self if self.is_guarded else replace(self, is_guarded=True)

    def binding(self, kind: BindingKind) -> "Place":
        return replace(self, is_pattern=True, binds=kind)

    def reading(self) -> "Place":
        return replace(self, is_pattern=False) if self.is_pattern else self


Visitor = Callable[["Reader", Node, Place], None]


@dataclass(slots=True)
class Reader:
    """Collects the facts of one file while visitors walk it."""

    package: str = ""
    is_open: bool = False
    has_open_exports: bool = False
    scopes: list[Scope] = field(default_factory=list)
    open_scopes: set[int] = field(default_factory=set)
    definitions: list[Definition] = field(default_factory=list)
    bindings: list[Binding] = field(default_factory=list)
    references: list[Reference] = field(default_factory=list)
    imports: list[Import] = field(default_factory=list)
    exports: list[Export] = field(default_factory=list)
    pending: list[tuple[Node, Place]] = field(default_factory=list)

    def push(self, nodes: Iterable[Node | None], place: Place) -> None:
        self.pending.extend((node, place) for node in nodes if node is not None)

    def push_children(self, node: Node, place: Place) -> None:
        self.pending.extend((child, place) for child in node.named_children)

    def open_scope(self, kind: ScopeKind, name: str, parent: int | None, node: Node) -> int:
        """The number of a new scope; `name` is its own, not yet qualified."""
        outer = "" if parent is None else self.scopes[parent].name
        qualified = f"{outer}.{name}" if outer and name else name or outer
        self.scopes.append(Scope(parent, kind, qualified, line_of(node), last_line_of(node) + 1))
        return len(self.scopes) - 1

    def bind(
        self,
        node: Node,
        place: Place,
        kind: BindingKind,
        scope: int | None = None,
        text: str | None = None,
    ) -> None:
        """Bind what `node` spells, or `text`, in the scope of `place` or another one."""
        target = place.scope if scope is None else scope
        name = text_of(node) if text is None else text
        self.bindings.append(Binding(name, target, kind, line_of(node), place.is_conditional))

    def refer(
        self,
        name: Node,
        place: Place,
        receiver: Receiver = Receiver.NONE,
        receiver_text: str = "",
        call: Call | None = None,
        kind: ReferenceKind = ReferenceKind.VALUE,
    ) -> None:
        """Note a use of what `name` spells."""
        self.references.append(
            Reference(
                name=text_of(name),
                scope=place.scope,
                line=line_of(name),
                receiver=receiver,
                receiver_text=receiver_text,
                kind=kind,
                call=call,
                is_guarded=place.is_guarded,
            )
        )

    def define(
        self,
        node: Node,
        name: Node,
        place: Place,
        kind: DefinitionKind,
        body: int | None = None,
        *,
        qualified_name: str = "",
        parameters: tuple[Parameter, ...] | None = None,
        decorators: tuple[str, ...] = (),
        bases: tuple[str, ...] = (),
        is_stub: bool = False,
        is_exported: bool = False,
    ) -> None:
        """Note the definition `node`; its name is qualified by its scope if not given."""
        self.definitions.append(
            Definition(
                name=text_of(name),
                qualified_name=qualified_name or self.qualify(text_of(name), place.scope),
                kind=kind,
                scope=place.scope,
                body=body,
                line=line_of(name),
                start=line_of(node),
                stop=last_line_of(node) + 1,
                parameters=parameters,
                decorators=decorators,
                bases=bases,
                is_conditional=place.is_conditional,
                is_stub=is_stub,
                is_exported=is_exported,
            )
        )

    def enclosing(self, scope: int, *kinds: ScopeKind) -> int | None:
        """The innermost scope of one of these kinds around `scope`, itself included."""
        current: int | None = scope
        while current is not None and self.scopes[current].kind not in kinds:
            current = self.scopes[current].parent
        return current

    def qualify(self, name: str, scope: int) -> str:
        outer = self.scopes[scope].name
        return f"{outer}.{name}" if outer else name


def read_tree(root: Node, language: str, visitors: Mapping[str, Visitor]) -> FileSymbols:
    reader = Reader()
    reader.open_scope(ScopeKind.MODULE, "", None, root)
    reader.push([root], Place(0))
    while reader.pending:
        node, place = reader.pending.pop()
        visitor = visitors.get(node.type)
        if visitor is None:
            reader.push_children(node, place)
        else:
            visitor(reader, node, place)
    return FileSymbols(
        language=language,
        package=reader.package,
        scopes=tuple(
            replace(scope, is_open=True) if number in reader.open_scopes else scope
            for number, scope in enumerate(reader.scopes)
        ),
        definitions=tuple(sorted(reader.definitions, key=lambda fact: fact.start)),
        bindings=tuple(sorted(reader.bindings, key=lambda fact: fact.line)),
        references=tuple(sorted(reader.references, key=lambda fact: fact.line)),
        imports=tuple(sorted(reader.imports, key=lambda fact: fact.line)),
        exports=tuple(sorted(reader.exports, key=lambda fact: fact.line)),
        has_errors=root.has_error,
        is_open=reader.is_open,
        has_open_exports=reader.has_open_exports,
    )


def identifier(reader: Reader, node: Node, place: Place) -> None:
    """Visitor of a plain name: bound in a pattern, used anywhere else."""
    if place.is_pattern:
        reader.bind(node, place, place.binds)
    else:
        reader.refer(node, place)


def type_identifier(reader: Reader, node: Node, place: Place) -> None:
    reader.refer(node, place, kind=ReferenceKind.TYPE)


def skip(reader: Reader, node: Node, place: Place) -> None:
    """Visitor of a node in which no name is bound or used."""


def text_of(node: Node) -> str:
    return (node.text or b"").decode("utf-8", "replace")


def line_of(node: Node) -> int:
    return node.start_point.row + 1  # tree-sitter rows are 0-based


def last_line_of(node: Node) -> int:
    """Last line with text of it; a node may end at column 0 of the line after."""
    end = node.end_point
    return end.row + 1 if end.column or end.row == node.start_point.row else end.row


def dotted_text(node: Node | None, links: Mapping[str, tuple[str, str]]) -> str:
    """`a.b.c` where `node` is only names and dots, else an empty text.

    `links` has, for each node type that is a dot, the fields left and right of it.
    """
    parts: list[str] = []
    while node is not None and node.type in links:
        left, right = links[node.type]
        member = node.child_by_field_name(right)
        if member is None:
            return ""
        parts.append(text_of(member))
        node = node.child_by_field_name(left)
    if node is None or node.type not in ("identifier", "this", "package_identifier"):
        return ""
    parts.append(text_of(node))
    return ".".join(reversed(parts))
