"""What a model is shown: every changed line, within the budget, nothing left out silently."""

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dsreview.change import ChangedFile
from dsreview.context import DEFAULT_CONTEXT_MODE, ContextMode, build_contexts, make_visible
from dsreview.line_diff import diff_hunks
from dsreview.patch import FilePatch, FileStatus, Hunk, Line, LineKind, Span
from dsreview.sandbox import Limits, Sandbox
from dsreview.sanitize import terminal_safe

LARGE = 100_000


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox() as sandbox:
        yield sandbox


def num_characters(text):
    return len(text)


def changed_file(old, new, language="python"):
    hunks = diff_hunks(old, new)
    patch = FilePatch("a", "a", FileStatus.MODIFIED, 0o100644, 0o100644, hunks)
    return ChangedFile("a", language, patch, old, new)


def contexts_of(old, new, sandbox, mode=ContextMode.HUNK, budget=LARGE, language="python"):
    file = changed_file(old, new, language)
    return build_contexts(file, mode, budget, num_characters, sandbox)


def rows_of(context):
    """Number or None, mark and text of each row that is shown."""
    found = []
    for line in context.code.split("\n"):
        match = re.fullmatch(r"(\s*\d+|\s{5}) ([ +-]) (.*)", line)
        if match is not None:
            found.append((int(match[1]) if match[1].strip() else None, match[2], match[3]))
    return found


SOURCE = """\
import os
import sys

LIMIT = 3


def helper(x):
    return x


class Stack(Base):
    size = 0

    def push(self, item):
        self.items.append(item)
        a = 1
        b = 2
        c = 3
        d = 4
        e = 5
        f = 6
        g = 7
        h = 8
        return helper(a)

    def pop(self):
        return self.items.pop()
"""


def test_a_hunk_is_shown_with_three_lines_around_it_and_the_header_of_its_function(sandbox):
    (context,) = contexts_of(SOURCE, SOURCE.replace("g = 7", "g = 70"), sandbox)
    assert (
        context.code
        == """\
   14       def push(self, item):
      ... 4 lines
   19           d = 4
   20           e = 5
   21           f = 6
      -         g = 7
   22 +         g = 70
   23           h = 8
   24           return helper(a)
   25   """
    )
    assert [scope.name for scope in context.scopes] == ["Stack.push"]
    assert context.outline == ""
    assert context.num_tokens == len(context.code)
    assert context.is_elided
    assert context.shown == (Span(14, 15), Span(19, 26))
    assert context.left_out == ()


def test_a_scope_is_shown_whole(sandbox):
    new = SOURCE.replace("g = 7", "g = 70")
    (context,) = contexts_of(SOURCE, new, sandbox, ContextMode.SCOPE)
    assert [number for number, _, _ in rows_of(context)] == [*range(14, 22), None, 22, 23, 24, 25]
    assert not context.is_elided
    assert "..." not in context.code


def test_an_outline_adds_what_helps_and_nothing_that_is_shown(sandbox):
    new = SOURCE.replace("        return helper(a)", "        return os.sep + helper(b)")
    (context,) = contexts_of(SOURCE, new, sandbox, ContextMode.OUTLINE)
    assert (
        context.outline
        == """\
    1   import os
    7   def helper(x):
   11   class Stack(Base):
   12       size = 0"""
    )
    assert context.num_tokens == len(f"{context.outline}\n{context.code}")


def test_an_outline_never_breaks_the_budget(sandbox):
    new = SOURCE.replace("        return helper(a)", "        return os.sep + helper(b)")
    (whole,) = contexts_of(SOURCE, new, sandbox, ContextMode.OUTLINE)
    for budget in range(len(whole.code), whole.num_tokens + 1):
        (context,) = contexts_of(SOURCE, new, sandbox, ContextMode.OUTLINE, budget)
        assert context.num_tokens <= budget
        assert context.code == whole.code
    assert context.outline == whole.outline


def test_hunks_of_one_function_share_a_context_and_others_do_not(sandbox):
    new = SOURCE.replace("a = 1", "a = 10").replace("h = 8", "h = 80").replace(".pop()", ".pip()")
    contexts = contexts_of(SOURCE, new, sandbox)
    names = [[scope.name for scope in context.scopes] for context in contexts]
    assert sum(len(context.hunks) for context in contexts) == len(diff_hunks(SOURCE, new))
    assert names in ([["Stack.push"], ["Stack.pop"]], [["Stack.push", "Stack.pop"]])


def test_top_level_changes_have_no_scope(sandbox):
    (context,) = contexts_of(SOURCE, SOURCE.replace("LIMIT = 3", "LIMIT = 4"), sandbox)
    assert context.scopes == ()
    assert (4, "+", "LIMIT = 4") in rows_of(context)


def test_removed_lines_stand_in_their_place_without_a_number(sandbox):
    (context,) = contexts_of(SOURCE, SOURCE.replace("        b = 2\n        c = 3\n", ""), sandbox)
    rows = rows_of(context)
    at = rows.index((None, "-", "        b = 2"))
    assert rows[at - 1] == (16, " ", "        a = 1")
    assert rows[at + 1 : at + 3] == [(None, "-", "        c = 3"), (17, " ", "        d = 4")]
    assert [scope.name for scope in context.scopes] == ["Stack.push"]


def test_a_file_emptied_is_shown(sandbox):
    (context,) = contexts_of("a = 1\nb = 2\n", "", sandbox)
    assert rows_of(context) == [(None, "-", "a = 1"), (None, "-", "b = 2")]


def test_a_missing_last_line_end_is_shown(sandbox):
    (context,) = contexts_of("a = 1\n", "a = 1", sandbox)
    assert context.code.split("\n") == [
        "      - a = 1",
        "    1 + a = 1",
        "      \\ no newline at the end of the file",
    ]


def test_line_ends_of_windows_are_not_shown_unless_they_changed(sandbox):
    old = "a = 1\r\nb = 2\r\nc = 3\r\n"
    (context,) = contexts_of(old, old.replace("2", "20"), sandbox)
    assert (2, "+", "b = 20") in rows_of(context)
    (context,) = contexts_of("a = 1\nb = 2\nc = 3\n", "a = 1\nb = 2\r\nc = 3\n", sandbox)
    assert (2, "+", "b = 2\\u{d}") in rows_of(context)


@pytest.mark.parametrize(
    "character",
    [
        *("\u202e", "\u2066", "\u200b", "\u00ad", "\ufeff", "\x1b", "\x00", "\x7f", "\x9b"),
        *("\U000e0041", "\u3164", "\u2028", "\x0c", "\ufe0f", "\u00a0"),
    ],
    ids=ascii,
)
def test_invisible_characters_are_made_visible(character, sandbox):
    (context,) = contexts_of("a = 1\n", f"a = 1  # {character}\n", sandbox)
    assert character not in context.code
    assert f"\\u{{{ord(character):x}}}" in context.code


def test_bytes_that_are_not_utf8_are_made_visible(sandbox):
    text = b"a = '\xff'\n".decode("utf-8", "surrogateescape")
    (context,) = contexts_of("", text, sandbox)
    assert rows_of(context) == [(1, "+", "a = '\\xff'")]


@given(st.text())
def test_visible_text_can_be_encoded_and_printable_ascii_stays_as_it_is(text):
    visible = make_visible(text)
    visible.encode()
    assert make_visible(visible) == visible
    printable = re.sub(r"[^ -~]", "", text)
    assert make_visible(printable) == printable


def test_what_is_unsafe_anywhere_is_shown_to_no_model():
    points = map(chr, range(0x110000))
    unsafe = {mark for mark in points if mark not in "\n\t" and terminal_safe(mark) != mark}
    blanks = {mark for mark in map(chr, range(0x110000)) if mark.isspace() and mark not in " \t"}
    assert {mark for mark in unsafe | blanks if make_visible(mark) == mark} == set()


def test_a_long_line_is_cut_and_reported(sandbox):
    new = SOURCE.replace("g = 7", "g = '" + "x" * 5000 + "'")
    (context,) = contexts_of(SOURCE, new, sandbox)
    assert "x ... 3014 characters left out" in context.code
    assert context.left_out == (Span(22, 23),)
    assert context.is_elided


def test_a_long_removed_line_is_reported_as_the_gap_it_left(sandbox):
    (context,) = contexts_of("a = 1\n" + "x" * 5000 + "\nb = 2\n", "a = 1\nb = 2\n", sandbox)
    assert context.left_out == (Span(2, 2),)


def test_fewer_lines_are_shown_where_more_do_not_fit(sandbox):
    body = "".join(f"    line_{number} = {number}\n" for number in range(200))
    old = f"def f():\n{body}"
    new = old.replace("line_100 = 100", "line_100 = 101")
    sizes = []
    for budget in (10_000, 1_000, 400, 200, 120):
        (context,) = contexts_of(old, new, sandbox, ContextMode.SCOPE, budget)
        assert context.num_tokens <= budget
        assert (102, "+", "    line_100 = 101") in rows_of(context)
        assert context.left_out == ()
        sizes.append(len(rows_of(context)))
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] == 43  # header, 20 lines on each side, one removed and one added


def test_a_hunk_that_does_not_fit_is_spread_over_contexts(sandbox):
    new = "".join(f"def f{number}():\n    return {number}\n\n" for number in range(100))
    contexts = contexts_of("", new, sandbox, budget=500)
    assert len(contexts) > 5
    assert all(context.num_tokens <= 500 for context in contexts)
    added = [number for context in contexts for number, mark, _ in rows_of(context) if mark == "+"]
    assert set(added) == set(range(1, 301))
    assert all(context.left_out == () for context in contexts)


def test_a_line_that_never_fits_is_left_out_aloud(sandbox):
    (context,) = contexts_of("", "x = '" + "y" * 500 + "'\n", sandbox, budget=30)
    assert (context.code, context.left_out) == ("", (Span(1, 2),))
    (context,) = contexts_of("", "x = '" + "y" * 500 + "'\n", sandbox, budget=150)
    assert "characters left out" in context.code
    assert context.left_out == (Span(1, 2),)


def test_an_unknown_language_shows_the_hunk_alone(sandbox):
    new = SOURCE.replace("g = 7", "g = 70")
    for mode in ContextMode:
        (context,) = contexts_of(SOURCE, new, sandbox, mode, language="")
        assert (context.scopes, context.outline) == ((), "")
        assert [number for number, _, _ in rows_of(context)] == [19, 20, 21, None, 22, 23, 24, 25]


def test_a_bare_context_asks_no_parser():
    new = SOURCE.replace("g = 7", "g = 70")
    with Sandbox() as sandbox:
        (context,) = contexts_of(SOURCE, new, sandbox, ContextMode.BARE)
        (plain,) = contexts_of(SOURCE, new, sandbox, ContextMode.HUNK)
    assert (context.scopes, context.outline) == ((), "")
    assert [number for number, _, _ in rows_of(context)] == [19, 20, 21, None, 22, 23, 24, 25]
    assert plain.scopes


def test_a_parser_that_fails_shows_the_hunk_alone():
    old = "a<b," * 10_000 + "\n" + SOURCE
    new = old.replace("g = 7", "g = 70")
    with Sandbox(Limits(wall_s=0.5)) as sandbox:
        for mode in ContextMode:
            (context,) = contexts_of(old, new, sandbox, mode, language="typescript")
            assert context.scopes == ()
            assert (23, "+", "        g = 70") in rows_of(context)


def test_hunks_of_a_file_whose_text_is_not_known_are_shown(sandbox):
    lines = (
        Line(LineKind.CONTEXT, "a", 100, 100),
        Line(LineKind.ADDED, "b", None, 101),
        Line(LineKind.CONTEXT, "c", 101, 102),
    )
    hunk = Hunk(Span(100, 102), Span(100, 103), "", lines)
    patch = FilePatch("a", "a", FileStatus.MODIFIED, 0o100644, 0o100644, (hunk,))
    file = ChangedFile("a", "python", patch, None, "")
    (context,) = build_contexts(file, ContextMode.SCOPE, LARGE, num_characters, sandbox)
    assert rows_of(context) == [(100, " ", "a"), (101, "+", "b"), (102, " ", "c")]


def test_no_change_is_no_context(sandbox):
    assert contexts_of(SOURCE, SOURCE, sandbox) == ()


def test_hunk_by_hunk_is_the_default():
    assert DEFAULT_CONTEXT_MODE is ContextMode.HUNK


LINES = st.sampled_from(
    [
        *("def f(a):", "    return g(a)", "class A:", "    def m(self):", "        self.x = 1"),
        *("", "", "x = 1", "import os", "    if x:", "x = '" + "y" * 120 + "'", "@d", "    \u202e"),
    ]
)
TEXTS = st.lists(LINES, max_size=40).map(lambda lines: "".join(f"{line}\n" for line in lines))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(TEXTS, TEXTS, st.sampled_from(ContextMode), st.integers(40, 600))
def test_every_changed_line_is_shown_or_reported(sandbox, old, new, mode, budget):
    contexts = contexts_of(old, new, sandbox, mode, budget)
    shown = [row for context in contexts for row in rows_of(context)]
    left_out = [span for context in contexts for span in context.left_out]
    for hunk in diff_hunks(old, new):
        for line in hunk.lines:
            if line.kind is LineKind.CONTEXT:
                continue
            row = (line.new_number, line.kind.value, make_visible(line.text))
            is_reported = any(line.new_number in span for span in left_out if line.new_number)
            is_gap = line.new_number is None and any(not span.num_lines for span in left_out)
            assert row in shown or is_reported or is_gap
    for context in contexts:
        assert context.num_tokens <= budget
        numbers = [number for number, _, _ in rows_of(context) if number is not None]
        assert numbers == sorted(set(numbers))
