"""The identifiers of a source, each with what it does where it stands."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from dsreview.languages.base import Language
from dsreview.languages.scopes import lines_of
from dsreview.patch import Span

if TYPE_CHECKING:
    from tree_sitter import Node, Tree, TreeCursor


class NameRole(StrEnum):
    DEFINITION = "definition"
    """Given to something here: assigned, declared, a parameter, a loop variable."""
    IMPORT = "import"
    """Part of an import, be it what is bound or where it comes from."""
    REFERENCE = "reference"
    """Must be defined somewhere for the code to work."""
    MEMBER = "member"
    """Behind a dot, a keyword argument, a field or a label: no variable."""


@dataclass(frozen=True, slots=True)
class Name:
    text: str
    role: NameRole
    line: int
    is_called: bool = False
    """Stands where a call names what it calls."""


def names(tree: "Tree", language: Language, span: Span | None = None) -> Iterator[Name]:
    """In source order; those that start in `span`, where one is given."""
    cursor = tree.walk()
    above: list[_Above] = []
    while True:
        node = cursor.node
        assert node is not None
        if node.is_named and (span is None or lines_of(node).overlaps(span)):
            place = _Place.of(cursor, node, above, language)
            if node.type in language.identifiers and not node.named_child_count:
                line = node.start_point.row + 1
                if span is None or line in span:
                    yield Name(_text(node), place.role(node), line, place.is_called)
            if cursor.goto_first_child():
                above.append(_Above.of(node, place))
                continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return
            above.pop()


@dataclass(frozen=True, slots=True)
class _Above:
    type: str
    start_byte: int
    is_defined: bool
    is_imported: bool
    is_called: bool

    @classmethod
    def of(cls, node: "Node", place: "_Place") -> "_Above":
        return cls(node.type, node.start_byte, place.is_defined, place.is_imported, place.is_called)


@dataclass(frozen=True, slots=True)
class _Place:
    """What the nodes above say of a node."""

    is_defined: bool
    is_imported: bool
    is_member: bool
    is_called: bool

    @classmethod
    def of(
        cls, cursor: "TreeCursor", node: "Node", above: list[_Above], language: Language
    ) -> "_Place":
        parent = above[-1] if above else _Above("", 0, False, False, False)
        link = f"{parent.type}.{cursor.field_name or ''}"
        is_member = (
            link in language.members
            or node.type in language.member_identifiers
            or (
                parent.type in language.members_behind_first
                and node.start_byte != parent.start_byte
            )
        )
        return cls(
            is_defined=link in language.definitions
            or (parent.is_defined and parent.type in language.patterns and not is_member),
            is_imported=parent.is_imported or node.type in language.imports,
            is_member=is_member,
            is_called=link in language.calls or (parent.is_called and is_member),
        )

    def role(self, node: "Node") -> NameRole:
        if self.is_imported:
            return NameRole.IMPORT
        if self.is_defined:
            return NameRole.DEFINITION
        return NameRole.MEMBER if self.is_member else NameRole.REFERENCE


def _text(node: "Node") -> str:
    return (node.text or b"").decode("utf-8", "replace")
