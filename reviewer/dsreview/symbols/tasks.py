"""The facts of one file, read in the sandbox."""

from collections.abc import Mapping
from dataclasses import dataclass

from dsreview import languages
from dsreview.sandbox import Task
from dsreview.symbols import go, java, javascript, python
from dsreview.symbols.facts import FileSymbols
from dsreview.symbols.reader import Visitor, read_tree

VISITORS: Mapping[str, Mapping[str, Visitor]] = {
    "python": python.VISITORS,
    "javascript": javascript.VISITORS,
    "typescript": javascript.VISITORS,
    "tsx": javascript.VISITORS,
    "go": go.VISITORS,
    "java": java.VISITORS,
}


@dataclass(frozen=True, slots=True)
class SymbolsRequest:
    language: str
    """A key of `VISITORS`."""
    source: bytes


def read_symbols(request: SymbolsRequest) -> FileSymbols:
    tree = languages.parse(request.language, request.source)
    return read_tree(tree.root_node, request.language, VISITORS[request.language])


READ_SYMBOLS = Task("dsreview.symbols.tasks:read_symbols", SymbolsRequest, FileSymbols, "parsing")
