import pytest

from dsreview.diff_parser import parse_hunks
from dsreview.patch import (
    FileKind,
    FilePatch,
    FileStatus,
    Span,
    kind_of_mode,
    split_lines,
)


def hunk_of(*lines):
    old = sum(line[0] in " -" for line in lines)
    new = sum(line[0] in " +" for line in lines)
    header = f"@@ -{1 if old else 0},{old} +{1 if new else 0},{new} @@"
    (hunk,) = parse_hunks("\n".join([header, *lines]))
    return hunk


@pytest.mark.parametrize(("start", "stop"), [(0, 1), (2, 1), (-1, 3)])
def test_a_span_is_never_nonsense(start, stop):
    with pytest.raises(ValueError, match="not a span"):
        Span(start, stop)


@pytest.mark.parametrize(
    ("span", "last", "num_lines", "inside"),
    [(Span(1, 2), 1, 1, [1]), (Span(3, 6), 5, 3, [3, 4, 5]), (Span(4, 4), 4, 0, [])],
)
def test_a_span_is_half_open(span, last, num_lines, inside):
    assert span.last == last
    assert span.num_lines == num_lines
    assert [line for line in range(10) if line in span] == inside


def test_spans_that_only_touch_do_not_overlap():
    assert Span(1, 3).overlaps(Span(2, 5))
    assert not Span(1, 3).overlaps(Span(3, 5))


@pytest.mark.parametrize(
    ("lines", "added", "gaps"),
    [
        ([" a", "+b", " c"], (2,), ()),
        ([" a", "-b", " c"], (), (2,)),
        ([" a", "-b", "+c", " d"], (2,), ()),
        ([" a", "+b", "-c", " d"], (2,), ()),
        (["-a", " b"], (), (1,)),
        ([" a", "-b"], (), (2,)),
        ([" a", "-b", " c", "-d", " e"], (), (2, 3)),
        ([" a", "-b", " c", "+d", " e", "-f"], (3,), (2, 5)),
        (["-a"], (), (1,)),
        (["+a"], (1,), ()),
        (["-a", "-b", "+c", " d", "-e", " f"], (1,), (3,)),
    ],
)
def test_added_lines_and_gaps_of_a_hunk(lines, added, gaps):
    hunk = hunk_of(*lines)
    assert hunk.added == added
    assert hunk.gaps == gaps


def test_a_gap_counts_from_the_hunk_in_the_middle_of_a_file():
    (hunk,) = parse_hunks("@@ -10,3 +20,1 @@ def f\n-a\n-b\n c")
    assert hunk.old == Span(10, 13)
    assert hunk.new == Span(20, 21)
    assert hunk.gaps == (20,)
    assert hunk.heading == "def f"


def test_a_hunk_without_lines_on_one_side_is_a_gap_there():
    (removal,) = parse_hunks("@@ -5,2 +4,0 @@\n-a\n-b")
    assert (removal.new, removal.gaps) == (Span(5, 5), (5,))
    (insertion,) = parse_hunks("@@ -4,0 +5,2 @@\n+a\n+b")
    assert (insertion.old, insertion.added) == (Span(5, 5), (5, 6))


def test_a_file_patch_sums_its_hunks():
    hunks = parse_hunks("@@ -1,2 +1,2 @@\n-a\n+b\n c\n@@ -9,2 +9 @@\n d\n-e")
    file = FilePatch("x.py", "x.py", FileStatus.MODIFIED, 0o100644, 0o100644, hunks)
    assert file.added_lines == {1}
    assert file.gaps == {10}
    assert file.num_changed_lines == 3


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        (0o100644, FileKind.REGULAR),
        (0o100755, FileKind.REGULAR),
        (0o120000, FileKind.SYMLINK),
        (0o160000, FileKind.SUBMODULE),
        (0, FileKind.ABSENT),
    ],
)
def test_modes_name_kinds(mode, kind):
    assert kind_of_mode(mode) is kind


def test_a_deleted_file_keeps_the_kind_it_had():
    file = FilePatch("l", "l", FileStatus.DELETED, 0o120000, 0)
    assert file.kind is FileKind.SYMLINK


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", []),
        ("\n", [""]),
        ("a", ["a"]),
        ("a\n", ["a"]),
        ("a\r\nb\rc\n", ["a\r", "b\rc"]),
        ("a\x0cb\u2028c\x85d\x1ce\n", ["a\x0cb\u2028c\x85d\x1ce"]),
        ("a\n\n", ["a", ""]),
    ],
)
def test_lines_end_at_newlines_alone(text, lines):
    assert split_lines(text) == lines
