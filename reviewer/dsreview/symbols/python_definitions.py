"""What Python's functions, classes, lambdas and type parameters define and bind."""

from collections.abc import Iterator
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


def _function(reader: Reader, node: Node, place: Place, decorators: tuple[str, ...] = ()) -> None:
    name = node.child_by_field_name("name")
    parameters = node.child_by_field_name("parameters")
    body = node.child_by_field_name("body")
    if name is None or parameters is None or body is None:
        reader.push_children(node, place)
        return
    scope = reader.open_scope(ScopeKind.FUNCTION, text_of(name), place.scope, node)
    is_method = reader.scopes[place.scope].kind is ScopeKind.CLASS
    known = _parameters(parameters)
    reader.define(
        node,
        name,
        place,
        DefinitionKind.METHOD if is_method else DefinitionKind.FUNCTION,
        scope,
        parameters=known,
        decorators=decorators,
        is_stub=_is_stub(body),
        is_exported=not text_of(name).startswith("_"),
    )
    reader.bind(name, place, BindingKind.DEFINITION)
    if text_of(name) == "__getattr__" and place.scope == 0:
        reader.is_open = True
    inside = place.inside(scope)
    if is_method and known and "staticmethod" not in decorators:
        inside = replace(inside, self_name=known[0].name)
    reader.push([node.child_by_field_name("return_type")], place)
    _type_parameters(reader, node.child_by_field_name("type_parameters"), place)
    _bind_parameters(reader, parameters, place, inside)
    reader.push([body], inside)


def _parameters(node: Node) -> tuple[Parameter, ...] | None:
    found: list[Parameter] = []
    kind = ParameterKind.POSITIONAL
    for child in node.named_children:
        if child.type == "positional_separator":
            found = [replace(one, kind=ParameterKind.POSITIONAL_ONLY) for one in found]
        elif child.type == "keyword_separator":
            kind = ParameterKind.KEYWORD_ONLY
        elif child.type not in ("comment", "line_continuation"):
            name, own_kind = _parameter_name(child)
            if name is None:
                return None
            has_default = child.type in ("default_parameter", "typed_default_parameter")
            found.append(Parameter(text_of(name), own_kind or kind, has_default, line_of(child)))
            if own_kind is ParameterKind.VARIADIC:
                kind = ParameterKind.KEYWORD_ONLY
    return tuple(found)


def _parameter_name(node: Node) -> tuple[Node | None, ParameterKind | None]:
    """The name, and the kind where the parameter itself says it."""
    if node.type in ("default_parameter", "typed_default_parameter"):
        name = node.child_by_field_name("name")
        return (name if name is not None and name.type == "identifier" else None), None
    if node.type == "typed_parameter" and node.named_children:
        node = node.named_children[0]
    if node.type == "list_splat_pattern" and node.named_children:
        return node.named_children[0], ParameterKind.VARIADIC
    if node.type == "dictionary_splat_pattern" and node.named_children:
        return node.named_children[0], ParameterKind.KEYWORDS
    return (node if node.type == "identifier" else None), None


def _bind_parameters(reader: Reader, node: Node, outer: Place, inside: Place) -> None:
    for child in node.named_children:
        reader.push([child.child_by_field_name("type")], outer)
        reader.push([child.child_by_field_name("value")], outer)
        name, _ = _parameter_name(child)
        if name is not None:
            reader.bind(name, inside, BindingKind.PARAMETER)
        elif child.type not in ("comment", "keyword_separator", "positional_separator"):
            reader.push([child], inside.binding(BindingKind.PARAMETER))


def _is_stub(body: Node) -> bool:
    return all(
        child.type in ("pass_statement", "raise_statement", "comment", "global_statement")
        or (
            child.type == "expression_statement"
            and len(child.named_children) == 1
            and child.named_children[0].type in ("string", "ellipsis", "concatenated_string")
        )
        for child in body.named_children
    )


def _class(reader: Reader, node: Node, place: Place, decorators: tuple[str, ...] = ()) -> None:
    name = node.child_by_field_name("name")
    if name is None:
        reader.push_children(node, place)
        return
    scope = reader.open_scope(ScopeKind.CLASS, text_of(name), place.scope, node)
    superclasses = node.child_by_field_name("superclasses")
    reader.define(
        node,
        name,
        place,
        DefinitionKind.CLASS,
        scope,
        decorators=decorators,
        bases=tuple(_bases(superclasses)),
        is_exported=not text_of(name).startswith("_"),
    )
    reader.bind(name, place, BindingKind.DEFINITION)
    reader.push([superclasses], place)
    _type_parameters(reader, node.child_by_field_name("type_parameters"), place)
    reader.push([node.child_by_field_name("body")], place.inside(scope))


def _bases(node: Node | None) -> Iterator[str]:
    """Base classes as written; a keyword (`metaclass=M`) keeps its name."""
    if node is not None:
        for child in node.named_children:
            if child.type != "comment":
                yield text_of(child)


def _decorated(reader: Reader, node: Node, place: Place) -> None:
    decorators = [child for child in node.named_children if child.type == "decorator"]
    reader.push(decorators, place)
    names = tuple(text_of(child).lstrip("@").strip() for child in decorators)
    definition = node.child_by_field_name("definition")
    if definition is None:
        return
    if definition.type == "class_definition":
        _class(reader, definition, place, names)
    else:
        _function(reader, definition, place, names)


def _lambda(reader: Reader, node: Node, place: Place) -> None:
    scope = reader.open_scope(ScopeKind.FUNCTION, "", place.scope, node)
    parameters = node.child_by_field_name("parameters")
    inside = place.inside(scope)
    if parameters is not None:
        _bind_parameters(reader, parameters, place, inside)
    reader.push([node.child_by_field_name("body")], inside)


def _type_parameters(reader: Reader, node: Node | None, place: Place) -> None:
    """Bind every name in the list: more than it does, which can only hide a finding."""
    if node is None:
        return
    pending = list(node.named_children)
    while pending:
        child = pending.pop()
        if child.type == "identifier":
            reader.bind(child, place, BindingKind.TYPE_PARAMETER)
        pending.extend(child.named_children)
    reader.push_children(node, place)


def _type_alias(reader: Reader, node: Node, place: Place) -> None:
    _type_parameters(reader, node.child_by_field_name("left"), place)
    reader.push([node.child_by_field_name("right")], place)


VISITORS: dict[str, Visitor] = {
    "function_definition": _function,
    "class_definition": _class,
    "decorated_definition": _decorated,
    "lambda": _lambda,
    "type_alias_statement": _type_alias,
}
