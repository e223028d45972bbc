"""Every screen of the conversation passes one sink: nothing in it acts on the terminal."""

import json
import random
import re
import unicodedata
from pathlib import Path

import pytest
from rich.cells import cell_len

from dsreview.change import EmptySnapshot
from dsreview.finding import Edit, Finding, Origin, Proof, Severity, Suggestion
from dsreview.outputs.base import CodeView
from dsreview.outputs.offer_page import (
    Choice,
    ask_reason,
    closing,
    help_page,
    opening,
    passed_over,
    prompt,
    question,
    remark,
)
from dsreview.patch import Span
from dsreview.report import Coverage, CoverageState, Report, Stats, Status

PIECES = (
    *json.loads((Path(__file__).parents[1] / "cases/hostile/pieces.json").read_text("ascii")),
    *("[/b]", "[red]", "[link=file:///etc/passwd]x[/link]"),
    *("\x1b]0;owned\x07", "\x1b[2J", "\x9b1m"),
)
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class OneFile(EmptySnapshot):
    """The same content under any name."""

    def __init__(self, text):
        object.__setattr__(self, "content", text.encode("utf-8", "surrogatepass"))

    __slots__ = ("content",)

    def read(self, path):
        return self.content


def is_hidden(character):
    return unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"}


def leaks(shown):
    """What is left that acts or hides, but for our own colours and line ends."""
    return {one for one in COLOUR.sub("", shown) if is_hidden(one) and one != "\n"}


def hostile_text(choices):
    return "".join(choices.choices(PIECES, k=choices.randrange(1, 9)))


def hostile_finding(choices):
    texts = [hostile_text(choices) for _ in range(6)]
    edit = Edit(Span(1, 2), tuple(hostile_text(choices).replace("\n", " ") for _ in range(2)))
    return Finding(
        rule=texts[0],
        severity=choices.choice(list(Severity)),
        path=texts[1],
        span=Span(1, 2),
        quote=texts[2],
        message=texts[3],
        scenario=texts[4],
        confidence=0.5,
        origin=choices.choice(list(Origin)),
        suggestion=Suggestion(edit, choices.choice(list(Proof))),
    )


def report_of(finding):
    coverage = (Coverage(finding.path, CoverageState.SKIPPED, finding.message),)
    return Report(
        Status.PARTIAL, (finding,), coverage, Stats(model=finding.rule), notes=(finding.message,)
    )


def screens(finding, text, view):
    report = report_of(finding)
    yield opening(report, view, (text,))
    yield question(finding, 1, 2, view)
    yield remark(text, view, is_good=True)
    yield passed_over(finding, view)
    yield closing(((1, "applied"), (0, "ignored")), report, view)


@pytest.mark.parametrize(
    "num", [100, pytest.param(20_000, marks=[pytest.mark.slow, pytest.mark.timeout(1800)])]
)
def test_no_text_of_others_acts_on_the_terminal(num):
    """Ten random strings a screenful, on five screens: the slow run shows 200,000."""
    choices = random.Random(0)
    for _ in range(num):
        finding, text = hostile_finding(choices), hostile_text(choices)
        is_colored = choices.random() < 0.5
        view = CodeView(OneFile(hostile_text(choices)), choices.choice([40, 80]), is_colored)
        for shown in screens(finding, text, view):
            assert leaks(shown) == set()
            if not is_colored:
                assert "\x1b" not in shown


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("[/b].py", "[/b].py"),
        ("[red]x[/red].py", "[red]x[/red].py"),
        ("\x1b]0;owned\x07.py", "\\x1b]0;owned\\x07.py"),
        ("a\u202ey.py", "a\\u{202e}y.py"),
        ("two\nlines.py", "two\\x0alines.py"),
        ("\x9b2J.py", "\\x9b2J.py"),
    ],
)
@pytest.mark.parametrize("is_colored", [False, True])
def test_a_name_is_shown_as_it_is_written(path, shown, is_colored):
    choices = random.Random(0)
    finding = hostile_finding(choices)
    finding = type(finding)(
        **{name: getattr(finding, name) for name in Finding.__slots__} | {"path": path}
    )
    page = question(finding, 1, 1, CodeView(OneFile("x = 1\n"), 100, is_colored))
    assert f"{shown}:1" in COLOUR.sub("", page)


@pytest.mark.parametrize("columns", [40, 53, 54, 80, 200])
def test_every_line_fits_the_window(columns):
    view = CodeView(OneFile("x = 1\n" * 9), columns, True)
    finding = Finding(
        rule="some-rule",
        severity=Severity.HIGH,
        path="some/folder/file.py",
        span=Span(5, 6),
        quote="x = 1",
        message="what is wrong " * 20,
        scenario="then this goes wrong " * 20,
        confidence=1,
        origin=Origin.RULE,
        suggestion=Suggestion(Edit(Span(5, 6), ("y = " + "1 + " * 50,)), Proof.VERIFIED),
    )
    choices = tuple(Choice)
    pages = [question(finding, 1, 1, view), prompt(choices, view), help_page(choices, view)]
    pages += [ask_reason(view), remark("word " * 60, view, is_good=False)]
    pages.append(opening(report_of(finding), view, ["word " * 60]))
    for page in pages:
        assert max(cell_len(COLOUR.sub("", line)) for line in page.splitlines()) <= columns


def test_every_choice_has_a_key_of_its_own():
    assert len({choice.key for choice in Choice}) == len(Choice)
