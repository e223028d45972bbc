"""What binds and uses names in Go. Blocks count for their whole function."""

from tree_sitter import Node

from dsreview.symbols.facts import BindingKind, Call, Import, Receiver, ReferenceKind
from dsreview.symbols.go_definitions import VISITORS as DEFINITION_VISITORS
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

_LINKS = {"selector_expression": ("operand", "field")}


def _refer_member(reader: Reader, node: Node, place: Place, call: Call | None = None) -> None:
    name = node.child_by_field_name("field")
    text = dotted_text(node.child_by_field_name("operand"), _LINKS)
    receiver = Receiver.NAME if text else Receiver.OTHER
    if text and text == place.self_name:
        receiver = Receiver.SELF
    if name is not None:
        reader.refer(name, place, receiver, text, call)


def _qualified_type(reader: Reader, node: Node, place: Place) -> None:
    package, name = node.child_by_field_name("package"), node.child_by_field_name("name")
    if package is None or name is None:
        return
    reader.refer(package, place)
    reader.refer(name, place, Receiver.NAME, text_of(package), kind=ReferenceKind.TYPE)


def _selector(reader: Reader, node: Node, place: Place) -> None:
    place = place.reading()
    _refer_member(reader, node, place)
    reader.push([node.child_by_field_name("operand")], place)


def _index(reader: Reader, node: Node, place: Place) -> None:
    reader.push_children(node, place.reading())


def _call(reader: Reader, node: Node, place: Place) -> None:
    place = place.reading()
    function = node.child_by_field_name("function")
    arguments = node.child_by_field_name("arguments")
    reader.push([arguments, node.child_by_field_name("type_arguments")], place)
    if function is None:
        return
    call = _arguments(arguments)
    if function.type == "identifier":
        reader.refer(function, place, call=call)
    elif function.type == "selector_expression":
        _refer_member(reader, function, place, call)
        reader.push([function.child_by_field_name("operand")], place)
    else:
        reader.push([function], place)


def _arguments(node: Node | None) -> Call:
    children = [] if node is None else node.named_children
    children = [child for child in children if child.type != "comment"]
    # f(g()) may hand over several values
    is_forwarded = len(children) == 1 and children[0].type == "call_expression"
    has_spread = any(child.type == "variadic_argument" for child in children)
    return Call(len(children), has_spread=has_spread or is_forwarded)


def _package(reader: Reader, node: Node, _place: Place) -> None:
    for child in node.named_children:
        reader.package = text_of(child)


def _comment(reader: Reader, node: Node, _place: Place) -> None:
    text = text_of(node)
    if text.startswith(("//go:build", "// +build", "//go:linkname")):
        reader.is_open = True


def _import(reader: Reader, node: Node, place: Place) -> None:
    path = node.child_by_field_name("path")
    name = node.child_by_field_name("name")
    if path is None:
        return
    module = text_of(path)[1:-1]
    alias = "" if name is None else text_of(name)
    is_star = alias == "."
    if is_star or module == "C":
        reader.is_open = True
    bound = alias if alias not in ("", ".", "_") else ""
    reader.imports.append(Import(module, "", bound, line_of(node), is_star=is_star))
    if bound:
        reader.bind(node, place, BindingKind.IMPORT, text=bound)


def _assigned(reader: Reader, node: Node, place: Place) -> None:
    """`:=`, `range`, a type switch, a receive: names on the left, values on the right."""
    targets = [node.child_by_field_name("left"), node.child_by_field_name("alias")]
    reader.push(targets, place.binding(BindingKind.UNPACKED))
    rest = [child for child in node.named_children if child not in targets]
    reader.push(rest, place.reading())


def _keyed_element(reader: Reader, node: Node, place: Place) -> None:
    """A plain name as key may be a field: then it refers to nothing in scope."""
    key = node.child_by_field_name("key")
    is_name = key is not None and all(c.type == "identifier" for c in key.named_children)
    reader.push([child for child in node.named_children if child != key or not is_name], place)


VISITORS: dict[str, Visitor] = {
    **DEFINITION_VISITORS,
    "identifier": identifier,
    "type_identifier": type_identifier,
    "qualified_type": _qualified_type,
    "selector_expression": _selector,
    "index_expression": _index,
    "call_expression": _call,
    "package_clause": _package,
    "comment": _comment,
    "import_spec": _import,
    "short_var_declaration": _assigned,
    "range_clause": _assigned,
    "type_switch_statement": _assigned,
    "receive_statement": _assigned,
    "keyed_element": _keyed_element,
    "label_name": skip,
}
