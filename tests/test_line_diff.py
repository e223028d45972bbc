"""Hunks made here hold to the laws of git's."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from dsreview.line_diff import diff_hunks
from dsreview.patch import LineKind

LINES = st.lists(st.sampled_from(["a", "b", "", "c\r", "x\x0c"]), max_size=30)
TEXTS = st.builds(
    lambda lines, ends: "\n".join(lines) + ("\n" if lines and ends else ""), LINES, st.booleans()
)


def side(hunk, removed):
    return [line for line in hunk.lines if line.kind is not removed]


def apply(old, hunks):
    """The new text, from the old one and the hunks alone."""
    lines = old.split("\n")
    lines = [f"{line}\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])
    for hunk in reversed(hunks):
        new = [
            line.text + ("\n" if line.has_newline else "") for line in side(hunk, LineKind.REMOVED)
        ]
        lines[hunk.old.start - 1 : hunk.old.stop - 1] = new
    return "".join(lines)


@given(TEXTS, TEXTS)
def test_applied_to_the_old_text_they_give_the_new_one(old, new):
    assert apply(old, diff_hunks(old, new)) == new


@given(TEXTS, TEXTS)
def test_spans_and_numbers_agree_with_the_lines(old, new):
    for hunk in diff_hunks(old, new):
        old_numbers = [line.old_number for line in side(hunk, LineKind.ADDED)]
        new_numbers = [line.new_number for line in side(hunk, LineKind.REMOVED)]
        assert old_numbers == list(range(hunk.old.start, hunk.old.stop))
        assert new_numbers == list(range(hunk.new.start, hunk.new.stop))
        assert any(line.kind is not LineKind.CONTEXT for line in hunk.lines)


@given(TEXTS, TEXTS)
def test_changes_keep_three_lines_around_them_and_no_more(old, new):
    hunks = diff_hunks(old, new)
    for hunk in hunks:
        kinds = "".join(line.kind.value for line in hunk.lines)
        assert "       " not in kinds
        num_leading = len(kinds) - len(kinds.lstrip(" "))
        assert num_leading == 3 or (num_leading < 3 and hunk.new.start == 1)
    for before, after in pairwise(hunks):
        assert before.old.stop <= after.old.start
        assert before.new.stop <= after.new.start


@given(TEXTS)
def test_equal_texts_have_no_hunk(text):
    assert diff_hunks(text, text) == ()


def test_a_large_text_is_compared_in_time():
    old = "".join(f"x = {number % 7}\n" for number in range(20_000))
    hunks = diff_hunks(old, old.replace("x = 3", "x = 4", 1))
    assert [line.text for line in hunks[0].lines if line.kind is LineKind.ADDED] == ["x = 4"]
