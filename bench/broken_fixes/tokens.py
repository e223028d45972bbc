"""Code as Pygments reads it: a second opinion beside the parsers that the gate uses."""

import ast
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import Comment, Name, Punctuation, String, Token, _TokenType

_LEXERS = {"c_sharp": "csharp", "tsx": "typescript"}
_OPENS = {"(": ")", "[": "]", "{": "}"}
_AROUND = 300
"""Lines; enough to know in what string or comment a difference stands."""
_CLOSES = set(_OPENS.values())


@dataclass(frozen=True, slots=True)
class Piece:
    """A token of code; a space or comment is none."""

    line: int
    """1-based."""
    column: int
    """0-based, in characters."""
    type: _TokenType
    text: str

    @property
    def is_string(self) -> bool:
        return self.type in String

    @property
    def is_name(self) -> bool:
        return self.type in Name and self.text.isidentifier()


@lru_cache
def _lexer(language: str) -> Lexer:
    return get_lexer_by_name(_LEXERS.get(language, language), stripnl=False, ensurenl=False)


def pieces(language: str, text: str) -> Iterator[Piece]:
    """In source order."""
    line, column = 1, 0
    if language == "php" and "<?" not in text:
        text = "<?php " + text
    for kind, value in _lexer(language).get_tokens(text):
        is_comment = kind in Comment and kind not in Comment.Preproc
        if value.strip() and not is_comment and kind not in String.Doc:
            yield Piece(line, column, kind, value)
        line += value.count("\n")
        column = len(value) - value.rindex("\n") - 1 if "\n" in value else column + len(value)


def is_same_code(language: str, one: str, other: str) -> bool:
    """Whether they differ in space and comments alone; in Python, space at the start counts."""
    if language == "python":
        trees = [_tree(text) for text in (one, other)]
        return "" not in trees and trees[0] == trees[1]
    first, second = _differing(one, other)
    return [piece.text.strip() for piece in pieces(language, first)] == [
        piece.text.strip() for piece in pieces(language, second)
    ]


def open_brackets(language: str, one: str, other: str) -> tuple[str, str]:
    """Brackets outside strings and comments that find no partner where the texts differ."""
    first, second = (_unmatched(language, text) for text in _differing(one, other))
    return first, second


def _unmatched(language: str, text: str) -> str:
    found: list[str] = []
    for piece in pieces(language, text):
        if piece.is_string or (piece.type not in Punctuation and len(piece.text) >= 3):
            continue
        for mark in piece.text:
            if mark in _CLOSES and found and _OPENS.get(found[-1]) == mark:
                found.pop()
            elif mark in _OPENS or mark in _CLOSES:
                found.append(mark)
    return "".join(found)


def _differing(one: str, other: str) -> tuple[str, str]:
    """The lines from the first to the last difference, with some around them."""
    lines, others = one.splitlines(keepends=True), other.splitlines(keepends=True)
    shortest = min(len(lines), len(others))
    head = next((at for at in range(shortest) if lines[at] != others[at]), shortest)
    left = shortest - head
    tail = next((at for at in range(left) if lines[-1 - at] != others[-1 - at]), left)
    head, tail = max(head - _AROUND, 0), max(tail - _AROUND, 0)
    return "".join(lines[head : len(lines) - tail]), "".join(others[head : len(others) - tail])


@lru_cache(maxsize=8)
def _tree(text: str) -> str:
    """Empty where it does not compile."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(text, "<fix>", "exec", dont_inherit=True)
            return ast.dump(_without_docstrings(ast.parse(text)))
    except (SyntaxError, ValueError):
        return ""


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            value = body[0].value
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                value.value = ""
    return tree


__all__ = ["Name", "Piece", "Punctuation", "Token", "is_same_code", "open_brackets", "pieces"]
