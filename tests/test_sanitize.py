import json
import random
import re
import sys
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from dsreview.sanitize import (
    ascii_json,
    command_data,
    command_property,
    markdown_code,
    markdown_fence,
    markdown_prose,
    markdown_safe,
    terminal_line,
    terminal_safe,
    utf8,
)

PIECES = json.loads((Path(__file__).parent / "cases/hostile/pieces.json").read_text("ascii"))


def hostile_texts(num, seed=0):
    """Texts of up to 12 pieces; the same ones for the same seed."""
    choices = random.Random(seed)
    for _ in range(num):
        yield "".join(choices.choices(PIECES, k=choices.randrange(13)))


def is_invisible(character):
    return unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"}


@pytest.fixture(params=[20_000, pytest.param(100_000, marks=pytest.mark.slow)])
def texts(request):
    return hostile_texts(request.param)


def test_every_character_that_acts_or_hides_is_made_visible():
    kept = [
        character
        for character in map(chr, range(sys.maxunicode + 1))
        if is_invisible(character) and terminal_safe(character) == character
    ]
    assert kept == ["\t", "\n"]


def test_ordinary_text_stays_as_it_is():
    text = "def größe(名前): return '🙂 ✔\ufe0f [b] 100% :: #1'  # c:\\temp\n\tnext\n"
    assert terminal_safe(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\x1b[31m", "\\x1b[31m"),
        ("\u202eabc", "\\u{202e}abc"),
        ("caf\udce9", "caf\\xe9"),
        ("\ud800", "\\u{d800}"),
        ("##[error]x", "##\\x5berror]x"),
        ("##vso[task.x]", "##vso\\x5btask.x]"),
        ("x\ufe0f", "x\\u{fe0f}"),
    ],
)
def test_what_acts_is_written_as_an_escape(text, expected):
    assert terminal_safe(text) == expected


def test_nothing_that_acts_on_a_terminal_is_left(texts):
    for text in texts:
        safe = terminal_safe(text)
        assert not any(is_invisible(one) and one not in "\n\t" for one in safe)
        assert "##[" not in safe
        assert terminal_safe(safe) == safe
        assert "\n" not in terminal_line(text)


def test_a_workflow_command_ends_where_its_text_ends(texts):
    for text in texts:
        line = f"::error file={command_property(text)},line=1::{command_data(text)}"
        assert len(line.splitlines()) == 1
        level, _, rest = line.removeprefix("::").partition(" ")
        properties, separator, data = rest.partition("::")
        assert (level, separator) == ("error", "::")
        fields = dict(part.split("=", 1) for part in properties.split(","))
        assert list(fields) == ["file", "line"]
        # in this order, as the runner does
        read = fields["file"].replace("%2C", ",").replace("%3A", ":")
        assert read.replace("%0A", "\n").replace("%25", "%") == terminal_safe(text)
        assert data.replace("%0A", "\n").replace("%25", "%") == terminal_safe(text)


@given(st.recursive(
    st.none() | st.integers() | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
))  # fmt: skip
def test_json_reads_back_but_for_lone_surrogates(value):
    text = ascii_json(value)
    assert text.isascii()
    assert not any(is_invisible(one) and one != "\n" for one in text)
    assert "##[" not in text
    assert json.loads(text) == without_surrogates(value)


def without_surrogates(value):
    if isinstance(value, str):  # a high and a low one make a character together, as in JSON
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, list):
        return [without_surrogates(one) for one in value]
    if isinstance(value, dict):
        return {key: without_surrogates(one) for key, one in value.items()}
    return value


@pytest.fixture(scope="module")
def markdown():
    return MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


LIVE = re.compile(
    "(@|#|www\\.|mailto:|GH-|JIRA-)(?!\u200b)|://|0123456|[!](?=12)|:\\+1:", re.IGNORECASE
)


def test_prose_is_one_paragraph_of_text_and_reads_the_same(texts, markdown):
    for text in texts:
        tokens = markdown.parse(markdown_safe(text))
        shown = " ".join(terminal_safe(text).split())
        if not shown:
            assert tokens == []
            continue
        assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]
        assert {child.type for child in tokens[1].children} == {"text"}
        assert tokens[1].children[0].content.replace("\u200b", "") == shown


def test_prose_calls_nobody_and_links_nothing(texts, markdown):
    for text in texts:
        quiet = "".join(
            child.content
            for token in markdown.parse(markdown_safe(text))
            for child in token.children or ()
        )
        assert not LIVE.search(quiet)


def test_words_in_backticks_are_code_and_all_else_is_prose(texts, markdown):
    for text in texts:
        tokens = markdown.parse(markdown_prose(text))
        shown = " ".join(terminal_safe(text).split())
        children = tokens[1].children if tokens else []
        assert {child.type for child in children} <= {"text", "code_inline"}
        assert len(tokens) == (3 if shown else 0)
        read = "".join(
            f"`{one.content}`" if one.type == "code_inline" else one.content.replace("\u200b", "")
            for one in children
        )
        assert read == shown
        assert not any(LIVE.search(one.content) for one in children if one.type == "text")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("`a_b` is gone", "`a_b` is gone"),
        ("call(`a`, `b`)", "call(`a`, `b`)"),
        ("`a``b`", "&#96;a&#96;&#96;b&#96;"),
        ("$`x`$", "&#36;&#96;x&#96;&#36;"),
        ("`a|b`", "&#96;a&#124;b&#96;"),
        ("`a", "&#96;a"),
        ("` a `", "&#96; a &#96;"),
        ("`@a` @b", "`@a` &#64;\u200bb"),
    ],
)
def test_only_what_is_surely_a_code_span_is_one(text, expected):
    assert markdown_prose(text) == expected


def test_a_code_span_holds_its_text_or_is_prose(texts, markdown):
    for text in texts:
        code = markdown_code(text)
        types = {
            child.type
            for token in markdown.parse(f"| a |\n|---|\n| {code} |")
            for child in token.children or ()
        }
        assert types <= {"text", "code_inline"}


def test_a_fence_holds_any_lines(texts, markdown):
    for text in texts:
        lines = text.split("\n")
        tokens = markdown.parse(f"before\n\n{markdown_fence(lines, 'diff')}\n\nafter")
        blocks = [token for token in tokens if token.type == "fence"]
        shown = [re.sub("^<!--(?= dsreview:)", r"<\\x21--", terminal_safe(line)) for line in lines]
        assert [token.content for token in blocks] == ["".join(f"{line}\n" for line in shown)]
        assert [token.type for token in tokens].count("paragraph_open") == 2


def test_bytes_come_back_and_nonsense_does_not_raise():
    assert utf8("caf\udce9") == b"caf\xe9"
    assert utf8("\ud800") == b"?"
