"""Whether two sources differ in comments alone; run only in the sandbox.

A line of comment in the middle of a string, a macro, a heredoc or a template would be
text of the program. Comparing what the parser reads finds all of these, in any language.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dsreview import languages
from dsreview.languages.syntax import python_refuses
from dsreview.sandbox import Task

if TYPE_CHECKING:
    from tree_sitter import Tree


@dataclass(frozen=True, slots=True)
class SameCodeRequest:
    language: str
    before: bytes
    after: bytes


@dataclass(frozen=True, slots=True)
class SameCodeReply:
    is_same: bool


def same_code(request: SameCodeRequest) -> SameCodeReply:
    before, after = (
        list(_code(languages.parse(request.language, source)))
        for source in (request.before, request.after)
    )
    is_same = before == after
    if request.language == "python" and python_refuses(request.before) is None:
        # the grammar lets more through than Python
        is_same = is_same and python_refuses(request.after) is None
    return SameCodeReply(is_same)


SAME_CODE = Task("dsreview.languages.same_code:same_code", SameCodeRequest, SameCodeReply)


def _code(tree: "Tree") -> Iterator[tuple[str, bytes | None]]:
    """Type and text of every leaf outside comments, in source order."""
    pending = [tree.root_node]
    while pending:
        node = pending.pop()
        if "comment" in node.type:
            continue
        if node.children:
            pending.extend(reversed(node.children))
        elif node.start_byte < node.end_byte:
            yield node.type, node.text
