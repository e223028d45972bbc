"""The probability that a model gave to there being a finding, whatever its tokens are."""

import json
import math
from dataclasses import astuple
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsreview.confidence import beliefs
from dsreview.prompt import Alternative, TokenChoice

FINDING = {"rule": "off-by-one", "quote": 'x[n] = "],{\\"', "line": 3}
HEAD = '{"findings": ['
ONE = json.dumps({"findings": [FINDING]})
NONE = json.dumps({"findings": []})


def choice(text, **told):
    """A token with its alternatives: `others` by text."""
    others = told["others"] | {text: told["p"]}
    ranked = sorted(others.items(), key=lambda entry: -entry[1])
    top = tuple(Alternative(other, math.log(p)) for other, p in ranked)
    return TokenChoice(text, math.log(told["p"]), top)


def sure(text):
    return choice(text, p=1.0, others={})


def held(*tokens):
    return [belief.probability for belief in beliefs(tokens)]


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        # the bracket decides
        ([sure(HEAD), choice("{", p=0.7, others={"]": 0.3}), sure('"a": 1}]}')], 0.7),
        # it decides in the token that opens the list
        ([sure('{"findings":'), choice(" [{", p=0.6, others={" []}": 0.4}), sure("}]}")], 0.6),
        ([sure('{"findings":'), choice(' [{"', p=0.6, others={" []": 0.3, "[]": 0.1})], 0.6),
        # the whole answer may be one token
        ([choice(HEAD + "{", p=0.25, others={NONE: 0.75}), sure("}]}")], 0.25),
        # white space carries it on
        (
            [
                sure(HEAD),
                choice("\n", p=0.5, others={"]": 0.25, "{": 0.25}),
                choice("{", p=0.5, others={"]": 0.5}),
            ],
            0.25 + 0.5 * 0.5,
        ),
        # other spellings of the same two ways are added up
        ([sure(HEAD), choice("{", p=0.4, others={'{"': 0.2, "]": 0.3, "]}": 0.1})], 0.6),
        # wording that decides nothing has no say
        ([choice('{"', p=0.5, others={"Sure": 0.5}), sure('findings": ['), sure("{")], 1.0),
        ([sure(HEAD), choice("{", p=0.3, others={"]": 0.1, "\t": 0.6})], 0.75),
    ],
)
def test_the_alternatives_of_the_deciding_token_say_it(tokens, expected):
    assert held(*tokens) == [pytest.approx(expected)]


@pytest.mark.parametrize(
    ("between", "expected"),
    [
        ([choice("}]", p=0.2, others={"},": 0.8})], []),
        ([sure("}"), choice("]", p=0.2, others={",": 0.8})], []),
        ([choice("},", p=0.2, others={"}]": 0.8}), sure("{")], [0.2]),
        ([sure("}"), choice(", ", p=0.2, others={"]}": 0.8}), sure("{")], [0.2]),
        ([choice("},{", p=0.2, others={"}]}": 0.8})], [0.2]),
        ([sure("}\n"), choice(",", p=0.6, others={"]": 0.2, "\n": 0.2}), sure("\n{")], [0.75]),
    ],
)
def test_each_finding_has_its_own(between, expected):
    tokens = [sure(HEAD), choice("{", p=0.9, others={"]": 0.1}), *between]
    assert held(*tokens) == [pytest.approx(0.9), *map(pytest.approx, expected)]


def test_a_token_that_opens_several_findings_decides_of_the_first():
    tokens = [choice('{"findings": [{}, {', p=0.5, others={NONE: 0.5}), sure("}]}")]
    assert held(*tokens) == [pytest.approx(0.5), 1.0]


def test_what_is_not_told_makes_bounds():
    tokens = [sure(HEAD), choice("{", p=0.6, others={"]": 0.2})]
    (belief,) = beliefs(tokens)
    assert astuple(belief) == pytest.approx((0.75, 0.6, 0.8))


def test_text_that_only_looks_like_the_list_decides_nothing():
    quoting = json.dumps({"findings": [{"message": 'not "findings": [] and </think> ] , {'}]})
    tokens = [sure(character) for character in quoting]
    assert held(*tokens) == [1.0]


def test_thinking_is_passed_over():
    thought = '<think>Perhaps {"findings": [{"rule": 1}, {}]}? No.</think>'
    tokens = [sure(thought[:30]), sure(thought[30:]), sure(HEAD)]
    assert held(*tokens, choice("{", p=0.7, others={"]": 0.3})) == [pytest.approx(0.7)]


@pytest.mark.parametrize("tokens", [[], [sure(NONE)], [sure("no JSON at all")], [sure('"]{')]])
def test_where_no_finding_is_opened_there_is_none(tokens):
    assert beliefs(tokens) == ()


@given(
    st.lists(st.integers(1, len(ONE)), max_size=30),
    st.floats(0.01, 0.99),
    st.integers(1, len(NONE)),
)
def test_any_tokenizer_is_read_alike(cuts, p, reach):
    """The answer in any pieces; the other answer parts from it within one of them."""
    places = sorted({0, *cuts, len(ONE)})
    pieces = [ONE[start:stop] for start, stop in pairwise(places)]
    tokens, start, parts = [], 0, len(HEAD)
    for piece in pieces:
        if start <= parts < start + len(piece):
            other = NONE[start : max(parts + 1, min(start + reach, len(NONE)))]
            tokens.append(choice(piece, p=p, others={other: 1 - p}))
        else:
            tokens.append(sure(piece))
        start += len(piece)
    assert held(*tokens) == [pytest.approx(p)]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["{", "]", " ", ",", '"', "\\", "findings", '":', "[", "}", "\ufffd"]),
            st.floats(0.001, 1),
            st.dictionaries(
                st.sampled_from(["{", "]", "]}", " ", "},", '"', "x", ""]),
                st.floats(0.001, 1),
                max_size=4,
            ),
        ),
        max_size=30,
    )
)
def test_whatever_is_told_the_result_is_a_probability_within_its_bounds(told):
    tokens = [sure(HEAD), *(choice(text, p=p, others=others) for text, p, others in told)]
    for belief in beliefs(tokens):
        assert 0 <= belief.low <= belief.probability <= belief.high <= 1
