import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsreview.lenient_json import find_values

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-999, 999) | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)


def plain(value):
    """Without quotes inside strings, of which it may be unclear whether they close."""
    return not any(mark in json.dumps(value, ensure_ascii=False) for mark in "\\'“”„‘’")


@given(st.lists(VALUES, min_size=1).filter(plain), st.booleans())
def test_json_is_read_as_json(value, is_ascii):
    (found,) = find_values("so: " + json.dumps(value, ensure_ascii=is_ascii) + " .")
    assert (found.value, found.is_cut) == (value, False)


@pytest.mark.parametrize("cut", ["[[], -", "[[], 0.", "[[], 1e", "[[], 1e-", '[{"confidence": 0.'])
def test_a_number_is_cut_at_any_character(cut):
    assert [one.is_cut for one in find_values(cut)] == [True]


@given(st.lists(VALUES, min_size=1).filter(plain), st.integers(1, 200))
def test_what_is_cut_is_said_to_be(value, length):
    text = json.dumps(value)
    cut = text[: min(length, len(text) - 1)]
    assert [one.is_cut for one in find_values(cut)] == [True]


@pytest.mark.parametrize(
    "text",
    [
        '{"k": "' + "x" * 99_000 + '" x' + '{"k": "' * 9_000,
        "[" * 190_000,
        '{"a":' * 30_000,
        "{'" * 90_000,
        '["' + '\\u12" ,' * 25_000,
    ],
    ids=["late", "brackets", "keys", "quotes", "escapes"],
)
def test_hostile_text_takes_little_time(text):
    started = time.process_time()
    find_values(text)
    assert time.process_time() - started < 3


def test_escaped_surrogates_become_the_character_they_stand_for():
    (found,) = find_values('{"a": "\\ud83c\\udf89", }')
    assert found.value == {"a": "🎉"}
