"""What binds and uses names in JavaScript and TypeScript: expressions and statements.

Blocks do not count as scopes: a name declared in a block counts for the whole
function, which can only hide a finding, never make a false one.
"""

from tree_sitter import Node

from dsreview.symbols.facts import (
    BindingKind,
    Call,
    DefinitionKind,
    Receiver,
    Reference,
    ReferenceKind,
)
from dsreview.symbols.javascript_definitions import VISITORS as DEFINITION_VISITORS
from dsreview.symbols.javascript_definitions import read_function, read_parameters
from dsreview.symbols.javascript_modules import VISITORS as MODULE_VISITORS
from dsreview.symbols.javascript_modules import read_require
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

_LINKS = {"member_expression": ("object", "property")}
_FUNCTIONS = ("arrow_function", "function_expression", "generator_function")


def _refer(
    reader: Reader,
    node: Node,
    place: Place,
    call: Call | None = None,
    kind: ReferenceKind = ReferenceKind.VALUE,
) -> None:
    """Note the use of a name, or of a member: then `node` is the whole expression."""
    name: Node | None = node
    receiver, text = Receiver.NONE, ""
    if node.type == "member_expression":
        name = node.child_by_field_name("property")
        receiver, text = _receiver(node.child_by_field_name("object"))
    if name is None:
        return
    reader.refer(name, place, receiver, text, call, kind)


def _receiver(node: Node | None) -> tuple[Receiver, str]:
    if node is not None and node.type in ("this", "super"):
        return (Receiver.SELF if node.type == "this" else Receiver.SUPER), node.type
    text = dotted_text(node, _LINKS)
    return (Receiver.NAME, text) if text else (Receiver.OTHER, "")


def _member(reader: Reader, node: Node, place: Place) -> None:
    place = place.reading()
    _refer(reader, node, place)
    reader.push([node.child_by_field_name("object")], place)


def _index(reader: Reader, node: Node, place: Place) -> None:
    reader.push_children(node, place.reading())


def _call(reader: Reader, node: Node, place: Place) -> None:
    place = place.reading()
    is_new = node.type == "new_expression"
    function = node.child_by_field_name("constructor" if is_new else "function")
    arguments = node.child_by_field_name("arguments")
    reader.push([arguments, node.child_by_field_name("type_arguments")], place)
    if function is None:
        return
    call = _arguments(arguments, is_new)
    if function.type == "identifier":
        _refer(reader, function, place, call)
        if text_of(function) == "eval":
            reader.is_open = True
    elif function.type == "member_expression":
        _refer(reader, function, place, call)
        reader.push([function.child_by_field_name("object")], place)
    elif function.type == "super":
        reader.references.append(
            Reference(
                "constructor", place.scope, line_of(function), Receiver.SUPER, "super", call=call
            )
        )
    else:
        reader.push([function], place)


def _arguments(node: Node | None, is_new: bool) -> Call:
    if node is None or node.type != "arguments":
        return Call(0, is_new=is_new, has_spread=node is not None)  # a template: counts unknown
    children = [child for child in node.named_children if child.type != "comment"]
    return Call(
        num_positional=sum(child.type != "spread_element" for child in children),
        has_spread=any(child.type == "spread_element" for child in children),
        is_new=is_new,
    )


def _declarator(reader: Reader, node: Node, place: Place) -> None:
    name = node.child_by_field_name("name")
    value = node.child_by_field_name("value")
    reader.push([node.child_by_field_name("type")], place)
    if name is None:
        return
    if read_require(reader, name, value, place):
        return
    if name.type != "identifier":
        reader.push([value], place)
        reader.push([name], place.binding(BindingKind.UNPACKED))
        return
    reader.bind(name, place, BindingKind.DECLARED if value is None else BindingKind.ASSIGNED)
    if value is not None and value.type in _FUNCTIONS:
        scope = read_function(reader, value, name, place)
        parameters = read_parameters(value)
        reader.define(node, name, place, DefinitionKind.FUNCTION, scope, parameters=parameters)
        return
    if reader.scopes[place.scope].parent is None:
        reader.define(node, name, place, DefinitionKind.VARIABLE)
    reader.push([value], place)


def _default_value(reader: Reader, node: Node, place: Place) -> None:
    """`a = 1` in a pattern: the left side binds, the right side is read."""
    reader.push([node.child_by_field_name("left")], place)
    reader.push([node.child_by_field_name("right")], place.reading())


def _pair_pattern(reader: Reader, node: Node, place: Place) -> None:
    key = node.child_by_field_name("key")
    if key is not None and key.type == "computed_property_name":
        reader.push([key], place.reading())
    reader.push([node.child_by_field_name("value")], place)


def _assignment(reader: Reader, node: Node, place: Place) -> None:
    left = node.child_by_field_name("left")
    reader.push([node.child_by_field_name("right")], place)
    if left is not None and left.type == "identifier":
        reader.references.append(
            Reference(
                text_of(left),
                place.scope,
                line_of(left),
                is_guarded=place.is_guarded,
                is_write=node.type == "assignment_expression",
            )
        )
    else:
        reader.push([left], place)
    target = dotted_text(left, _LINKS)
    if target.split(".")[0] in ("module", "exports"):
        reader.has_open_exports = True


def _for_in(reader: Reader, node: Node, place: Place) -> None:
    left = node.child_by_field_name("left")
    is_declaration = node.child_by_field_name("kind") is not None
    reader.push([left], place.binding(BindingKind.LOOP) if is_declaration else place)
    reader.push([node.child_by_field_name("right")], place)
    reader.push([node.child_by_field_name("body")], place.maybe())


def _catch(reader: Reader, node: Node, place: Place) -> None:
    reader.push([node.child_by_field_name("parameter")], place.binding(BindingKind.CAUGHT))
    reader.push([node.child_by_field_name("body")], place)


def _try(reader: Reader, node: Node, place: Place) -> None:
    body = node.child_by_field_name("body")
    handler = node.child_by_field_name("handler")
    maybe = place.maybe()
    reader.push([body], maybe if handler is None else maybe.guarded())
    reader.push([handler, node.child_by_field_name("finalizer")], maybe)


def _conditional(reader: Reader, node: Node, place: Place) -> None:
    reader.push_children(node, place.maybe())


def _unary(reader: Reader, node: Node, place: Place) -> None:
    operator = node.child_by_field_name("operator")
    is_typeof = operator is not None and text_of(operator) == "typeof"
    reader.push_children(node, place.guarded() if is_typeof else place)


def _element(reader: Reader, node: Node, place: Place) -> None:
    name = node.child_by_field_name("name")
    if name is not None and name.type == "identifier":
        if not text_of(name)[:1].islower():  # <div>: an element of the platform
            _refer(reader, name, place, kind=ReferenceKind.ELEMENT)
    else:
        reader.push([name], place)
    reader.push([child for child in node.named_children if child != name], place)


def _infer(reader: Reader, node: Node, place: Place) -> None:
    for child in node.named_children[:1]:
        reader.bind(child, place, BindingKind.TYPE_PARAMETER)


def _with(reader: Reader, node: Node, place: Place) -> None:
    reader.is_open = True
    reader.push_children(node, place)


def _nested_type(reader: Reader, node: Node, place: Place) -> None:
    """`ns.Type`: like a type, the namespace may be ambient."""
    module = node.child_by_field_name("module")
    while module is not None and module.type != "identifier":
        module = module.named_children[0] if module.named_children else None
    if module is not None:
        _refer(reader, module, place, kind=ReferenceKind.TYPE)


VISITORS: dict[str, Visitor] = {
    **DEFINITION_VISITORS,
    **MODULE_VISITORS,
    "identifier": identifier,
    "shorthand_property_identifier": identifier,
    "shorthand_property_identifier_pattern": identifier,
    "type_identifier": type_identifier,
    "nested_type_identifier": _nested_type,
    "member_expression": _member,
    "subscript_expression": _index,
    "call_expression": _call,
    "new_expression": _call,
    "variable_declarator": _declarator,
    "assignment_pattern": _default_value,
    "object_assignment_pattern": _default_value,
    "pair_pattern": _pair_pattern,
    "assignment_expression": _assignment,
    "augmented_assignment_expression": _assignment,
    "for_in_statement": _for_in,
    "catch_clause": _catch,
    "try_statement": _try,
    "if_statement": _conditional,
    "for_statement": _conditional,
    "while_statement": _conditional,
    "do_statement": _conditional,
    "switch_statement": _conditional,
    "unary_expression": _unary,
    "jsx_opening_element": _element,
    "jsx_self_closing_element": _element,
    "jsx_closing_element": skip,
    "infer_type": _infer,
    "with_statement": _with,
    "comment": skip,
}
