"""ast-grep's templates, which ast-grep's Python package leaves to its users.

`$NAME` stands for a captured node, or for what a `transform` made of it, `$$$NAME` for a
captured list.
"""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ast_grep_py import SgNode

VARIABLE = re.compile(r"\$\$\$(?P<list>[A-Z_][A-Z0-9_]*)|\$(?P<one>[A-Z_][A-Z0-9_]*)")


def filled(template: str, node: "SgNode", indent: str) -> str:
    """`template` for one match, its later lines behind `indent`; not captured is empty."""
    indented = template.rstrip("\n").replace("\n", f"\n{indent}")
    return VARIABLE.sub(lambda variable: captured_text(node, variable), indented)


def captured_text(node: "SgNode", variable: re.Match[str]) -> str:
    if variable["list"] is None:
        one = node.get_match(variable["one"])
        return one.text() if one is not None else node.get_transformed(variable["one"]) or ""
    return list_text(node, node.get_multiple_matches(variable["list"]))


def list_text(node: "SgNode", nodes: "list[SgNode]") -> str:
    """From the first to the last of `nodes`, with what stands between them."""
    if not nodes:
        return ""
    start = node.range().start.index
    first, last = nodes[0].range().start.index, nodes[-1].range().end.index
    return node.text()[first - start : last - start]
