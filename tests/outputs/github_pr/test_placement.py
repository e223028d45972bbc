"""Synthetic pull requests made with git: where a finding lands, against what git itself says.

The files repeat a few lines over and over, so that almost every text stands in several
places; a comment is right only on the very lines that the finding is about.
"""

import random
import re
from collections import Counter
from dataclasses import dataclass, field

import pytest

from dsreview.diff_parser import parse_hunks
from dsreview.edits import apply_edit
from dsreview.finding import Edit, Finding, Origin, Proof, Severity, Suggestion
from dsreview.outputs.github_pr.placement import (
    NO_DIFF,
    NOT_CERTAIN,
    NOT_IN_PULL,
    NOT_SHOWN,
    OTHER_CODE,
    InSummary,
    OnFile,
    OnLines,
    place,
    shown_file,
)
from dsreview.outputs.github_pr.suggestions import replacement
from dsreview.outputs.github_pr.values import PullFile, Side
from dsreview.patch import FilePatch, FileStatus, Span, split_lines

LINES = [
    "x = 1",
    "x = 1",
    "    x = 1",
    "\tx = 1",
    "return None",
    "}",
    "",
    "    ",
    "-x",
    "+x",
    "--- a/x",
    "@@ -1,1 +1,1 @@",
    "\\ No newline at end of file",
    "größe = '名前'",
    "call(a,\tb)",
    "```",
    "x\x0cy",
]


def texts(choices):
    """An old and a new file of repeated lines."""
    old = choices.choices(LINES, k=choices.randrange(4, 60))
    old = [f"{line} # {choices.randrange(6)}" if choices.random() < 0.3 else line for line in old]
    new = list(old)
    for _ in range(choices.randrange(1, 6)):
        at = choices.randrange(len(new) + 1)
        cut = choices.choice([0, 0, 1, 2, 5])
        new[at : at + cut] = choices.choices([*LINES, "new = 2"], k=choices.choice([0, 1, 1, 3]))
    end = choices.choice(["\n", "\n", "\r\n"])
    closes = [choices.random() < 0.8 for _ in range(2)]
    return tuple(
        end.join(lines) + (end if is_closed and lines else "")
        for lines, is_closed in zip((old, new), closes, strict=True)
    )


@dataclass
class Shown:
    """A patch as git numbers it, read without our parser."""

    right: dict = field(default_factory=dict)
    """Line of the new file: number of its hunk."""
    left: dict = field(default_factory=dict)
    """Removed or unchanged line of the old file: number of its hunk."""
    stretches: list = field(default_factory=list)
    """(removed old lines, added new lines, new line that follows)."""


def read_patch(patch):
    shown = Shown()
    hunk, old_left, new_left = -1, 0, 0
    stretch = None
    for line in patch.split("\n"):
        if not old_left and not new_left:
            match = re.match(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@", line)
            if match:
                hunk += 1
                old_left, new_left = int(match[2] or 1), int(match[4] or 1)
                old = int(match[1]) + (not old_left)
                new = int(match[3]) + (not new_left)
                stretch = None
            continue
        mark = line[:1]
        if mark in "-+" and stretch is None:
            stretch = ([], [], [])
            shown.stretches.append(stretch)
        if mark == "-":
            shown.left[old] = hunk
            stretch[0].append(old)
            old, old_left = old + 1, old_left - 1
        elif mark == "+":
            shown.right[new] = hunk
            stretch[1].append(new)
            new, new_left = new + 1, new_left - 1
        elif mark == " ":
            shown.left[old] = shown.right[new] = hunk
            old, new, old_left, new_left = old + 1, new + 1, old_left - 1, new_left - 1
            stretch = None
        if stretch is not None:
            stretch[2][:] = [new]
    return shown


def finding(path, span, quote, edit=None):
    suggestion = Suggestion(edit, Proof.VERIFIED) if edit is not None else None
    return Finding(
        "rule", Severity.HIGH, path, span, quote, "m", "s", 1, Origin.MODEL, suggestion=suggestion
    )


def cases(choices, path, old, new, shown):
    """Findings of every kind, with the lines that they are about: side and numbers."""
    old_lines, new_lines = split_lines(old), split_lines(new)

    def text(lines, numbers):
        return "\n".join(lines[number - 1].removesuffix("\r") for number in numbers)

    for removed, added, behind in shown.stretches:
        if added:
            first = choices.choice(added)
            numbers = range(first, choices.randrange(first, added[-1] + 1) + 1)
            span = Span(numbers[0], numbers[-1] + 1)
            yield finding(path, span, text(new_lines, numbers)), Side.RIGHT, numbers
            if removed:
                span = Span(added[0], added[-1] + 1)
                yield finding(path, span, text(old_lines, removed)), Side.RIGHT, added
        elif removed:
            gap = Span(behind[0], behind[0])
            first = choices.choice(removed)
            numbers = range(first, choices.randrange(first, removed[-1] + 1) + 1)
            if text(old_lines, numbers).strip():
                yield finding(path, gap, text(old_lines, numbers)), Side.LEFT, numbers
            yield finding(path, gap, text(old_lines, removed)), Side.LEFT, removed
            yield finding(path, gap, ""), Side.LEFT, removed
    if not new_lines:
        return
    for _ in range(3):  # anywhere in the file, shown or not
        first = choices.randrange(1, len(new_lines) + 1)
        numbers = range(first, min(first + choices.randrange(1, 9), len(new_lines) + 1))
        span = Span(numbers[0], numbers[-1] + 1)
        yield finding(path, span, text(new_lines, numbers)), Side.RIGHT, numbers
        yield finding(path, span, "no such code"), None, ()
        other = choices.choice(new_lines)
        yield (
            finding(path, span, other),
            Side.RIGHT if holds(text(new_lines, numbers), other, old) else None,
            numbers,
        )


def holds(code, quote, old):
    """Whether the quote is at the place, or may have been removed there."""
    wanted = squeezed(quote)
    return wanted in squeezed(code) or wanted in map(squeezed, split_lines(old))


@pytest.fixture
def pull_requests(repository):
    """Pairs of commits with some forty files each, some renamed."""

    def make(seed):
        choices = random.Random(seed)
        for path in list(repository.folder.glob("*.py")):
            path.unlink()
        pairs = {f"f{number}.py": texts(choices) for number in range(40)}
        repository.commit({path: old.encode() for path, (old, _) in pairs.items()})
        files = []
        for path, (old, new) in pairs.items():
            if choices.random() < 0.2:
                (repository.folder / path).unlink()
                path = f"renamed-{path}"
            repository.write({path: new.encode()})
            files.append((path, old, new))
        repository.commit({})
        for path, old, new in files:
            was = path.removeprefix("renamed-")
            patch = repository.git("diff", "--no-ext-diff", "-M", "HEAD~", "HEAD", "--", path, was)
            hunks = patch.find("\n@@ ")
            if hunks >= 0 and (path == was or "rename from" in patch):
                yield (
                    PullFile(path, was, "modified", patch[hunks + 1 :].removesuffix("\n")),
                    old,
                    new,
                )

    return make


SEEDS = [range(2), pytest.param(range(100, 200), marks=pytest.mark.slow)]


def squeezed(lines):
    return "".join("".join(lines).split())


def num_places(quote, lines):
    """How many shortest runs of `lines` are `quote`, but for white space."""
    wanted = squeezed(quote)
    return sum(
        bool(lines[first].strip()) and any(
            squeezed(lines[first:last]) == wanted and lines[last - 1].strip()
            for last in range(first + 1, len(lines) + 1)
        )
        for first in range(len(lines))
    )  # fmt: skip


def check(one, side, numbers, where, shown, old, new):
    """`where` is right, and no vaguer than it must be."""
    known = shown.right if side is Side.RIGHT else shown.left
    lines = split_lines(old if side is Side.LEFT else new)
    if isinstance(where, OnLines):
        commented = range(where.start, where.last + 1)
        assert where.side is side
        assert set(commented) <= set(numbers)
        assert len({known[number] for number in commented}) == 1
        left_out = set(numbers) - set(commented)
        assert not any(
            lines[at - 1].strip() for at in left_out if known.get(at) == known[where.start]
        )
    elif isinstance(where, OnFile):
        assert where.reason == NOT_SHOWN
        assert known.keys().isdisjoint(numbers)
    elif side is Side.LEFT:
        removed = next(stretch for stretch, *_ in shown.stretches if numbers[0] in stretch)
        assert num_places(one.quote, [lines[number - 1] for number in removed]) > 1
    else:
        assert where == InSummary(NOT_CERTAIN)
        assert squeezed(one.quote) not in squeezed(lines[number - 1] for number in numbers)


@pytest.mark.parametrize("seeds", SEEDS)
def test_no_comment_stands_on_a_wrong_line(pull_requests, seeds):
    choices = random.Random(7)
    ends = Counter()
    for seed in seeds:
        for file, old, new in pull_requests(seed):
            shown = read_patch(file.patch)
            listed = shown_file(file, split_lines(new))
            for one, side, numbers in cases(choices, file.path, old, new, shown):
                where = place(one, listed)
                ends[type(where).__name__] += 1
                check(one, side, numbers, where, shown, old, new)
    print(dict(ends))
    assert ends["OnLines"] > 500
    assert ends["InSummary"] > 100
    assert ends["OnFile"] > 100


@pytest.mark.parametrize(
    "seeds", [range(2, 3), pytest.param(range(200, 230), marks=pytest.mark.slow)]
)
def test_a_hunk_of_other_code_carries_nothing(pull_requests, seeds):
    choices = random.Random(8)
    num_refused = 0
    for seed in seeds:
        for file, old, new in pull_requests(seed):
            shown = read_patch(file.patch)
            number = choices.choice([*shown.right, 0])
            if not number:
                continue
            reviewed = split_lines(new)
            reviewed[number - 1] += " # pushed meanwhile"
            listed = shown_file(file, reviewed)
            for one, *_ in cases(choices, file.path, old, "\n".join(reviewed) + "\n", shown):
                where = place(one, listed)
                if isinstance(where, OnLines):
                    known = shown.right if where.side is Side.RIGHT else shown.left
                    assert known[where.start] != shown.right[number]
                num_refused += where == OnFile(OTHER_CODE)
    assert num_refused > 20


def edits(choices, num_lines):
    for _ in range(6):
        start = choices.randrange(1, num_lines + 2)
        stop = min(start + choices.choice([0, 1, 1, 2, 4]), num_lines + 1)
        lines = choices.choices([*LINES, "fixed = True"], k=choices.choice([0, 1, 2]))
        yield Edit(Span(start, stop), tuple(lines))


@pytest.mark.parametrize(
    "seeds", [range(3, 5), pytest.param(range(300, 380), marks=pytest.mark.slow)]
)
def test_a_button_does_what_the_suggestion_says(pull_requests, seeds):
    choices = random.Random(9)
    num_buttons = 0
    for seed in seeds:
        for file, _, new in pull_requests(seed):
            lines = split_lines(new)
            shown = read_patch(file.patch)
            for edit in edits(choices, len(lines)):
                first = min(max(edit.span.start + choices.randrange(-3, 4), 1), len(lines) + 1)
                about = Span(first, min(first + choices.randrange(4), len(lines) + 1))
                listed = shown_file(file, lines)
                quote = "\n".join(lines[about.start - 1 : about.stop - 1])
                one = finding(file.path, about, quote, edit)
                where = place(one, listed)
                button = replacement(one, where, listed) if isinstance(where, OnLines) else None
                if button is None:
                    continue
                num_buttons += 1
                start, last = button.place.start, button.place.last
                assert button.place.side is Side.RIGHT
                assert about.overlaps(Span(start, last + 1)) or not about.num_lines
                assert len({shown.right[number] for number in range(start, last + 1)}) == 1
                fence, *content, closing = button.block.split("\n")
                assert fence == f"{closing}suggestion"
                assert not any(line.startswith(closing) for line in content)
                applied = [*lines[: start - 1], *content, *lines[last:]]
                ending = "\n" if new.endswith("\n") and applied else ""
                assert "\n".join(applied) + ending == apply_edit(new, edit)
    assert num_buttons > 70


OLD = "a\nkept\nkept\nb\nc\n"
PATCH = "@@ -1,5 +1,3 @@\n a\n-kept\n-kept\n b\n c"
NEW = ["a", "b", "c"]


def listed(patch=PATCH, lines=NEW, status="modified"):
    return shown_file(PullFile("a.py", "a.py", status, patch), lines)


@pytest.mark.parametrize(
    ("span", "quote", "expected"),
    [
        (Span(2, 2), "kept\nkept", OnLines(2, 3, Side.LEFT)),
        (Span(2, 2), "kept", InSummary(NOT_CERTAIN)),
        (Span(2, 2), "", OnLines(2, 3, Side.LEFT)),
        (Span(2, 2), "b", OnLines(2, 2, Side.RIGHT)),
        (Span(2, 2), "gone long ago", InSummary(NOT_CERTAIN)),
        (Span(4, 4), "", OnLines(3, 3, Side.RIGHT)),
        (Span(3, 4), "c", OnLines(3, 3, Side.RIGHT)),
        (Span(3, 4), "b", InSummary(NOT_CERTAIN)),
        (Span(3, 9), "c", InSummary(NOT_CERTAIN)),
    ],
)
def test_a_finding_on_removed_or_kept_lines(span, quote, expected):
    assert place(finding("a.py", span, quote), listed()) == expected


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        (None, InSummary(NOT_IN_PULL)),
        (listed(patch=None), OnFile(NO_DIFF)),
        (listed(patch="@@ -1 +1,2 @@\n a"), OnFile(NO_DIFF)),
        (listed(lines=["a", "B", "c"]), OnFile(OTHER_CODE)),
        (listed("@@ -1,2 +0,0 @@\n-a\n-b", [], "removed"), OnLines(2, 2, Side.LEFT)),
        (listed("@@ -1,2 +0,0 @@\n-b\n-b", [], "removed"), InSummary(NOT_CERTAIN)),
    ],
)
def test_a_file_that_is_not_shown_or_gone(file, expected):
    assert place(finding("a.py", Span(1, 1), "b"), file) == expected


@pytest.mark.parametrize(
    ("gap", "line"), [(3, 3), (4, 3), (2, 2), (5, 4), (1, 1), (6, 5), (7, None)]
)
def test_an_insertion_replaces_the_shown_line_nearest_to_the_finding(gap, line):
    lines = [f"line {number}" for number in range(1, 8)]
    patch = "@@ -1,5 +1,5 @@\n" + "\n".join(f" {one}" for one in lines[:2])
    patch += "\n-old\n+line 3\n line 4\n line 5"
    file = listed(patch, lines)
    one = finding("a.py", Span(3, 4), "line 3", Edit(Span(gap, gap), ("new",)))
    button = replacement(one, place(one, file), file)
    assert (button and (button.place.start, button.place.last)) == (
        line and (min(line, 3), max(line, 3))
    )


def test_a_line_that_took_the_place_of_others_is_not_the_gap_behind_it():
    file = listed("@@ -1,3 +1,3 @@\n a\n-old\n+b\n c")
    assert place(finding("a.py", Span(3, 3), ""), file) == OnLines(3, 3, Side.RIGHT)


def test_the_local_diff_serves_where_github_sends_no_patch():
    local = FilePatch(
        "a.py", "a.py", FileStatus.MODIFIED, 0o100644, 0o100644, hunks=parse_hunks(PATCH)
    )
    file = shown_file(PullFile("a.py", "a.py", "modified", None), NEW, local)
    assert place(finding("a.py", Span(2, 2), "kept\nkept"), file) == OnLines(2, 3, Side.LEFT)


def test_code_in_a_notebook_is_found_in_its_string():
    lines = ['  "source": [', '    "x = \\"1\\"\\n",', '    "y = 2"']
    patch = "@@ -0,0 +1,3 @@\n" + "\n".join(f"+{line}" for line in lines)
    file = shown_file(PullFile("a.ipynb", "a.ipynb", "added", patch), lines)
    assert place(finding("a.ipynb", Span(2, 3), 'x = "1"'), file) == OnLines(2, 2, Side.RIGHT)
    assert place(finding("a.ipynb", Span(3, 4), 'x = "1"'), file) == InSummary(NOT_CERTAIN)


def test_a_line_that_is_not_utf8_is_compared_as_github_sends_it():
    content = b"caf\xe9 = 1".decode("utf-8", "surrogateescape")
    for shown in ("caf\ufffd = 1", "café = 1"):
        file = listed(f"@@ -0,0 +1 @@\n+{shown}", [content])
        assert place(finding("a.py", Span(1, 2), content), file) == OnLines(1, 1, Side.RIGHT)
