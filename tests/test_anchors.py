"""0 wrong anchors: a precise place is the true one, whatever twins the file holds."""

import re
from difflib import unified_diff

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsreview.anchors import Anchor, NotAnchored, anchor
from dsreview.change import ChangedFile
from dsreview.context_rows import Rows, render_row
from dsreview.diff_parser import parse_patch
from dsreview.patch import Span, split_lines
from dsreview.review_prompt import shown


def changed(old, new):
    sides = [re.findall(r"[^\n]*\n|[^\n]+", text) for text in (old, new)]
    rows = list(unified_diff(*sides, "a/f.py", "b/f.py"))
    text = "".join(
        row if row.endswith("\n") else f"{row}\n\\ No newline at end of file\n" for row in rows
    )
    patch = parse_patch(text.encode("utf-8", "surrogateescape")).files[0].file
    return ChangedFile("f.py", "python", patch, old, new)


def place(file, quote, line):
    return anchor(quote, line, file, file.patch.hunks)


OLD = "def f(xs):\n    t = 0\n    for x in xs:\n        t += x\n    return t\n"
NEW = "def f(xs):\n    t = 0\n    for x in xs:\n        t = x\n        log(t)\n    return t\n"


@pytest.mark.parametrize(
    ("quote", "line", "span"),
    [
        ("        t = x", 4, Span(4, 5)),
        ("t=x", 4, Span(4, 5)),
        ("t = x", 1, Span(4, 5)),  # the line is wrong, the quote is not
        ("        t = x\n        log(t)", 4, Span(4, 6)),
        ("for x in xs:\n        t = x", 4, Span(4, 5)),  # only what changed of it
        ("log(t)", 9999, Span(5, 6)),
        ("    4 +         t = x", 4, Span(4, 5)),  # copied with number and mark
        ("t += x", 4, Span(4, 6)),  # removed: where its successors stand
    ],
)
def test_the_quote_decides(quote, line, span):
    found = place(changed(OLD, NEW), quote, line)
    assert isinstance(found, Anchor)
    assert found.is_precise
    assert found.span == span


def test_the_quote_of_an_anchor_is_what_stands_in_the_file():
    found = place(changed(OLD, NEW), "t=x", 4)
    assert found.quote == "        t = x"


@pytest.mark.parametrize("quote", ["t = y", "assert x", "log(t, 1)", "   \n "])
def test_code_that_does_not_exist_has_no_place(quote):
    assert isinstance(place(changed(OLD, NEW), quote, 4), NotAnchored)


def test_unchanged_code_far_from_the_change_has_no_place():
    old = "import os\n" + "\n" * 20 + OLD
    new = "import os\n" + "\n" * 20 + NEW
    found = place(changed(old, new), "import os", 1)
    assert found == NotAnchored("the quoted code is not part of the change")


def test_unchanged_code_inside_the_hunk_gets_the_hunk():
    found = place(changed(OLD, NEW), "return t", 6)
    assert found == Anchor(Span(4, 6), "        t = x\n        log(t)", is_precise=False)


def test_a_gap_is_the_place_of_removed_lines():
    new = OLD.replace("    t = 0\n", "")
    found = place(changed(OLD, new), "t = 0", 2)
    assert found == Anchor(Span(2, 2), "    t = 0", is_precise=True)


def test_twins_near_each_other_are_not_told_apart():
    new = OLD.replace("        t += x\n", "        g(x)\n        t += x\n        g(x)\n")
    found = place(changed(OLD, new), "g(x)", 4)
    assert not found.is_precise


def test_a_twin_that_is_far_away_does_not_matter():
    new = OLD.replace("    t = 0\n", "    t = 0\n    g()\n").replace(
        "    return t\n", "    1\n" * 12 + "    g()\n    return t\n"
    )
    found = place(changed(OLD, new), "g()", 3)
    assert found == Anchor(Span(3, 4), "    g()", is_precise=True)


STRANGE = (
    *map(chr, range(0x2000, 0x2010)),
    *"\ufe0f\u00a0\u3000\u202f\u205f\u1680\u0085\u2028\u2029\u202e\u00ad\ufeff\u0600\ufffd\uffff",
    *"\x00\x0b\x0c\r\x1b\x1c\x1d\x1e\x1f\x7f\udcff\U000e0041",
)
LINES = st.lists(
    st.sampled_from([*STRANGE, *"ab_1 \t+-#[]\\", "\u2714", "##", "x = ", '"']), min_size=1
).map("".join)


@settings(max_examples=1500, deadline=None)
@given(line=LINES, end=st.sampled_from(["\n", "\r\n"]))
def test_what_the_model_was_shown_of_a_line_finds_it(line, end):
    if not line.replace("\r", "").strip(" \t"):
        return
    file = changed("start()\n", f"start()\n{line}{end}")
    row = Rows(file)[1]
    found = place(file, shown(render_row(row))[len("    2 + ") :], 2)
    assert isinstance(found, Anchor)
    assert (found.span, found.is_precise) == (Span(2, 3), True)
    assert found.quote == split_lines(file.text)[1].removesuffix("\r")


@settings(max_examples=300, deadline=None)
@given(line=LINES)
def test_the_raw_line_finds_it_too(line):
    if not line.replace("\r", "").strip(" \t"):
        return
    file = changed("start()\n", f"start()\n{line}\n")
    assert place(file, line, 2) == Anchor(Span(2, 3), line.removesuffix("\r"), is_precise=True)


WORDS = st.sampled_from(["x = 1", "x  =  1", "return x", "}", "if x:", "g(x)", "", "max = 1", "x"])
ROWS = st.lists(
    st.tuples(st.sampled_from(["", "    ", "\t", "        "]), WORDS), min_size=1, max_size=14
)


def damaged(quote, how):
    """What models do to white space."""
    if how == "strip":
        return "\n".join(row.strip() for row in quote.split("\n"))
    if how == "tabs":
        return quote.replace("    ", "\t")
    if how == "dedent":
        return "\n".join(row.removeprefix("    ") for row in quote.split("\n"))
    return quote


@settings(max_examples=1500, deadline=None)
@given(
    old=ROWS,
    new=ROWS,
    end=st.sampled_from(["\n", "\r\n"]),
    pick=st.tuples(st.integers(0, 99), st.integers(1, 3)),
    error=st.integers(-3, 3),
    counts_removed=st.booleans(),
    how=st.sampled_from(["exact", "strip", "tabs", "dedent"]),
)
def test_a_precise_place_is_never_a_wrong_one(old, new, end, pick, error, counts_removed, how):
    old_text = "".join(indent + word + end for indent, word in old)
    new_text = "".join(indent + word + end for indent, word in new)
    if old_text == new_text:
        return
    file = changed(old_text, new_text)
    added = sorted(file.patch.added_lines)
    if not added:
        return
    first = added[pick[0] % len(added)]
    lines = split_lines(new_text)
    quoted = lines[first - 1 : first - 1 + pick[1]]
    quote = "\n".join(line.removesuffix("\r") for line in quoted)
    if not quoted[0].strip() or not quoted[-1].strip():
        return  # a quote that starts with blank lines has no first line to find
    truth = {line for line in range(first, first + len(quoted)) if line in added}
    removed_before = sum(
        line.old_number is not None and line.new_number is None
        for hunk in file.patch.hunks
        for line in hunk.lines
    )
    claimed = max(1, first + error + (removed_before if counts_removed else 0))
    found = place(file, damaged(quote, how), claimed)
    assert isinstance(found, Anchor)  # the code exists: it may be uncertain, not absent
    if found.is_precise:
        assert set(range(found.span.start, found.span.stop)) == set(
            range(min(truth), max(truth) + 1)
        )
