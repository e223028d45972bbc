"""What binds and uses names in Python: expressions and statements."""

from tree_sitter import Node

from dsreview.symbols.facts import BindingKind, Call, Receiver, ScopeKind
from dsreview.symbols.python_definitions import (
    VISITORS as DEFINITION_VISITORS,
)
from dsreview.symbols.python_imports import VISITORS as IMPORT_VISITORS
from dsreview.symbols.reader import Place, Reader, Visitor, dotted_text, identifier, skip, text_of

_LINKS = {"attribute": ("object", "attribute")}
_OPENING_CALLS = frozenset({"exec", "eval", "locals", "vars", "globals", "execfile"})


def _refer(reader: Reader, node: Node, name: Node, place: Place, call: Call | None = None) -> None:
    receiver, receiver_text = Receiver.NONE, ""
    if node.type == "attribute":
        receiver, receiver_text = _receiver(node.child_by_field_name("object"), place)
        if text_of(node) == "sys.modules":
            reader.is_open = True  # the module may be about to replace itself
    reader.refer(name, place, receiver, receiver_text, call)


def _receiver(node: Node | None, place: Place) -> tuple[Receiver, str]:
    text = dotted_text(node, _LINKS)
    if text:
        is_self = text == place.self_name
        return (Receiver.SELF, text) if is_self else (Receiver.NAME, text)
    if node is not None and node.type == "call":
        function = node.child_by_field_name("function")
        if function is not None and text_of(function) == "super":
            return Receiver.SUPER, ""
    return Receiver.OTHER, ""


def _attribute(reader: Reader, node: Node, place: Place) -> None:
    name = node.child_by_field_name("attribute")
    if name is not None:
        _refer(reader, node, name, place.reading())
    reader.push([node.child_by_field_name("object")], place.reading())


def _subscript(reader: Reader, node: Node, place: Place) -> None:
    reader.push_children(node, place.reading())


def _call(reader: Reader, node: Node, place: Place) -> None:
    place = place.reading()
    function = node.child_by_field_name("function")
    arguments = node.child_by_field_name("arguments")
    call = _arguments(arguments)
    reader.push([arguments], place)
    if function is None:
        return
    if function.type == "identifier":
        _refer(reader, function, function, place, call)
        if text_of(function) in _OPENING_CALLS:
            _mark_open(reader, text_of(function), place.scope)
    elif function.type == "attribute":
        name = function.child_by_field_name("attribute")
        if name is not None:
            _refer(reader, function, name, place, call)
        reader.push([function.child_by_field_name("object")], place)
    else:
        reader.push([function], place)


def _mark_open(reader: Reader, function: str, scope: int) -> None:
    if function in ("exec", "execfile", "globals", "vars"):
        reader.is_open = True
    current: int | None = scope
    while current is not None:
        reader.open_scopes.add(current)
        current = reader.scopes[current].parent


def _arguments(node: Node | None) -> Call:
    if node is None or node.type != "argument_list":
        return Call(1)  # f(x for x in y)
    keywords: list[str] = []
    num_positional = 0
    has_spread = False
    for child in node.named_children:
        if child.type == "keyword_argument":
            name = child.child_by_field_name("name")
            keywords.append("" if name is None else text_of(name))
        elif child.type in ("list_splat", "dictionary_splat"):
            has_spread = True
        elif child.type not in ("comment", "line_continuation"):
            num_positional += 1
    return Call(num_positional, tuple(keywords), has_spread)


def _keyword_argument(reader: Reader, node: Node, place: Place) -> None:
    reader.push([node.child_by_field_name("value")], place)


def _assignment(reader: Reader, node: Node, place: Place) -> None:
    left = node.child_by_field_name("left")
    right = node.child_by_field_name("right")
    reader.push([right, node.child_by_field_name("type")], place)
    if left is None:
        return
    if left.type != "identifier":
        kind = BindingKind.UNPACKED
    elif right is None:
        kind = BindingKind.DECLARED
    elif right.type == "assignment" or _is_chained(node):
        kind = BindingKind.UNPACKED
    else:
        kind = BindingKind.ASSIGNED
    reader.push([left], place.binding(kind))


def _is_chained(node: Node) -> bool:
    """`a = b = c`: leaving out one target changes nothing of the other."""
    return node.parent is not None and node.parent.type == "assignment"


def _augmented(reader: Reader, node: Node, place: Place) -> None:
    left = node.child_by_field_name("left")
    if left is not None and left.type == "identifier":
        reader.bind(left, place, BindingKind.AUGMENTED)
    reader.push([left, node.child_by_field_name("right")], place)


def _walrus(reader: Reader, node: Node, place: Place) -> None:
    name = node.child_by_field_name("name")
    scope = reader.enclosing(place.scope, ScopeKind.FUNCTION, ScopeKind.CLASS, ScopeKind.MODULE)
    if name is not None:
        reader.bind(name, place, BindingKind.UNPACKED, scope)
    reader.push([node.child_by_field_name("value")], place)


def _for(reader: Reader, node: Node, place: Place) -> None:
    reader.push([node.child_by_field_name("left")], place.binding(BindingKind.LOOP))
    reader.push([node.child_by_field_name("right")], place)
    reader.push(
        [node.child_by_field_name("body"), node.child_by_field_name("alternative")],
        place.maybe(),
    )


def _comprehension(reader: Reader, node: Node, place: Place) -> None:
    scope = reader.open_scope(ScopeKind.COMPREHENSION, "", place.scope, node)
    inside = place.inside(scope)
    clauses = [child for child in node.named_children if child.type == "for_in_clause"]
    for clause in clauses:
        reader.push([clause.child_by_field_name("left")], inside.binding(BindingKind.LOOP))
        # the first iterable is evaluated outside, which matters in a class body
        reader.push(
            [clause.child_by_field_name("right")], place if clause == clauses[0] else inside
        )
    reader.push([c for c in node.named_children if c.type != "for_in_clause"], inside)


def _as_pattern(reader: Reader, node: Node, place: Place) -> None:
    kind = BindingKind.RESOURCE
    for child in node.named_children:
        if child.type == "as_pattern_target":
            reader.push_children(child, place.binding(kind))
        else:
            reader.push([child], place)


def _conditional(reader: Reader, node: Node, place: Place) -> None:
    reader.push_children(node, place.maybe())


def _try(reader: Reader, node: Node, place: Place) -> None:
    has_handler = any(child.type == "except_clause" for child in node.named_children)
    body = node.child_by_field_name("body")
    for child in node.named_children:
        is_guarded = has_handler and child == body
        reader.push([child], place.maybe().guarded() if is_guarded else place.maybe())


def _with(reader: Reader, node: Node, place: Place) -> None:
    body = node.child_by_field_name("body")
    clauses = [child for child in node.named_children if child != body]
    # pytest.raises, assertRaises, contextlib.suppress: failing is what is expected there
    text = " ".join(text_of(clause) for clause in clauses).lower()
    expects_failure = "raises" in text or "suppress" in text or "warns" in text
    reader.push([body], place.guarded() if expects_failure else place)
    reader.push(clauses, place)


def _case_pattern(reader: Reader, node: Node, place: Place) -> None:
    reader.push_children(node, place.binding(BindingKind.UNPACKED))


def _dotted_name(reader: Reader, node: Node, place: Place) -> None:
    """In a pattern a plain name captures and a dotted one is compared with."""
    names = [child for child in node.named_children if child.type == "identifier"]
    if place.is_pattern and len(names) == 1:
        reader.bind(names[0], place, place.binds)
    elif names:
        reader.push(names[:1], place.reading())


def _class_pattern(reader: Reader, node: Node, place: Place) -> None:
    for child in node.named_children:
        reader.push([child], place.reading() if child.type == "dotted_name" else place)


def _keyword_pattern(reader: Reader, node: Node, place: Place) -> None:
    reader.push(node.named_children[1:], place)


def _outer_names(reader: Reader, node: Node, place: Place) -> None:
    for child in node.named_children:
        reader.bind(child, place, BindingKind.OUTER)
        if node.type == "global_statement":
            reader.bind(child, place.maybe(), BindingKind.UNPACKED, 0)


def _exec(reader: Reader, node: Node, place: Place) -> None:
    _mark_open(reader, "exec", place.scope)
    reader.push_children(node, place)


VISITORS: dict[str, Visitor] = {
    **DEFINITION_VISITORS,
    **IMPORT_VISITORS,
    "identifier": identifier,
    "attribute": _attribute,
    "subscript": _subscript,
    "call": _call,
    "keyword_argument": _keyword_argument,
    "assignment": _assignment,
    "augmented_assignment": _augmented,
    "named_expression": _walrus,
    "for_statement": _for,
    "list_comprehension": _comprehension,
    "set_comprehension": _comprehension,
    "dictionary_comprehension": _comprehension,
    "generator_expression": _comprehension,
    "as_pattern": _as_pattern,
    "if_statement": _conditional,
    "while_statement": _conditional,
    "try_statement": _try,
    "with_statement": _with,
    "case_clause": _conditional,
    "case_pattern": _case_pattern,
    "dotted_name": _dotted_name,
    "class_pattern": _class_pattern,
    "keyword_pattern": _keyword_pattern,
    "global_statement": _outer_names,
    "nonlocal_statement": _outer_names,
    "exec_statement": _exec,
    "comment": skip,
}
