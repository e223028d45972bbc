"""The identifiers of a source, each with what it does where it stands."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from dsreview.languages.base import Language
from dsreview.languages.scopes import lines_of
from dsreview.patch import Span

if TYPE_CHECKING:
    from tree_sitter import Node, Tree


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
    above: list[_Above] = [_ROOT]
    while True:
        node = cursor.node
        assert node is not None
        if node.is_named and (span is None or lines_of(node).overlaps(span)):
            node_type = node.type
            facts = _facts(node, node_type, cursor.field_name, above[-1], language)
            if cursor.goto_first_child():
                above.append(_Above(node_type, node.start_byte, facts))
                continue
            if node_type in language.identifiers:
                line = node.start_point.row + 1
                if span is None or line in span:
                    yield Name(_text(node), _role(facts), line, bool(facts & _CALLED))
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return
            above.pop()


_DEFINED, _IMPORTED, _MEMBER, _CALLED = 1, 2, 4, 8
"""What is said of a node by its place: bits, because this runs for every node of a file."""


class _Above(NamedTuple):
    type: str
    start_byte: int
    facts: int


_ROOT = _Above("", 0, 0)


def _facts(
    node: "Node", node_type: str, field: str | None, parent: _Above, language: Language
) -> int:
    link = f"{parent.type}.{field or ''}"
    facts = parent.facts & _IMPORTED
    if node_type in language.imports:
        facts |= _IMPORTED
    if (
        link in language.members
        or node_type in language.member_identifiers
        or (parent.type in language.members_behind_first and node.start_byte != parent.start_byte)
    ):
        facts |= _MEMBER
    is_in_pattern = parent.facts & _DEFINED and parent.type in language.patterns
    if link in language.definitions or (is_in_pattern and not facts & _MEMBER):
        facts |= _DEFINED
    if link in language.calls or (parent.facts & _CALLED and facts & _MEMBER):
        facts |= _CALLED
    return facts


def _role(facts: int) -> NameRole:
    if facts & _IMPORTED:
        return NameRole.IMPORT
    if facts & _DEFINED:
        return NameRole.DEFINITION
    return NameRole.MEMBER if facts & _MEMBER else NameRole.REFERENCE


def _text(node: "Node") -> str:
    return (node.text or b"").decode("utf-8", "replace")
