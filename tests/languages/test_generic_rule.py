"""A declaration that no row names is a scope where it has a body and a name."""

from dataclasses import replace

import pytest

from dsreview import languages
from dsreview.languages.base import ScopeKind
from dsreview.languages.scopes import enclosing_scopes

MIN_SHARE = {
    **dict.fromkeys(("python", "tsx", "java", "cpp", "php", "bash"), 1.0),
    **dict.fromkeys(("javascript", "c_sharp", "swift"), 0.9),
    **dict.fromkeys(("rust", "c", "go"), 0.8),
    "typescript": 0.7,
    "ruby": 0.3,
    "kotlin": 0.2,
}
"""Lines of the cases whose innermost scope, closures aside, is found without the row."""


def without_scopes(language):
    nothing = frozenset()
    return replace(
        language,
        functions=nothing,
        closures=nothing,
        types=nothing,
        namespaces=nothing,
        needs_body=nothing,
        needs_child=nothing,
    )


def innermost(tree, language, lines):
    chains = enclosing_scopes(tree, language, lines)
    named = [
        [scope.span for scope in chain if scope.kind is not ScopeKind.CLOSURE] for chain in chains
    ]
    return [spans[-1] if spans else None for spans in named]


@pytest.mark.parametrize("language", languages.LANGUAGES, ids=lambda row: row.name)
def test_the_generic_rule_finds_what_the_table_finds(language, cases):
    num_same = num_lines = 0
    for _, source, _ in cases[language.name]:
        lines = tuple(range(1, source.count(b"\n") + 1))
        tree = languages.parse(language.name, source)
        expected = innermost(tree, language, lines)
        found = innermost(tree, without_scopes(language), lines)
        num_lines += len(lines)
        num_same += sum(one == other for one, other in zip(expected, found, strict=True))
    assert num_same / num_lines >= MIN_SHARE[language.name]


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("cpp", b"for (auto x : xs) { f(x); }\n"),
        ("c_sharp", b"foreach (var x in xs) { f(x); }\n"),
        ("java", b"class A { { for (var x : xs) { f(x); } } }\n"),
        ("python", b"for x in xs:\n    f(x)\n"),
    ],
)
def test_a_loop_is_no_scope(name, source):
    language = without_scopes(languages.by_name(name))
    tree = languages.parse(name, source)
    (chain,) = enclosing_scopes(tree, language, (1,))
    assert [scope.kind for scope in chain if scope.kind is ScopeKind.FUNCTION] == []
