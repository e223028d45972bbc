"""Sets from a history: what becomes a bug, what becomes benign, and what neither.

Each case has a file of its own in one history, `src/NAME.py`, so that reading it once shows
them all.
"""

from collections import Counter

import pytest

from dsreview.benchmark.from_git import Recipe, make
from dsreview.benchmark.from_git_items import MAX_TEXT_BYTES, Reason
from dsreview.benchmark.from_git_paths import Role, role_of
from dsreview.benchmark.items import FixEdit, Kind
from dsreview.patch import split_lines
from dsreview.progress import SilentProgress

RIGHT = """def total(xs):
    \"\"\"Sum of xs.\"\"\"
    result = 0
    for x in xs:
        result += x  # one by one
    return result
"""
WRONG = RIGHT.replace("result = 0", "result = 1")
TEST = "def test_total():\n    assert total([]) == 0\n"
LONG = "".join(f"line_{number} = {number}\n" for number in range(40))
FIX, WORK = "Fix total of nothing", "Start at nothing"
LAST_DAY = 800


def fix(name, before=WRONG, after=RIGHT, message=FIX, others=None):
    """Wrong on day 0; on day 10 right, with a test."""
    tests = {f"tests/test_{name}.py": TEST} if others is None else others
    path = f"src/{name}.py"
    return [(0, {path: before}, "New"), (10, {path: after} | tests, message)]


def work(name, before=WRONG, after=RIGHT, message=WORK, day=10):
    path = f"src/{name}.py"
    return [(0, {path: before}, "New"), (day, {path: after}, message)]


def later(name, content, day=200):
    """What became of it, in a commit that is no candidate itself: it changes two files."""
    return [(day, {f"src/{name}.py": content, f"src/more_{name}.py": "a = 1\n"}, "Go on")]


BUGS = {
    "plain": fix("plain"),
    "with_prose": fix("with_prose", others={"tests/test_p.py": "a = 1\n", "CHANGES.md": "x\n"}),
    "with_comment": fix("with_comment", after=RIGHT.replace("one by one", "all of them")),
    "missing": fix("missing", RIGHT, RIGHT.replace("    for", "    xs = xs or []\n    for")),
    "extra": fix("extra", RIGHT.replace("    for", "    result = 1\n    for"), RIGHT),
    "mixed": fix(
        "mixed",
        RIGHT.replace("    result = 0\n", "").replace("    return", "    result = 0\n    return"),
        RIGHT,
    ),
    "indented": fix("indented", RIGHT.replace("    return result", "        return result"), RIGHT),
    "crlf": fix("crlf", WRONG.replace("\n", "\r\n"), RIGHT.replace("\n", "\r\n")),
    "without_end": fix("without_end", WRONG[:-1], RIGHT[:-1]),
    "gone_later": fix("gone_later") + later("gone_later", None),
}
BENIGN = {
    "lasting": work("lasting"),
    "lasting_until_later": work("lasting_until_later") + later("lasting_until_later", WRONG, 500),
    "other_lines_changed": work("other_lines_changed")
    + later("other_lines_changed", f"import os\n\n\n{RIGHT}"),
    "renamed": [
        *work("renamed"),
        (100, {"src/new/name.py": ("src/renamed.py",)}, "Move"),
    ],
    "removed_lines": work("removed_lines", RIGHT.replace("    for", "    print(1)\n    for")),
    "checked": [
        (0, {"src/checked.py": WRONG}, "New"),
        (10, {"src/checked.py": RIGHT, "tests/test_own.py": TEST}, WORK),
    ],
}
NEITHER = {
    "fix_unchecked": (fix("fix_unchecked", others={}), None),
    "fix_with_check_gone": (
        [
            (0, {"src/fix_with_check_gone.py": WRONG, "tests/test_gone.py": TEST}, "New"),
            (10, {"src/fix_with_check_gone.py": RIGHT, "tests/test_gone.py": None}, FIX),
        ],
        None,
    ),
    "fix_of_two": (
        fix("fix_of_two", others={"src/second.py": RIGHT, "tests/test_two.py": TEST}),
        None,
    ),
    "fix_of_prose": (fix("fix_of_prose", message="Fix typo in total"), None),
    "fix_of_checks": (fix("fix_of_checks", message="Fix the flaky tests of total"), None),
    "work_that_fixed": (work("work_that_fixed", message="Work\n\nThis fixes the total."), None),
    "fix_too_large": (fix("fix_too_large", LONG, LONG.upper()), Reason.TOO_MUCH),
    "fix_in_six_places": (
        fix(
            "fix_in_six_places",
            LONG,
            "".join(
                line.upper() if at % 7 == 0 else line
                for at, line in enumerate(LONG.splitlines(keepends=True))
            ),
        ),
        Reason.TOO_MUCH,
    ),
    "fix_of_comment": (
        fix("fix_of_comment", RIGHT.replace("one by one", "each"), RIGHT),
        Reason.COSMETIC,
    ),
    "fix_of_docstring": (
        fix("fix_of_docstring", RIGHT.replace("Sum of", "All of"), RIGHT),
        Reason.COSMETIC,
    ),
    "fix_of_spaces": (
        fix("fix_of_spaces", RIGHT.replace("result = 0", "result  =  0"), RIGHT),
        Reason.COSMETIC,
    ),
    "fix_of_nul": (fix("fix_of_nul", WRONG + "# \0\n", RIGHT + "# \0\n"), Reason.NOT_TEXT),
    "fix_of_latin": (
        fix(
            "fix_of_latin", (WRONG + "# é\n").encode("latin-1"), (RIGHT + "# é\n").encode("latin-1")
        ),
        Reason.NOT_TEXT,
    ),
    "fix_of_end": (fix("fix_of_end", RIGHT[:-7], RIGHT[:-1]), Reason.UNENDED),
    "fix_of_last_end": (fix("fix_of_last_end", RIGHT[:-1], RIGHT), Reason.UNENDED),
    "fix_of_large_file": (
        fix("fix_of_large_file", WRONG + "#" * MAX_TEXT_BYTES + "\n", RIGHT),
        Reason.TOO_LARGE,
    ),
    "changed_again": (
        work("changed_again") + later("changed_again", RIGHT.replace("= 0", "= None")),
        Reason.CHANGED_AGAIN,
    ),
    "taken_back": (work("taken_back") + later("taken_back", WRONG), Reason.CHANGED_AGAIN),
    "came_back": (
        work("came_back", RIGHT.replace("    for", "    print(1)\n    for"))
        + later("came_back", RIGHT.replace("    for", "    print(1)\n    for")),
        Reason.CHANGED_AGAIN,
    ),
    "deleted": (work("deleted") + later("deleted", None), Reason.CHANGED_AGAIN),
    "too_young": (work("too_young", day=LAST_DAY - 300), Reason.YOUNG),
}
CASES = BUGS | BENIGN | {name: steps for name, (steps, _) in NEITHER.items()}


def unlike(name, content):
    """The same text with a name of its own in it: of two equal changes one is an item."""
    if isinstance(content, str):
        return content.replace("result", f"{name}_result")
    return (
        content.replace(b"result", f"{name}_r".encode()) if isinstance(content, bytes) else content
    )


@pytest.fixture(scope="module")
def made(sandbox, tmp_path_factory, shared_history):
    steps = [
        (day, {path: unlike(name, content) for path, content in files.items()}, message)
        for name, case in CASES.items()
        for day, files, message in case
    ]
    steps.append((LAST_DAY, {"README.md": "The end.\n"}, "Stop"))
    for day, files, message in sorted(steps, key=lambda step: step[0]):
        shared_history.commit(files, message, day)
    folder = tmp_path_factory.mktemp("cases")
    shared_history.write(folder)
    return make(Recipe(folder, "here"), sandbox, SilentProgress())


def named(made, name):
    return [item for item in made.items if item.path == f"src/{name}.py"]


@pytest.mark.parametrize("name", BUGS)
def test_a_small_fix_with_a_test_is_a_bug_turned_round(made, name):
    [item] = named(made, name)
    lines = split_lines(item.after_text)
    for edit in reversed(item.edits):
        lines[edit.start - 1 : edit.end] = split_lines(edit.fix)
    assert item.is_bug
    assert "\n".join(lines) == item.before_text.removesuffix("\n")
    assert [name for name in item.bug_lines if name > len(split_lines(item.after_text))] == []


@pytest.mark.parametrize("name", BENIGN)
def test_work_that_lasted_a_year_is_benign(made, name):
    [item] = named(made, name)
    assert (item.kind, item.bug_lines, item.edits) == (Kind.BENIGN, (), ())
    assert item.before_text != item.after_text


@pytest.mark.parametrize("name", NEITHER)
def test_anything_else_is_no_item(made, name):
    assert named(made, name) == []


def test_what_was_looked_at_and_left_out_is_counted_by_its_reason(made):
    expected = Counter(reason for _, reason in NEITHER.values() if reason)
    assert made.bugs_left_out + made.benign_left_out == expected


def test_an_item_says_where_it_is_from(made):
    [item] = named(made, "plain")
    assert item.id == f"here@{item.fix_commit[:12]}"
    assert (item.project, item.source, item.language) == ("here", "git", "python")
    assert (item.description, item.date) == (FIX, "2017-07-24")
    assert (item.bug_lines, item.kind, item.neutral) == ((3,), Kind.REPLACE, True)
    assert item.edits == (FixEdit(3, 3, "    plain_result = 0\n", "replace"),)
    assert (item.before_text, item.after_text) == (unlike("plain", RIGHT), unlike("plain", WRONG))
    assert "\n-    plain_result = 0\n+    plain_result = 1\n" in item.diff


@pytest.mark.parametrize(
    ("name", "kind", "neutral"),
    [
        ("with_comment", Kind.REPLACE, False),
        ("missing", Kind.MISSING, False),
        ("extra", Kind.EXTRA, False),
        ("mixed", Kind.MIXED, True),
        ("indented", Kind.REPLACE, True),
    ],
)
def test_kind_and_shape_are_those_of_the_edits_that_count(made, name, kind, neutral):
    [item] = named(made, name)
    assert (item.kind, item.neutral) == (kind, neutral)


def test_a_comment_that_a_fix_changed_is_no_bug_line(made):
    [item] = named(made, "with_comment")
    assert item.bug_lines == (3,)
    assert [edit.cosmetic for edit in item.edits] == [False, True]


def test_of_missing_code_the_lines_around_it_are_the_bug(made):
    [item] = named(made, "missing")
    assert item.bug_lines == (3, 4)


def test_the_cases_are_source_files():
    """Or those that make no item would make none for their name alone."""
    assert [name for name in CASES if role_of(f"src/{name}.py") is not Role.SOURCE] == []
