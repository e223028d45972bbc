"""What a hook writes on a terminal."""

import re
from dataclasses import replace

import pytest
from rich.cells import cell_len

from dsreview.outputs.hook_page import MAX_ROWS, hook_page
from dsreview.report import Coverage, CoverageState, Status
from dsreview.sanitize import terminal_line

HOSTILE = "a\x1b]0;owned\x07\x1b[2J\u202e\r\n::error::x\udcff"


@pytest.mark.parametrize("width", [40, 80, 200])
@pytest.mark.parametrize("is_colored", [False, True])
def test_every_line_fits_and_none_acts(width, is_colored, report, code):
    view = replace(code, width=width, is_colored=is_colored)
    page = hook_page(report, view, ("dsreview: " + "word " * 40, HOSTILE))
    plain = re.sub(r"\x1b\[[0-9;]*m", "", page)
    assert max(map(cell_len, plain.split("\n"))) <= width
    assert (plain == page) is not is_colored
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]|^\s*::", plain, re.MULTILINE)


def test_the_last_lines_say_what_it_comes_to(report, code):
    page = hook_page(report, replace(code, width=200), ("first", "last"))
    assert page.endswith("\nfirst\nlast\n")


def test_what_was_not_reviewed_is_named_with_its_reason(report, code):
    gaps = tuple(
        Coverage(f"file{number}.py{HOSTILE}", CoverageState.SKIPPED, HOSTILE)
        for number in range(MAX_ROWS + 2)
    )
    partial = replace(report, status=Status.PARTIAL, findings=(), coverage=gaps, notes=(HOSTILE,))
    lines = hook_page(partial, replace(code, width=200), ("end",)).split("\n")
    shown = terminal_line(HOSTILE)
    assert lines[0] == f"skipped: file0.py{shown} ({shown})"
    assert lines[MAX_ROWS] == "2 more files"
    assert lines[MAX_ROWS + 1 :] == [f"note: {shown}", "end", ""]


def test_findings_beyond_the_limit_get_a_line_each_and_then_a_count(report, code):
    (first, *_) = report.findings
    many = replace(report, findings=(first,) * 9, max_findings=1, coverage=(), notes=())
    lines = hook_page(many, replace(code, width=200), ()).split("\n")
    row = f"{first.severity.label}: {first.path}:{first.span.start} {first.rule}"
    assert lines.count(row) == MAX_ROWS
    assert "3 more findings" in lines
