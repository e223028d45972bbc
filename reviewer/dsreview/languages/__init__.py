"""The languages that are parsed: one row each, found by name or by file."""

import importlib
import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from dsreview.languages.base import Language, ScopeKind
from dsreview.languages.dynamic import BASH, PHP, PYTHON, RUBY
from dsreview.languages.ecmascript import JAVASCRIPT, TSX, TYPESCRIPT
from dsreview.languages.managed import C_SHARP, JAVA, KOTLIN
from dsreview.languages.native import CPP, GO, RUST, SWIFT, C

if TYPE_CHECKING:
    from tree_sitter import Language as TreeSitterLanguage
    from tree_sitter import Tree

__all__ = [
    "LANGUAGES",
    "Language",
    "ScopeKind",
    "by_name",
    "detect",
    "grammar",
    "is_cpp_header",
    "parse",
]

LANGUAGES: tuple[Language, ...] = (
    *(PYTHON, JAVASCRIPT, TYPESCRIPT, TSX, JAVA, GO, RUST, C, CPP, C_SHARP),
    *(RUBY, PHP, KOTLIN, SWIFT, BASH),
)

_BY_NAME = {language.name: language for language in LANGUAGES}
_BY_EXTENSION = {extension: row for row in LANGUAGES for extension in row.extensions}
_BY_FILENAME = {filename: row for row in LANGUAGES for filename in row.filenames}
_BY_INTERPRETER = {program: row for row in LANGUAGES for program in row.interpreters}

_CPP_ONLY = re.compile(
    rb"^[ \t]*(?:class\s+\w+|namespace\s+\w*\s*\{|template\s*<|using\s+\w|public:|private:"
    rb"|protected:|virtual\s|constexpr\s|extern\s+\"C\+\+\""
    rb"|#\s*include\s*<(?:string|vector|map|memory|iostream|utility|functional|algorithm"
    rb"|cstd\w+|type_traits|optional|unordered_map|set|array)>)|\bstd::|\boperator[=+\-*/<>!\[(]",
    re.MULTILINE,
)


def by_name(name: str) -> Language:
    """Raises KeyError where no row has that name."""
    return _BY_NAME[name]


def detect(path: str, first_line: str = "", source: bytes = b"") -> Language | None:
    """By file name, extension or `#!` line; None where none of them is known.

    `source` only tells a C++ header from a C header; without it a `.h` file is C.
    """
    name = PurePosixPath(path).name
    if name in _BY_FILENAME:
        return _BY_FILENAME[name]
    suffix = PurePosixPath(name).suffix
    if suffix == ".C":  # upper case is C++ by old custom
        return CPP
    language = _BY_EXTENSION.get(suffix.lower())
    if language is C and suffix.lower() == ".h" and is_cpp_header(source):
        return CPP
    return language or _of_shebang(first_line)


def is_cpp_header(source: bytes) -> bool:
    """Whether a `.h` file holds what only C++ has, outside the usual `__cplusplus` guard.

    Looks at the first 64 KiB: headers show their language early.
    """
    return _CPP_ONLY.search(source[: 1 << 16]) is not None


def _of_shebang(first_line: str) -> Language | None:
    """
    >>> _of_shebang("#!/usr/bin/env -S python3.12 -u").name
    'python'
    """
    if not first_line.startswith("#!"):
        return None
    for word in first_line[2:].split():
        program = PurePosixPath(word).name.rstrip("0123456789.")
        if program != "env" and not word.startswith("-") and "=" not in word:
            return _BY_INTERPRETER.get(program)
    return None


def parse(name: str, source: bytes) -> "Tree":
    """The tree of `source`, with ERROR and MISSING nodes where it could not be read.

    Only for tasks of the sandbox and for tests: hostile input takes seconds, gigabytes
    or the whole process. Raises KeyError where no row has that name.
    """
    import tree_sitter

    return tree_sitter.Parser(grammar(name)).parse(source)


def grammar(name: str) -> "TreeSitterLanguage":
    """Raises KeyError where no row has that name."""
    import tree_sitter

    module, _, function = by_name(name).grammar.partition(":")
    return tree_sitter.Language(getattr(importlib.import_module(module), function)())
