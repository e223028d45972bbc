"""What signs a comment is read back as it was written, and nothing else is."""

import json
import random
from pathlib import Path

import pytest

from dsreview.finding import Severity
from dsreview.outputs.github_pr.marker import (
    LastReview,
    digest,
    entry_marker,
    finding_marker,
    foot_marker,
    known_entries,
    known_finding,
    last_review,
    review_key,
    review_marker,
    state_marker,
)
from dsreview.report import Status

PIECES = json.loads((Path(__file__).parents[2] / "cases/hostile/pieces.json").read_text("ascii"))
HEAD = "b" * 40
NAME = "0123456789abcdef0123"
LAST = LastReview(HEAD, "a" * 40, "c0ffee", Status.PARTIAL, digest("x"), Severity.HIGH)


@pytest.mark.parametrize("end", ["", "\n", "\r\n \r\n"])
def test_a_signed_body_is_known_again(end):
    comment = f"**High**\r\n\r\ntext\r\n\r\n{finding_marker('key', HEAD, NAME, 'fix')}{end}"
    known = known_finding(comment)
    assert (known.fingerprint, known.fix, known.head_sha) == (NAME, "fix", HEAD)
    assert review_key(f"text\n\n{review_marker(NAME, HEAD)}{end}") == NAME
    assert last_review(f"{state_marker(LAST)}\n## text{end}") == LAST


@pytest.mark.parametrize(
    "body",
    [
        "",
        "text",
        f"{finding_marker('key', HEAD, NAME)}\n\nnot at the end",
        f"said `{finding_marker('key', HEAD, NAME)}`",
        f"> {finding_marker('key', HEAD, NAME)}",
        f"text\n{finding_marker('key', HEAD, NAME)[:-1]}",
        "text\n<!-- dsreview:finding run=1 -->",
        f"text\n<!-- dsreview:finding name={'x' * 200} -->",
        f"text\n<!-- dsreview:other name={NAME} -->",
    ],
)
def test_what_is_not_signed_is_about_no_finding(body):
    assert known_finding(body) is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<!--", "text\n<!--"),
        ("version=1", "version=2"),
        ("status=partial", "status=perfect"),
        ("worst=high", "worst=none"),
        (f" head={HEAD}", ""),
    ],
)
def test_a_summary_that_is_not_understood_is_none(old, new):
    body = f"{state_marker(LAST)}\n## text"
    assert last_review(body) == LAST
    assert last_review(body.replace(old, new)) is None


def test_entries_are_read_back_whole_and_only_from_a_summary():
    blocks = [
        f"{entry_marker(NAME, 'a.py', rank, 'rule')}\n\ntext {rank}\n\n```\ncode\n```"
        for rank in (3, 0)
    ]
    listed = "\n\n".join([*blocks, foot_marker(), "the rest"])
    entries = known_entries(f"{state_marker(LAST)}\nhead\n\n{listed}")
    assert [entry.text for entry in entries] == blocks
    assert [entry.rank for entry in entries] == [3, 0]
    assert {entry.path_digest for entry in entries} == {digest("a.py")}
    assert known_entries(listed) == ()


def test_a_marker_takes_no_text_of_others():
    for value in ("a b", "-->", "a\nb", "", "é", "--"):
        if value:
            with pytest.raises(ValueError, match="not a marker"):
                finding_marker("key", HEAD, value)


def test_random_text_is_never_understood_by_accident():
    choices = random.Random(5)
    for _ in range(5_000):
        body = "".join(choices.choices([*PIECES, "\n"], k=choices.randrange(9)))
        assert review_key(body) is None
        assert last_review(f"text {body}") is None
        assert known_finding(f"{body} text") is None


def test_digests_of_other_parts_are_others():
    assert len({digest("a", "b"), digest("ab"), digest("a\0b"), digest("b", "a"), digest()}) == 5
