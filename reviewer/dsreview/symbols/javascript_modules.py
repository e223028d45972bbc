"""Imports and exports of JavaScript and TypeScript, `require` included."""

from tree_sitter import Node

from dsreview.symbols.facts import BindingKind, Export, Import
from dsreview.symbols.reader import Place, Reader, Visitor, line_of, text_of


def read_require(reader: Reader, name: Node, value: Node | None, place: Place) -> bool:
    """Read `name = require("module")`; False where the declarator is anything else."""
    module = _required_module(value)
    if module is None:
        return False
    if name.type == "identifier":
        _add(reader, name, place, (module, "", text_of(name)))
        return True
    if name.type != "object_pattern":
        return False
    for child in name.named_children:
        if child.type == "shorthand_property_identifier_pattern":
            _add(reader, child, place, (module, text_of(child), text_of(child)))
            continue
        key, target = child.child_by_field_name("key"), child.child_by_field_name("value")
        is_plain = key is not None and target is not None and target.type == "identifier"
        if child.type == "pair_pattern" and is_plain and key is not None and target is not None:
            _add(reader, target, place, (module, text_of(key), text_of(target)))
        else:
            reader.push([child], place.binding(BindingKind.UNPACKED))
    return True


def _required_module(node: Node | None) -> str | None:
    if node is None or node.type != "call_expression":
        return None
    function = node.child_by_field_name("function")
    arguments = node.child_by_field_name("arguments")
    if function is None or text_of(function) != "require" or arguments is None:
        return None
    if len(arguments.named_children) != 1 or arguments.named_children[0].type != "string":
        return None
    return _string(arguments.named_children[0])


def _string(node: Node) -> str:
    return text_of(node)[1:-1]


def _add(reader: Reader, node: Node, place: Place, names: tuple[str, str, str]) -> None:
    module, name, alias = names
    reader.imports.append(Import(module, name, alias, line_of(node), is_guarded=place.is_guarded))
    reader.bind(node, place, BindingKind.IMPORT, text=alias)


def _import(reader: Reader, node: Node, place: Place) -> None:
    source = node.child_by_field_name("source")
    is_type = any(child.type in ("type", "typeof") for child in node.children)
    clause = next((c for c in node.named_children if c.type == "import_clause"), None)
    if source is None or clause is None:
        _import_other(reader, node, place, source)
        return
    module = _string(source)
    for child in clause.named_children:
        if child.type == "identifier":
            _add_import(reader, child, place, (module, "default", text_of(child)), is_type)
        elif child.type == "namespace_import":
            for name in child.named_children:
                _add_import(reader, name, place, (module, "", text_of(name)), is_type)
        elif child.type == "named_imports":
            _named_imports(reader, child, place, module, is_type)


def _import_other(reader: Reader, node: Node, place: Place, source: Node | None) -> None:
    """`import "x"` and TypeScript's `import x = ...`."""
    if source is not None:
        reader.imports.append(Import(_string(source), "", "", line_of(node)))
    for child in node.named_children:
        names = [child, *child.named_children]
        for name in names:
            if name.type == "identifier":
                reader.bind(name, place, BindingKind.IMPORT)


def _named_imports(reader: Reader, node: Node, place: Place, module: str, is_type: bool) -> None:
    for child in node.named_children:
        name = child.child_by_field_name("name")
        if name is None:
            continue
        alias = child.child_by_field_name("alias") or name
        is_own_type = any(part.type in ("type", "typeof") for part in child.children)
        names = (module, text_of(name).strip("\"'"), text_of(alias))
        _add_import(reader, child, place, names, is_type or is_own_type)


def _add_import(
    reader: Reader, node: Node, place: Place, names: tuple[str, str, str], is_type: bool
) -> None:
    module, name, alias = names
    reader.imports.append(
        Import(
            module, name, alias, line_of(node), is_guarded=place.is_guarded, is_type_only=is_type
        )
    )
    reader.bind(node, place, BindingKind.IMPORT, text=alias)


def _export(reader: Reader, node: Node, place: Place) -> None:
    source = node.child_by_field_name("source")
    declaration = node.child_by_field_name("declaration")
    is_default = any(child.type == "default" for child in node.children)
    clause = next((c for c in node.named_children if c.type == "export_clause"), None)
    if clause is not None:
        _export_clause(reader, clause, place, source)
        return
    if source is not None:
        _export_star(reader, node, source)
        return
    if any(child.type in ("=", "as") for child in node.children):
        reader.has_open_exports = True  # `export = x`, `export as namespace X`
    if is_default:
        local = declaration.child_by_field_name("name") if declaration is not None else None
        name = "" if local is None else text_of(local)
        reader.exports.append(Export("default", name, line_of(node)))
    elif declaration is not None:
        for name_node in _declared_names(declaration):
            name = text_of(name_node)
            reader.exports.append(Export(name, name, line_of(name_node)))
    reader.push_children(node, place)


def _export_star(reader: Reader, node: Node, source: Node) -> None:
    alias = next((c for c in node.named_children if c.type == "namespace_export"), None)
    if alias is None:
        reader.has_open_exports = True
        reader.imports.append(
            Import(_string(source), "*", "", line_of(node), is_star=True, is_reexport=True)
        )
        return
    names = [text_of(name) for name in alias.named_children]
    for name in names:
        reader.exports.append(Export(name, "", line_of(node)))
    reader.imports.append(Import(_string(source), "", "", line_of(node), is_reexport=True))


def _export_clause(reader: Reader, node: Node, place: Place, source: Node | None) -> None:
    for child in node.named_children:
        name = child.child_by_field_name("name")
        if name is None:
            continue
        alias = child.child_by_field_name("alias") or name
        local = "" if source is not None else text_of(name)
        reader.exports.append(Export(text_of(alias).strip("\"'"), local, line_of(child)))
        if source is None:
            reader.push([name], place)
        else:
            reader.imports.append(
                Import(
                    _string(source),
                    text_of(name),
                    text_of(alias).strip("\"'"),
                    line_of(child),
                    is_reexport=True,
                )
            )


def _declared_names(node: Node) -> list[Node]:
    """What `export` in front of a declaration gives out, patterns included."""
    name = node.child_by_field_name("name")
    if name is not None:
        return [name]
    found: list[Node] = []
    pending: list[Node] = [c.child_by_field_name("name") or c for c in node.named_children]
    while pending:
        child = pending.pop()
        if child.type in ("identifier", "shorthand_property_identifier_pattern", "type_identifier"):
            found.append(child)
        elif child.type == "pair_pattern":
            value = child.child_by_field_name("value")
            pending.extend([] if value is None else [value])
        elif child.type in ("assignment_pattern", "object_assignment_pattern"):
            left = child.child_by_field_name("left")
            pending.extend([] if left is None else [left])
        elif child.type in ("object_pattern", "array_pattern", "rest_pattern"):
            pending.extend(child.named_children)
        elif "declarat" in child.type or child.type == "function_signature":
            name = child.child_by_field_name("name")
            pending.extend(child.named_children if name is None else [name])
    return found


VISITORS: dict[str, Visitor] = {
    "import_statement": _import,
    "export_statement": _export,
}
