"""What Go's functions, types, variables and parameters define and bind."""

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


def _function(reader: Reader, node: Node, place: Place) -> None:
    name = node.child_by_field_name("name")
    parameters = node.child_by_field_name("parameters")
    body = node.child_by_field_name("body")
    if name is None:
        return
    receiver_name, receiver_type = _receiver(node)
    qualified = f"{receiver_type}.{text_of(name)}" if receiver_type else text_of(name)
    scope = reader.open_scope(ScopeKind.FUNCTION, qualified, place.scope, node)
    is_method = node.type == "method_declaration"
    reader.define(
        node,
        name,
        place,
        DefinitionKind.METHOD if is_method else DefinitionKind.FUNCTION,
        scope,
        qualified_name=qualified,
        parameters=_parameters(parameters),
        bases=(receiver_type,) if receiver_type else (),
        is_stub=body is None,
        is_exported=text_of(name)[:1].isupper(),
    )
    if not is_method:
        reader.bind(name, place, BindingKind.DEFINITION)
    _read_inside(reader, node, replace(place.inside(scope), self_name=receiver_name))


def _literal(reader: Reader, node: Node, place: Place) -> None:
    """A function literal, a method of an interface, or a function type."""
    scope = reader.open_scope(ScopeKind.FUNCTION, "", place.scope, node)
    _read_inside(reader, node, place.inside(scope))


def _read_inside(reader: Reader, node: Node, inside: Place) -> None:
    bound = inside.binding(BindingKind.PARAMETER)
    for name in ("receiver", "parameters", "type_parameters"):
        reader.push([node.child_by_field_name(name)], bound)
    result = node.child_by_field_name("result")
    is_named = result is not None and result.type == "parameter_list"
    reader.push([result], bound if is_named else inside)
    reader.push([node.child_by_field_name("body")], inside)


def _receiver(node: Node) -> tuple[str, str]:
    """Its name and the name of its type, without `*` and type arguments."""
    receiver = node.child_by_field_name("receiver")
    if receiver is None or not receiver.named_children:
        return "", ""
    declaration = receiver.named_children[0]
    name = declaration.child_by_field_name("name")
    kind = declaration.child_by_field_name("type")
    while kind is not None and kind.type in ("pointer_type", "generic_type", "parenthesized_type"):
        kind = kind.child_by_field_name("type") or next(iter(kind.named_children), None)
    return ("" if name is None else text_of(name)), ("" if kind is None else text_of(kind))


def _parameters(node: Node | None) -> tuple[Parameter, ...] | None:
    if node is None:
        return None
    found: list[Parameter] = []
    for child in node.named_children:
        if child.type == "comment":
            continue
        is_variadic = child.type == "variadic_parameter_declaration"
        kind = ParameterKind.VARIADIC if is_variadic else ParameterKind.POSITIONAL
        names = [text_of(name) for name in child.children_by_field_name("name")] or [""]
        found.extend(Parameter(name, kind, False, line_of(child)) for name in names)
    return tuple(found)


def _declaration(reader: Reader, node: Node, place: Place) -> None:
    """A parameter, a variable or a constant: names, type, value."""
    kinds = {"var_spec": BindingKind.DECLARED, "const_spec": BindingKind.ASSIGNED}
    names = node.children_by_field_name("name")
    for name in names:
        if place.is_pattern and node.type not in kinds:
            reader.bind(name, place, place.binds)
        elif node.type in kinds:
            reader.bind(name, place, kinds[node.type])
            _define(reader, node, name, place, DefinitionKind.VARIABLE)
    rest = [child for child in node.named_children if child not in names]
    reader.push(rest, place.reading())


def _define(reader: Reader, node: Node, name: Node, place: Place, kind: DefinitionKind) -> None:
    if reader.scopes[place.scope].parent is None:
        reader.define(node, name, place, kind, is_exported=text_of(name)[:1].isupper())


def _type(reader: Reader, node: Node, place: Place) -> None:
    name = node.child_by_field_name("name")
    if name is None:
        return
    reader.bind(name, place, BindingKind.DEFINITION)
    _define(reader, node, name, place, DefinitionKind.CLASS)
    scope = reader.open_scope(ScopeKind.FUNCTION, "", place.scope, node)
    inside = place.inside(scope)
    parameters = node.child_by_field_name("type_parameters")
    reader.push([parameters], inside.binding(BindingKind.TYPE_PARAMETER))
    reader.push([node.child_by_field_name("type")], inside)


VISITORS: dict[str, Visitor] = {
    "function_declaration": _function,
    "method_declaration": _function,
    "func_literal": _literal,
    "function_type": _literal,
    "method_elem": _literal,
    "parameter_declaration": _declaration,
    "variadic_parameter_declaration": _declaration,
    "type_parameter_declaration": _declaration,
    "var_spec": _declaration,
    "const_spec": _declaration,
    "type_spec": _type,
    "type_alias": _type,
}
