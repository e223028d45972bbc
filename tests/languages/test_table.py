import doctest
import importlib

import ast_grep_py
import pytest
import tree_sitter

from dsreview import context_rows, languages, notebooks
from dsreview.languages.base import Language
from dsreview.languages.dynamic import PYTHON


def grammar_of(language):
    module, _, function = language.grammar.partition(":")
    return tree_sitter.Language(getattr(importlib.import_module(module), function)())


def node_types(grammar):
    kinds = range(grammar.node_kind_count)
    return {grammar.node_kind_for_id(kind) for kind in kinds}


NODE_TYPE_FIELDS = (
    *("functions", "closures", "types", "namespaces", "imports", "identifiers", "patterns"),
    *("member_identifiers", "members_behind_first", "wrappers", "prefixes", "needs_body"),
    "comments",
)
LINK_FIELDS = ("calls", "definitions", "members", "bindings")


@pytest.mark.parametrize("language", languages.LANGUAGES, ids=lambda row: row.name)
def test_every_node_type_of_a_row_is_one_of_the_grammar(language):
    known = node_types(grammar_of(language))
    named = {kind for field in NODE_TYPE_FIELDS for kind in getattr(language, field)}
    named |= {link.partition(".")[0] for field in LINK_FIELDS for link in getattr(language, field)}
    named |= {part for link in language.needs_child for part in link.split(".")}
    named |= {kind for kind, _ in language.fixed_names}
    assert named - known == set()


@pytest.mark.parametrize("language", languages.LANGUAGES, ids=lambda row: row.name)
def test_every_field_of_a_row_is_one_of_the_grammar(language):
    grammar = grammar_of(language)
    fields = {grammar.field_name_for_id(number) for number in range(1, grammar.field_count + 1)}
    known = fields | node_types(grammar) | {""}
    named = {link.partition(".")[2] for field in LINK_FIELDS for link in getattr(language, field)}
    assert named - known == set()


@pytest.mark.parametrize("language", languages.LANGUAGES, ids=lambda row: row.name)
def test_ast_grep_knows_the_language(language):
    assert ast_grep_py.SgRoot("x", language.ast_grep).root().text() == "x"


def test_names_and_extensions_are_unique():
    rows = languages.LANGUAGES
    assert len({row.name for row in rows}) == len(rows) == 15
    extensions = [extension for row in rows for extension in row.extensions]
    assert len(set(extensions)) == len(extensions)
    assert all(extension.startswith(".") for extension in extensions)
    assert all(extension == extension.lower() for extension in extensions)
    assert all(row.line_comment in ("#", "//") for row in rows)


@pytest.mark.parametrize(
    ("path", "first_line", "expected"),
    [
        ("a/b.py", "", "python"),
        ("a/B.PY", "", "python"),
        ("x.tsx", "", "tsx"),
        ("x.d.ts", "", "typescript"),
        ("Rakefile", "", "ruby"),
        ("a.C", "", "cpp"),
        ("a.c", "", "c"),
        ("a.h", "", "c"),
        ("tool", "#!/bin/sh", "bash"),
        ("tool", "#!/usr/bin/env python3.12", "python"),
        ("tool", "#!/usr/bin/env -S node --no-warnings", "javascript"),
        ("tool", "#! /usr/bin/ruby -w", "ruby"),
        ("tool", "#!/usr/bin/env A=1 bash", "bash"),
        ("tool.txt", "#!/bin/sh", "bash"),
        ("tool", "#!", None),
        ("tool", "#!/usr/bin/env", None),
        ("tool", "python", None),
        ("README.md", "", None),
        (".py", "", None),
        ("", "", None),
    ],
)
def test_a_file_is_known_by_name_extension_or_interpreter(path, first_line, expected):
    found = languages.detect(path, first_line)
    assert (found.name if found else None) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (b"", "c"),
        (b'struct a { int class; };\n#ifdef __cplusplus\nextern "C" {\n#endif\n', "c"),
        (b"// a template <of nothing\nint template;\n", "c"),
        (b"namespace app {\nint f();\n}\n", "cpp"),
        (b"#pragma once\nclass A {\n public:\n  A();\n};\n", "cpp"),
        (b"template <typename T> T f();\n", "cpp"),
        (b"#include <vector>\n", "cpp"),
        (b"#include <stdio.h>\n", "c"),
        (b"std::string name();\n", "cpp"),
    ],
)
def test_a_header_is_c_unless_it_holds_what_only_cpp_has(source, expected):
    assert languages.detect("a.h", "", source).name == expected


def test_an_unknown_name_is_a_key_error():
    with pytest.raises(KeyError):
        languages.by_name("cobol")


def test_a_row_is_found_by_its_name():
    assert all(languages.by_name(row.name) is row for row in languages.LANGUAGES)
    assert isinstance(PYTHON, Language)


@pytest.mark.parametrize("module", [languages, context_rows, notebooks])
def test_the_examples_in_docstrings_hold(module):
    failed, tried = doctest.testmod(module)
    assert (failed, tried > 0) == (0, True)
