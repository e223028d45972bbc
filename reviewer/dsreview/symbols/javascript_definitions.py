"""What functions, classes and types of JavaScript and TypeScript define and bind."""

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


def read_function(reader: Reader, node: Node, name: Node | None, place: Place) -> int:
    """Open the scope of anything with parameters and a body, and read both in it."""
    scope = reader.open_scope(
        ScopeKind.FUNCTION, "" if name is None else text_of(name), place.scope, node
    )
    inside = place.inside(scope)
    own_name = node.child_by_field_name("name")
    if own_name is not None and node.type in ("function_expression", "generator_function"):
        reader.bind(own_name, inside, BindingKind.DEFINITION)
    parameters = node.child_by_field_name("parameters")
    single = node.child_by_field_name("parameter")
    if single is not None:
        reader.bind(single, inside, BindingKind.PARAMETER)
    if parameters is not None:
        reader.push([parameters], inside.binding(BindingKind.PARAMETER))
    reader.push(
        [
            node.child_by_field_name("type_parameters"),
            node.child_by_field_name("return_type"),
            node.child_by_field_name("body"),
        ],
        inside,
    )
    return scope


def read_parameters(node: Node) -> tuple[Parameter, ...] | None:
    """Of a function, arrow function or method; None where it has no list of them."""
    single = node.child_by_field_name("parameter")
    if single is not None:
        return (Parameter(text_of(single), ParameterKind.POSITIONAL, False, line_of(single)),)
    parameters = node.child_by_field_name("parameters")
    if parameters is None:
        return None
    return tuple(
        _parameter(child)
        for child in parameters.named_children
        if child.type not in ("comment", "decorator") and not _is_this(child)
    )


def _is_this(node: Node) -> bool:
    """TypeScript's `this: T` declares no argument."""
    pattern = node.child_by_field_name("pattern")
    return pattern is not None and pattern.type == "this"


def _parameter(node: Node) -> Parameter:
    pattern = node.child_by_field_name("pattern") or node
    has_default = (
        node.type in ("optional_parameter", "assignment_pattern")
        or node.child_by_field_name("value") is not None
    )
    if pattern.type == "assignment_pattern":
        pattern = pattern.child_by_field_name("left") or pattern
    kind = ParameterKind.POSITIONAL
    if pattern.type == "rest_pattern":
        kind = ParameterKind.VARIADIC
        pattern = next(iter(pattern.named_children), pattern)
    name = text_of(pattern) if pattern.type == "identifier" else ""
    return Parameter(name, kind, has_default, line_of(node))


def _function(reader: Reader, node: Node, place: Place) -> None:
    name = node.child_by_field_name("name")
    scope = read_function(reader, node, name, place)
    if name is None or node.type in ("function_expression", "generator_function"):
        return
    is_signature = node.type == "function_signature"
    reader.define(
        node,
        name,
        place,
        DefinitionKind.FUNCTION,
        scope,
        parameters=read_parameters(node),
        is_stub=is_signature,
    )
    reader.bind(name, place, BindingKind.DEFINITION)


def _method(reader: Reader, node: Node, place: Place) -> None:
    name = node.child_by_field_name("name")
    if name is None:
        return
    modifiers = tuple(
        child.type if not child.is_named else text_of(child)
        for child in node.children
        if child.type in ("static", "get", "set", "abstract", "accessibility_modifier")
    )
    outer = place
    is_plain = name.type in ("property_identifier", "private_property_identifier")
    scope = read_function(reader, node, name if is_plain else None, place)
    if not is_plain:
        reader.push([name], outer)
        return
    in_class = reader.scopes[place.scope].kind is ScopeKind.CLASS
    reader.define(
        node,
        name,
        place,
        DefinitionKind.METHOD if in_class else DefinitionKind.VARIABLE,
        scope,
        parameters=read_parameters(node),
        decorators=modifiers,
        is_stub=node.child_by_field_name("body") is None,
    )


def _class(reader: Reader, node: Node, place: Place) -> None:
    name = node.child_by_field_name("name")
    scope = reader.open_scope(
        ScopeKind.CLASS, "" if name is None else text_of(name), place.scope, node
    )
    inside = replace(place.inside(scope), self_name="this")
    heritage = [child for child in node.named_children if child.type == "class_heritage"]
    reader.push(heritage, place)
    reader.push([child for child in node.named_children if child.type == "decorator"], place)
    reader.push(
        [node.child_by_field_name("type_parameters"), node.child_by_field_name("body")], inside
    )
    if name is None:
        return
    if node.type == "class":
        reader.bind(name, inside, BindingKind.DEFINITION)
        return
    reader.bind(name, place, BindingKind.DEFINITION)
    bases = tuple(text_of(child) for child in heritage)
    reader.define(node, name, place, DefinitionKind.CLASS, scope, bases=bases)


def _field(reader: Reader, node: Node, place: Place) -> None:
    """A class field: its name is a member, no binding."""
    name = node.child_by_field_name("name") or node.child_by_field_name("property")
    if name is not None and name.type == "computed_property_name":
        reader.push([name], place)
    elif name is not None:
        reader.define(node, name, place, DefinitionKind.VARIABLE)
    rest = [child for child in node.named_children if child != name]
    reader.push(rest, place)


def _enum(reader: Reader, node: Node, place: Place) -> None:
    name = node.child_by_field_name("name")
    if name is not None:
        reader.define(node, name, place, DefinitionKind.CLASS, bases=("enum",))
        reader.bind(name, place, BindingKind.DEFINITION)
    reader.push([node.child_by_field_name("body")], place)


def _type(reader: Reader, node: Node, place: Place) -> None:
    """An interface or a type alias; its type parameters are known only inside."""
    name = node.child_by_field_name("name")
    scope = reader.open_scope(
        ScopeKind.FUNCTION, "" if name is None else text_of(name), place.scope, node
    )
    if name is not None:
        reader.define(node, name, place, DefinitionKind.TYPE)
        reader.bind(name, place, BindingKind.DEFINITION)
    reader.push([c for c in node.named_children if c != name], place.inside(scope))


def _signature(reader: Reader, node: Node, place: Place) -> None:
    """A member without a body, or a type of functions: its parameters bind only inside."""
    name = node.child_by_field_name("name")
    if name is not None and node.type == "abstract_method_signature":
        reader.define(node, name, place, DefinitionKind.METHOD, is_stub=True)
    scope = reader.open_scope(ScopeKind.FUNCTION, "", place.scope, node)
    rest = [child for child in node.named_children if child != name]
    reader.push(rest, place.inside(scope))


def _parameter_list(reader: Reader, node: Node, place: Place) -> None:
    reader.push_children(node, place.binding(BindingKind.PARAMETER))


def _typed_parameter(reader: Reader, node: Node, place: Place) -> None:
    pattern = node.child_by_field_name("pattern")
    reader.push([pattern], place)
    rest = [child for child in node.named_children if child != pattern]
    reader.push(rest, place.reading())


def _type_parameter(reader: Reader, node: Node, place: Place) -> None:
    name = node.child_by_field_name("name")
    if name is not None:
        reader.bind(name, place, BindingKind.TYPE_PARAMETER)
    reader.push([child for child in node.named_children if child != name], place.reading())


def _namespace(reader: Reader, node: Node, place: Place) -> None:
    name = node.child_by_field_name("name")
    if name is not None and name.type == "identifier":
        reader.define(node, name, place, DefinitionKind.VARIABLE)
        reader.bind(name, place, BindingKind.DEFINITION)
    # merged and ambient declarations: what they bind is not this file's alone
    reader.is_open = True
    reader.push([node.child_by_field_name("body")], place)


VISITORS: dict[str, Visitor] = {
    "function_declaration": _function,
    "generator_function_declaration": _function,
    "function_expression": _function,
    "generator_function": _function,
    "arrow_function": _function,
    "function_signature": _function,
    "method_definition": _method,
    "class_declaration": _class,
    "abstract_class_declaration": _class,
    "class": _class,
    "public_field_definition": _field,
    "field_definition": _field,
    "enum_declaration": _enum,
    "interface_declaration": _type,
    "type_alias_declaration": _type,
    "method_signature": _signature,
    "abstract_method_signature": _signature,
    "call_signature": _signature,
    "construct_signature": _signature,
    "function_type": _signature,
    "constructor_type": _signature,
    "mapped_type_clause": _type_parameter,
    "index_signature": _signature,
    "formal_parameters": _parameter_list,
    "required_parameter": _typed_parameter,
    "optional_parameter": _typed_parameter,
    "type_parameter": _type_parameter,
    "internal_module": _namespace,
    "module": _namespace,
}
