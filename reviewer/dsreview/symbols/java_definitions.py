"""What Java's types, methods and fields define and bind."""

from dataclasses import replace

from tree_sitter import Node

from dsreview.symbols.facts import (
    BindingKind,
    DefinitionKind,
    Parameter,
    ParameterKind,
    ScopeKind,
)
from dsreview.symbols.reader import Place, Reader, Visitor, line_of, text_of


def _define(
    reader: Reader,
    node: Node,
    name: Node,
    place: Place,
    kind: DefinitionKind,
    body: int | None = None,
    bases: tuple[str, ...] = (),
    parameters: tuple[Parameter, ...] | None = None,
) -> None:
    modifiers = _modifiers(node)
    reader.define(
        node,
        name,
        place,
        kind,
        body,
        parameters=parameters,
        decorators=modifiers,
        bases=bases,
        is_stub=_is_stub(node),
        is_exported="public" in modifiers,
    )


def _modifiers(node: Node) -> tuple[str, ...]:
    """`public`, `static`, ... and the annotations, without `@`."""
    for child in node.children:
        if child.type == "modifiers":
            return tuple(text_of(part).lstrip("@") for part in child.children)
    return ()


def _is_stub(node: Node) -> bool:
    body = node.child_by_field_name("body")
    if body is None:
        return True
    statements = [child for child in body.named_children if "comment" not in child.type]
    return all(child.type == "throw_statement" for child in statements)


def _class(reader: Reader, node: Node, place: Place) -> None:
    name = node.child_by_field_name("name")
    if name is None:
        return
    scope = reader.open_scope(ScopeKind.CLASS, text_of(name), place.scope, node)
    bases = tuple(
        text_of(child)
        for child in node.named_children
        if child.type in ("superclass", "super_interfaces", "extends_interfaces")
    )
    _define(reader, node, name, place, DefinitionKind.CLASS, scope, (node.type, *bases))
    reader.bind(name, place, BindingKind.DEFINITION)
    inside = replace(place.inside(scope), self_name="this")
    parameters = node.child_by_field_name("parameters")
    type_parameters = node.child_by_field_name("type_parameters")
    _bind_type_parameters(reader, type_parameters, inside)
    reader.push([parameters, node.child_by_field_name("body")], inside)
    known = (name, parameters, node.child_by_field_name("body"))
    reader.push([child for child in node.named_children if child not in known], inside)


def _method(reader: Reader, node: Node, place: Place) -> None:
    name = node.child_by_field_name("name")
    if name is None:
        return
    scope = reader.open_scope(ScopeKind.FUNCTION, text_of(name), place.scope, node)
    parameters = _parameters(node.child_by_field_name("parameters"))
    _define(reader, node, name, place, DefinitionKind.METHOD, scope, (), parameters)
    inside = place.inside(scope)
    _bind_type_parameters(reader, node.child_by_field_name("type_parameters"), inside)
    reader.push([child for child in node.named_children if child != name], inside)


def _bind_type_parameters(reader: Reader, node: Node | None, place: Place) -> None:
    for child in [] if node is None else node.named_children:
        for name in [c for c in child.named_children if c.type == "type_identifier"][:1]:
            reader.bind(name, place, BindingKind.TYPE_PARAMETER)


def _parameters(node: Node | None) -> tuple[Parameter, ...] | None:
    if node is None:
        return None
    found: list[Parameter] = []
    for child in node.named_children:
        name = child.child_by_field_name("name")
        if child.type == "formal_parameter" and name is not None:
            found.append(Parameter(text_of(name), ParameterKind.POSITIONAL, False, line_of(child)))
        elif child.type == "spread_parameter":
            found.append(Parameter("", ParameterKind.VARIADIC, False, line_of(child)))
    return tuple(found)


def _field(reader: Reader, node: Node, place: Place) -> None:
    for declarator in node.children_by_field_name("declarator"):
        name = declarator.child_by_field_name("name")
        if name is not None:
            _define(reader, node, name, place, DefinitionKind.VARIABLE)
            reader.bind(name, place, BindingKind.DEFINITION)
        reader.push([declarator.child_by_field_name("value")], place)
    rest = [child for child in node.named_children if child.type != "variable_declarator"]
    reader.push(rest, place)


def _enum_constant(reader: Reader, node: Node, place: Place) -> None:
    name = node.child_by_field_name("name")
    if name is not None:
        _define(reader, node, name, place, DefinitionKind.VARIABLE)
        reader.bind(name, place, BindingKind.DEFINITION)
    reader.push([child for child in node.named_children if child != name], place)


VISITORS: dict[str, Visitor] = {
    "class_declaration": _class,
    "interface_declaration": _class,
    "enum_declaration": _class,
    "record_declaration": _class,
    "annotation_type_declaration": _class,
    "method_declaration": _method,
    "constructor_declaration": _method,
    "compact_constructor_declaration": _method,
    "annotation_type_element_declaration": _method,
    "field_declaration": _field,
    "constant_declaration": _field,
    "enum_constant": _enum_constant,
}
