"""What a parser reads on each line, comments apart; run only in the sandbox."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dsreview import languages
from dsreview.sandbox import Task

if TYPE_CHECKING:
    from tree_sitter import Node, Tree


@dataclass(frozen=True, slots=True)
class CodeLinesRequest:
    language: str
    source: bytes
    lines: tuple[int, ...]
    """1-based."""


@dataclass(frozen=True, slots=True)
class CodeLine:
    code: tuple[str, ...] = ()
    """Its tokens; of a token of several lines, the part on this one. In Python each starts with
    the depth of the block that it is in, since that is what white space says there."""
    comments: tuple[str, ...] = ()
    """Its parts of comments, in Python of docstrings too, without the white space around."""


@dataclass(frozen=True, slots=True)
class CodeLinesReply:
    lines: tuple[CodeLine, ...]
    """One per line asked for."""


def code_lines(request: CodeLinesRequest) -> CodeLinesReply:
    is_python = request.language == "python"
    tree = languages.parse(request.language, request.source)
    starts = _line_starts(request.source)
    code: dict[int, list[str]] = {line: [] for line in request.lines}
    comments: dict[int, list[str]] = {line: [] for line in request.lines}
    for piece in _pieces(tree, request, is_python=is_python):
        text = request.source[piece.start : piece.stop].decode("utf-8", "replace")
        first = bisect_right(starts, piece.start)
        for line, part in enumerate(text.split("\n"), first):
            if line not in code or not part.strip():
                continue
            if piece.is_comment:
                comments[line].append(part.strip())
            else:
                code[line].append(f"{piece.depth}:{part}" if is_python else part)
    return CodeLinesReply(
        tuple(CodeLine(tuple(code[line]), tuple(comments[line])) for line in request.lines)
    )


CODE_LINES = Task("dsreview.languages.code_lines:code_lines", CodeLinesRequest, CodeLinesReply)


@dataclass(frozen=True, slots=True)
class _Piece:
    start: int
    stop: int
    """In bytes."""
    depth: int
    is_comment: bool = False


def _line_starts(source: bytes) -> list[int]:
    starts = [0]
    for line in source.split(b"\n"):
        starts.append(starts[-1] + len(line) + 1)
    return starts


def _pieces(tree: "Tree", request: CodeLinesRequest, *, is_python: bool) -> Iterator[_Piece]:
    """Tokens, comments and what lies between them, in source order: all of the lines asked for.

    Between tokens is mostly white space, but also the text of strings: several grammars have
    no node for it.
    """
    at = 0
    lines = sorted(request.lines)
    for node, depth in _leaves(tree, lines, is_python=is_python):
        yield _Piece(at, node.start_byte, depth)
        at = node.end_byte
        if _is_on(node, lines):
            is_comment = _is_comment(node, is_python=is_python)
            yield _Piece(node.start_byte, node.end_byte, depth, is_comment)
    yield _Piece(at, len(request.source), 0)


def _leaves(tree: "Tree", lines: Sequence[int], *, is_python: bool) -> "Iterator[tuple[Node, int]]":
    """Tokens and whole comments, each with the number of blocks that it is in.

    A node on none of the lines is given whole: walking a large file takes a second.
    """
    pending = [(tree.root_node, 0)]
    while pending:
        node, depth = pending.pop()
        is_whole = _is_comment(node, is_python=is_python) or not _is_on(node, lines)
        if is_whole or not node.children:
            if node.start_byte < node.end_byte:
                yield node, depth
            continue
        inner = depth + (node.type == "block")
        pending.extend((child, inner) for child in reversed(node.children))


def _is_on(node: "Node", lines: Sequence[int]) -> bool:
    """Whether one of the sorted lines holds a part of the node."""
    at = bisect_left(lines, node.start_point.row + 1)
    return at < len(lines) and lines[at] <= node.end_point.row + 1


def _is_comment(node: "Node", *, is_python: bool) -> bool:
    if "comment" in node.type:
        return True
    return (
        is_python
        and node.type == "expression_statement"
        and [child.type for child in node.children] == ["string"]
    )
