"""What binds and uses names in Java. Blocks count for their whole method."""

from dataclasses import replace

from tree_sitter import Node

from dsreview.symbols.facts import (
    BindingKind,
    Call,
    Import,
    Receiver,
    ReferenceKind,
    ScopeKind,
)
from dsreview.symbols.java_definitions import VISITORS as DEFINITION_VISITORS
from dsreview.symbols.reader import (
    Place,
    Reader,
    Visitor,
    dotted_text,
    identifier,
    line_of,
    skip,
    text_of,
    type_identifier,
)

_LINKS = {"field_access": ("object", "field"), "scoped_identifier": ("scope", "name")}


def _receiver(node: Node | None) -> tuple[Receiver, str]:
    if node is None:
        return Receiver.NONE, ""
    if node.type in ("this", "super"):
        return (Receiver.SELF if node.type == "this" else Receiver.SUPER), node.type
    text = dotted_text(node, _LINKS)
    return (Receiver.NAME, text) if text else (Receiver.OTHER, "")


def _scoped_type(reader: Reader, node: Node, place: Place) -> None:
    """`Outer.Inner`: only the outermost name is looked up."""
    while node.type == "scoped_type_identifier" and node.named_children:
        node = node.named_children[0]
    reader.push([node], place)


def _scoped(reader: Reader, node: Node, place: Place) -> None:
    while node.type == "scoped_identifier":
        scope = node.child_by_field_name("scope")
        if scope is None:
            return
        node = scope
    reader.push([node], place)


def _field_access(reader: Reader, node: Node, place: Place) -> None:
    place = place.reading()
    field = node.child_by_field_name("field")
    target = node.child_by_field_name("object")
    if field is not None:
        receiver, text = _receiver(target)
        reader.refer(field, place, receiver, text)
    reader.push([target], place)


def _invocation(reader: Reader, node: Node, place: Place) -> None:
    place = place.reading()
    name = node.child_by_field_name("name")
    target = node.child_by_field_name("object")
    arguments = node.child_by_field_name("arguments")
    if name is not None:
        receiver, text = _receiver(target)
        reader.refer(name, place, receiver, text, _arguments(arguments))
    reader.push([target, arguments, node.child_by_field_name("type_arguments")], place)


def _arguments(node: Node | None, is_new: bool = False) -> Call:
    children = [] if node is None else node.named_children
    return Call(sum("comment" not in child.type for child in children), is_new=is_new)


def _creation(reader: Reader, node: Node, place: Place) -> None:
    created = node.child_by_field_name("type")
    arguments = node.child_by_field_name("arguments")
    if created is not None and created.type == "generic_type" and created.named_children:
        reader.push(created.named_children[1:], place)
        created = created.named_children[0]
    if created is not None and created.type == "type_identifier":
        call = _arguments(arguments, is_new=True)
        reader.refer(created, place, call=call, kind=ReferenceKind.TYPE)
    else:
        reader.push([created], place)
    rest = [c for c in node.named_children if c.type not in ("type_identifier", "generic_type")]
    reader.push([child for child in rest if child.type != "class_body"], place)
    bodies = [child for child in rest if child.type == "class_body"]
    if bodies:  # an unnamed class may inherit names that the file does not show
        scope = reader.open_scope(ScopeKind.CLASS, "", place.scope, node)
        reader.open_scopes.add(scope)
        reader.push(bodies, replace(place.inside(scope), self_name="this"))


def _package(reader: Reader, node: Node, _place: Place) -> None:
    names = [c for c in node.named_children if c.type in ("identifier", "scoped_identifier")]
    for name in names:
        reader.package = text_of(name)


def _import(reader: Reader, node: Node, place: Place) -> None:
    names = [c for c in node.named_children if c.type in ("identifier", "scoped_identifier")]
    if not names:
        return
    full = "".join(text_of(names[0]).split())
    if any(child.type == "asterisk" for child in node.named_children):
        reader.imports.append(Import(full, "*", "", line_of(node), is_star=True))
        return
    module, _, name = full.rpartition(".")
    reader.imports.append(Import(module, name, name, line_of(node)))
    reader.bind(node, place, BindingKind.IMPORT, text=name)


def _local(reader: Reader, node: Node, place: Place) -> None:
    for declarator in node.children_by_field_name("declarator"):
        name = declarator.child_by_field_name("name")
        value = declarator.child_by_field_name("value")
        kind = BindingKind.DECLARED if value is None else BindingKind.ASSIGNED
        if name is not None:
            reader.bind(name, place, kind)
        reader.push([value], place)
    reader.push([node.child_by_field_name("type")], place)


def _for_each(reader: Reader, node: Node, place: Place) -> None:
    name = node.child_by_field_name("name")
    if name is not None:
        reader.bind(name, place, BindingKind.LOOP)
    reader.push([child for child in node.named_children if child != name], place)


def _named(reader: Reader, node: Node, place: Place) -> None:
    """A caught exception, a resource, a parameter, `instanceof T name`."""
    kinds = {
        "catch_formal_parameter": BindingKind.CAUGHT,
        "resource": BindingKind.RESOURCE,
        "formal_parameter": BindingKind.PARAMETER,
    }
    name = node.child_by_field_name("name")
    if name is not None:
        reader.bind(name, place.reading(), kinds.get(node.type, BindingKind.UNPACKED))
    reader.push([child for child in node.named_children if child != name], place.reading())


def _spread_parameter(reader: Reader, node: Node, place: Place) -> None:
    for child in node.named_children:
        name = child.child_by_field_name("name")
        if child.type == "variable_declarator" and name is not None:
            reader.bind(name, place, BindingKind.PARAMETER)
        else:
            reader.push([child], place.reading())


def _pattern(reader: Reader, node: Node, place: Place) -> None:
    """A type with the name that it binds, or a record with its components."""
    for child in node.named_children:
        if child.type != "identifier":
            reader.push([child], place)
        elif node.type == "record_pattern":
            reader.refer(child, place, kind=ReferenceKind.TYPE)
        else:
            reader.bind(child, place, BindingKind.UNPACKED)


def _lambda(reader: Reader, node: Node, place: Place) -> None:
    scope = reader.open_scope(ScopeKind.FUNCTION, "", place.scope, node)
    inside = place.inside(scope)
    parameters = node.child_by_field_name("parameters")
    reader.push([parameters], inside.binding(BindingKind.PARAMETER))
    reader.push([node.child_by_field_name("body")], inside)


def _try(reader: Reader, node: Node, place: Place) -> None:
    body = node.child_by_field_name("body")
    has_handler = any(child.type == "catch_clause" for child in node.named_children)
    reader.push([body], place.guarded() if has_handler else place)
    reader.push([child for child in node.named_children if child != body], place)


def _labelled(reader: Reader, node: Node, place: Place) -> None:
    reader.push([child for child in node.named_children if child.type != "identifier"], place)


def _method_reference(reader: Reader, node: Node, place: Place) -> None:
    children = node.named_children
    if len(children) > 1 and children[-1].type == "identifier":
        receiver, text = _receiver(children[0])
        reader.refer(children[-1], place, receiver, text)
    reader.push(children[:1], place)


def _annotation_value(reader: Reader, node: Node, place: Place) -> None:
    reader.push([node.child_by_field_name("value")], place)


VISITORS: dict[str, Visitor] = {
    **DEFINITION_VISITORS,
    "identifier": identifier,
    "type_identifier": type_identifier,
    "scoped_type_identifier": _scoped_type,
    "scoped_identifier": _scoped,
    "field_access": _field_access,
    "method_invocation": _invocation,
    "object_creation_expression": _creation,
    "package_declaration": _package,
    "import_declaration": _import,
    "local_variable_declaration": _local,
    "enhanced_for_statement": _for_each,
    "catch_formal_parameter": _named,
    "resource": _named,
    "formal_parameter": _named,
    "instanceof_expression": _named,
    "spread_parameter": _spread_parameter,
    "type_pattern": _pattern,
    "record_pattern": _pattern,
    "record_pattern_component": _pattern,
    "lambda_expression": _lambda,
    "try_statement": _try,
    "try_with_resources_statement": _try,
    "labeled_statement": _labelled,
    "break_statement": skip,
    "continue_statement": skip,
    "method_reference": _method_reference,
    "element_value_pair": _annotation_value,
    "line_comment": skip,
    "block_comment": skip,
}
