"""The imports of Python."""

from tree_sitter import Node

from dsreview.symbols.facts import BindingKind, Import
from dsreview.symbols.reader import Place, Reader, Visitor, line_of, skip, text_of


def _import(reader: Reader, node: Node, place: Place) -> None:
    for child in node.children_by_field_name("name"):
        name, alias = _import_names(child)
        bound = text_of(alias) if alias is not None else text_of(name).split(".")[0]
        _add_import(reader, child, place, (text_of(name), "", bound))


def _import_from(reader: Reader, node: Node, place: Place) -> None:
    module = node.child_by_field_name("module_name")
    module_text = "__future__" if module is None else text_of(module)
    if any(child.type == "wildcard_import" for child in node.named_children):
        reader.is_open = True
        reader.imports.append(Import(module_text, "*", "", line_of(node), is_star=True))
    if node.type == "future_import_statement":
        return
    for child in node.children_by_field_name("name"):
        name, alias = _import_names(child)
        _add_import(reader, child, place, (module_text, text_of(name), text_of(alias or name)))


def _import_names(node: Node) -> tuple[Node, Node | None]:
    name = node.child_by_field_name("name")
    return (node, None) if name is None else (name, node.child_by_field_name("alias"))


def _add_import(reader: Reader, node: Node, place: Place, names: tuple[str, str, str]) -> None:
    module, name, alias = names
    reader.imports.append(Import(module, name, alias, line_of(node), is_guarded=place.is_guarded))
    reader.bind(node, place, BindingKind.IMPORT, text=alias)


VISITORS: dict[str, Visitor] = {
    "import_statement": _import,
    "import_from_statement": _import_from,
    "future_import_statement": skip,
}
