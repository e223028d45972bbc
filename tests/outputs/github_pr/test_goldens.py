"""What people read on GitHub, as plain files under tests/cases/github_pr.

After a change that is meant: DSREVIEW_WRITE_GOLDENS=1 python -m pytest tests/outputs, and
read the difference.
"""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from dsreview import __version__
from dsreview.outputs import CodeView
from dsreview.outputs.github_pr.plan import plan_posting
from dsreview.outputs.github_pr.values import RunFacts
from dsreview.report import Coverage, CoverageState, Report, Stats, Status

GOLDENS = Path(__file__).parents[2] / "cases" / "github_pr"
BASE, HEAD, SINCE = (letter * 40 for letter in "abc")


@pytest.fixture
def pull(code, make_pull):
    """The sample change: what each file was before, near the findings."""
    new = {
        path: code.head.read(path).decode("utf-8", "surrogateescape") for path in code.head.paths()
    }
    old = {
        "src/store.py": new["src/store.py"].replace("cursor = ", "c = ").replace("seen=[]", "seen"),
        "cmd/server/close.go": new["cmd/server/close.go"].replace(
            "\tfor", '\tif len(files) == 0 {\n\t\treturn errors.New("no files")\n\t}\n\tfor'
        ),
        "web/größe/名前.js": "",
        "a[/b].py": new["a[/b].py"].replace("None == x", "x"),
        "generated.sql": new["generated.sql"].replace("VALUES (55)", "VALUES (0)"),
    }
    return make_pull(old, new)


@pytest.fixture
def plan(pull, report, code):
    facts = RunFacts(BASE, HEAD, "c0ffee", why_whole="the settings have changed")
    return plan_posting(replace(report, base_name=BASE, head_name=HEAD), code, pull.state, facts)


@pytest.fixture
def nothing_found(pull):
    coverage = tuple(Coverage(path, CoverageState.REVIEWED) for path in sorted(pull.new))
    stats = Stats(seconds=12.3, model="deepseek-coder-6.7b-instruct", device="mps")
    report = Report(Status.COMPLETE, (), coverage, stats, base_name=SINCE, head_name=HEAD)
    return plan_posting(report, CodeView(), pull.state, RunFacts(BASE, HEAD, "c0ffee", since=SINCE))


def agree(name, text):
    text = text.replace(__version__, "VERSION") + "\n"
    path = GOLDENS / f"{name}.md"
    if os.environ.get("DSREVIEW_WRITE_GOLDENS"):
        path.write_bytes(text.encode())
    assert text.encode() == path.read_bytes()


def test_a_comment_with_a_button_looks_as_agreed(plan):
    (comment,) = (one for one in plan.inline if "mutable-default" in one.body)
    assert (comment.start_line, comment.line) == (16, 17)
    agree("comment", comment.body)


def test_a_comment_without_a_button_looks_as_agreed(plan):
    (comment,) = (one for one in plan.inline if "defer-in-loop" in one.body)
    agree("comment-with-diff", comment.body)


def test_a_comment_on_a_file_looks_as_agreed(plan):
    (comment,) = (one for one in plan.file_level if "dead-rows" in one.body)
    agree("comment-on-file", comment.body)


def test_the_summary_looks_as_agreed(plan):
    agree("summary", plan.summary.text)


def test_the_review_looks_as_agreed(plan):
    agree("review", plan.review_body)


def test_nothing_found_looks_as_agreed(nothing_found):
    agree("nothing-found", nothing_found.summary.text)


def test_no_golden_is_left_over():
    names = [
        "comment",
        "comment-on-file",
        "comment-with-diff",
        "nothing-found",
        "review",
        "summary",
    ]
    assert sorted(path.stem for path in GOLDENS.iterdir()) == names
