import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsreview.edits import EditError, apply_edit
from dsreview.finding import Edit
from dsreview.patch import Span, split_lines

LINES = st.lists(st.text(alphabet="ab \t}é\x0c", max_size=6), max_size=8)
ENDS = st.sampled_from(["\n", "\r\n"])


@st.composite
def edited_texts(draw):
    lines, end = draw(LINES), draw(ENDS)
    text = "".join(line + end for line in lines)
    if lines and lines[-1] and draw(st.booleans()):
        text = text.removesuffix(end)
    num_lines = len(split_lines(text))
    start = draw(st.integers(1, num_lines + 1))
    stop = draw(st.integers(start, num_lines + 1))
    return text, end, Edit(Span(start, stop), tuple(draw(LINES)))


@pytest.mark.parametrize(
    ("text", "edit", "expected"),
    [
        ("a\nb\nc\n", Edit(Span(2, 3), ("x", "y")), "a\nx\ny\nc\n"),
        ("a\r\nb\r\n", Edit(Span(2, 3), ("x",)), "a\r\nx\r\n"),
        ("a\nb", Edit(Span(2, 3), ("x",)), "a\nx"),
        ("a\nb", Edit(Span(3, 3), ("x",)), "a\nb\nx"),
        ("a\r\nb", Edit(Span(3, 3), ("x",)), "a\r\nb\r\nx"),
        ("a\r\nb", Edit(Span(2, 3), ("x", "y")), "a\r\nx\r\ny"),
        ("a\r\nb", Edit(Span(2, 3), ()), "a"),
        ("", Edit(Span(1, 1), ("x",)), "x\n"),
        ("a\n", Edit(Span(1, 2), ()), ""),
        ("a\nb\n", Edit(Span(3, 3), ("x",)), "a\nb\nx\n"),
        ("a\nb\n", Edit(Span(1, 1), ("x",)), "x\na\nb\n"),
    ],
)
def test_an_edit_keeps_the_line_ends_of_its_file(text, edit, expected):
    assert apply_edit(text, edit) == expected


@given(edited_texts())
def test_lines_outside_the_edit_stay_and_those_inside_are_written(example):
    text, _, edit = example
    before = [line.removesuffix("\r") for line in split_lines(text)]
    after = [line.removesuffix("\r") for line in split_lines(apply_edit(text, edit))]
    written = [*before[: edit.span.start - 1], *edit.lines, *before[edit.span.stop - 1 :]]
    while written and not written[-1] and len(written) > len(after):
        written.pop()  # a last line that is empty and not ended is no line
    assert after == written


@given(edited_texts())
def test_a_file_of_one_kind_of_line_end_keeps_it(example):
    text, end, edit = example
    edited = apply_edit(text, edit)
    if end in text:
        assert edited.count("\n") == edited.count(end) or end == "\n"
    assert not text or not edited or edited.endswith("\n") or not text.endswith("\n")


@pytest.mark.parametrize("edit", [Edit(Span(4, 5), ("x",)), Edit(Span(1, 2), ("x\ny",))])
def test_an_edit_that_does_not_fit_is_an_error(edit):
    with pytest.raises(EditError):
        apply_edit("a\nb\n", edit)
