"""Laws that hold for the scopes of any source."""

import random
from itertools import pairwise

import pytest

from dsreview import languages
from dsreview.languages.scopes import MAX_NAME_LENGTH, enclosing_scopes, scopes_at


def chains(name, source, *lines):
    tree = languages.parse(name, source)
    return enclosing_scopes(tree, languages.by_name(name), lines)


def all_lines(source):
    return tuple(range(1, source.count(b"\n") + 3))


@pytest.mark.parametrize("language", languages.LANGUAGES, ids=lambda row: row.name)
def test_scopes_nest_and_hold_their_line_and_header(language, cases):
    for _, source, _ in cases[language.name]:
        lines = all_lines(source)
        for line, chain in zip(lines, chains(language.name, source, *lines), strict=True):
            for scope in chain:
                assert line in scope.span
                assert scope.header.start == scope.span.start
                assert scope.header.stop <= scope.span.stop
                assert scope.header.num_lines >= 1
            for outer, inner in pairwise(chain):
                assert outer.span.start <= inner.span.start <= inner.span.stop <= outer.span.stop


@pytest.mark.parametrize("language", languages.LANGUAGES, ids=lambda row: row.name)
def test_one_question_for_many_lines_equals_one_for_each(language, cases):
    for _, source, _ in cases[language.name]:
        lines = all_lines(source)
        alone = tuple(chains(language.name, source, line)[0] for line in lines)
        assert chains(language.name, source, *lines) == alone


@pytest.mark.parametrize("language", languages.LANGUAGES, ids=lambda row: row.name)
def test_broken_sources_have_scopes_too(language, cases):
    randomness = random.Random(0)
    for _, source, _ in cases[language.name]:
        for _ in range(20):
            start = randomness.randrange(len(source))
            broken = source[:start] + source[start + randomness.randrange(1, 9) :]
            for chain in chains(language.name, broken, *all_lines(broken)):
                assert all(scope.name for scope in chain)


def test_a_line_beyond_the_file_has_no_scope():
    assert chains("python", b"def f():\n    pass\n", 99) == ((),)


def test_an_empty_source_has_no_scope():
    assert chains("c", b"", 1) == ((),)


def test_a_scope_ends_at_its_last_line_not_behind_it():
    (chain,) = chains("python", b"def f():\n    pass\n\n\nx = 1\n", 2)
    assert (chain[0].span.start, chain[0].span.stop) == (1, 3)


def test_a_name_is_cut_where_it_is_too_long():
    (chain,) = chains("python", b"def " + b"x" * 5000 + b"(): pass\n", 1)
    assert len(chain[0].name) == MAX_NAME_LENGTH


def test_deeply_nested_scopes_are_named_by_the_innermost_ones():
    source = b"".join(b"function f%d() {" % number for number in range(100)) + b"}" * 100
    (chain,) = chains("javascript", source, 1)
    assert len(chain) == 100
    assert chain[-1].name == ".".join(f"f{number}" for number in range(84, 100))


def test_deep_nesting_costs_its_inner_scopes_and_nothing_else():
    depth = 20_000
    source = b"def f():\n    return " + b"(" * depth + b"lambda: 1" + b")" * depth + b"\n"
    (chain,) = chains("python", source, 2)
    assert [scope.name for scope in chain] == ["f"]


def test_only_what_a_line_touches_is_walked():
    source = b"".join(b"def f%d():\n    x = [1, 2, 3]\n" % number for number in range(3000))
    tree = languages.parse("python", source)
    found = list(scopes_at(tree, languages.by_name("python"), (2,)))
    assert [scope.name for scope in found] == ["f0"]
