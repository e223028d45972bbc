import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsreview.applying.anchoring import EditedText
from dsreview.edits import apply_edit
from dsreview.finding import Edit
from dsreview.patch import Span

TEXT = "".join(f"line {number}\n" for number in range(1, 9))


def edit(start, stop, *lines):
    return Edit(Span(start, stop), lines)


@pytest.mark.parametrize(
    ("done", "span", "moved"),
    [
        (edit(2, 3, "a", "b", "c"), Span(5, 6), Span(7, 8)),
        (edit(2, 4), Span(5, 6), Span(3, 4)),
        (edit(5, 6, "a"), Span(2, 3), Span(2, 3)),
        (edit(3, 3, "a"), Span(3, 4), Span(4, 5)),
        (edit(3, 5, "a"), Span(3, 3), Span(3, 3)),
        (edit(3, 5, "a"), Span(5, 5), Span(4, 4)),
        (edit(3, 5, "a"), Span(4, 6), None),
        (edit(3, 5, "a"), Span(4, 4), None),
        (edit(4, 4, "a"), Span(3, 5), None),
        (edit(4, 4, "a"), Span(4, 4), None),
    ],
)
def test_lines_move_with_what_was_applied_above_or_conflict(done, span, moved):
    assert EditedText(TEXT).with_edit(done).moved(span) == moved


def test_a_conflicting_edit_is_refused():
    with pytest.raises(ValueError, match="lines 3-3 were edited before"):
        EditedText(TEXT).with_edit(edit(3, 4, "a")).with_edit(edit(3, 4, "b"))


@st.composite
def disjoint_edits(draw):
    """Edits of lines with a line between them, so that any order must give the same."""
    starts = draw(st.lists(st.integers(1, 3), min_size=1, max_size=3, unique=True))
    lines = st.lists(st.sampled_from(["x", "  y", ""]), max_size=3)
    found = []
    for start in starts:
        size = draw(st.integers(0, 1))
        found.append(edit(start * 2, start * 2 + size, *draw(lines)))
    return found


@given(disjoint_edits(), st.randoms())
def test_the_order_of_separate_edits_does_not_matter(edits, randomness):
    """The oracle applies them from the last line up, where no line moves."""
    expected = TEXT
    for one in sorted(edits, key=lambda one: one.span, reverse=True):
        expected = apply_edit(expected, one)
    randomness.shuffle(edits)
    text = EditedText(TEXT)
    for one in edits:
        text = text.with_edit(one)
    assert text.text == expected


@pytest.mark.parametrize("line", ["import re", "\ufeffimport re"])
def test_a_byte_order_mark_stays_where_it_is(line):
    text = EditedText("\ufeffimport os\r\nx\r\n").with_edit(edit(1, 2, line, "y"))
    assert text.text == "\ufeffimport re\r\ny\r\nx\r\n"
