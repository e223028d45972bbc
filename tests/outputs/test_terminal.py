import subprocess
import sys
from dataclasses import replace
from io import StringIO

import pytest
from rich.cells import cell_len

from dsreview.finding import Edit, Suggestion
from dsreview.outputs import CodeView, view_for
from dsreview.outputs.terminal import render
from dsreview.patch import Span
from dsreview.progress import open_progress


class Screen(StringIO):
    def isatty(self):
        return True


def lines_of(report, code, **changes):
    return render(report, replace(code, **changes)).splitlines()


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_every_line_fits_the_width(width, report, code):
    longest = max(map(cell_len, lines_of(report, code, width=width)))
    assert longest <= width


def test_no_line_ends_in_a_blank(report, code):
    assert not [line for line in lines_of(report, code) if line != line.rstrip()]


def test_plain_output_has_no_escape_and_the_same_words_as_the_coloured(report, code):
    import re

    plain = render(report, code)
    colored = render(report, replace(code, is_colored=True))
    assert "\x1b" not in plain
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored).replace(" CRITICAL ", "CRITICAL") == plain


def test_only_max_findings_are_shown_in_full(report, code):
    text = render(replace(report, max_findings=2), code)
    assert text.count("Scenario") == 2
    assert "6 more findings: 1 high, 2 medium, 3 low" in text
    assert "old/removed.py:1" in text


def test_markup_in_a_name_is_only_text(report, code):
    text = render(replace(report, max_findings=8), code)
    assert "a[/b].py:2" in text
    assert "[/b] <img src=x>" in text


def test_the_last_line_is_the_verdict(report, code):
    assert lines_of(report, code, width=200)[-1] == report.verdict


def test_flagged_lines_are_marked_between_their_neighbours(report, code):
    text = render(replace(report, max_findings=1), code)
    assert "     10 │ def find(name):\n  >  11 │     cursor = connect().cursor()\n" in text
    assert '  +  12 │     cursor.execute("SELECT * FROM users WHERE name = ?", (name,))\n' in text


def test_a_gap_is_shown_between_the_lines_around_it(report, code):
    gap = next(finding for finding in report.findings if finding.rule == "lost-check")
    text = render(replace(report, findings=(gap,)), code)
    assert "[]*os.File) error {\n        ┆ lines were removed here\n      4 │ " in text


def test_a_gap_at_the_end_of_a_file_is_shown_behind_its_last_line(report, code):
    gap = replace(report.findings[0], span=Span(19, 19), suggestion=None)
    text = render(replace(report, findings=(gap,)), code)
    assert "     18 │     return seen\n        ┆ lines were removed here\n" in text


def test_an_unknown_file_is_shown_by_its_quote(report):
    text = render(replace(report, max_findings=1), CodeView())
    assert "  >     │     cursor = connect().cursor()" in text
    assert "┆ replaces 1 line\n" in text


def test_a_long_flagged_line_goes_on_in_the_next_row(report, code):
    text = render(replace(report, max_findings=1), replace(code, width=60))
    assert "WHERE nam\n  >     ┆ e = '{name}'\")\n" in text


def test_a_huge_line_takes_few_rows(report, code):
    edit = Suggestion(Edit(Span(12, 13), ("x" * 1_000_000,)))
    finding = replace(report.findings[0], suggestion=edit)
    assert len(render(replace(report, findings=(finding,)), code)) < 5_000


def test_a_line_that_starts_like_a_workflow_command_does_not(report, code):
    finding = replace(
        report.findings[0], message="::error::owned", scenario="x " * 50 + "::add-mask::y"
    )
    for width in range(40, 140, 7):
        lines = lines_of(replace(report, findings=(finding,)), code, width=width)
        assert not [line for line in lines if line.lstrip().startswith("::")]


@pytest.mark.parametrize(
    ("environment", "is_colored"),
    [
        ({"TERM": "xterm"}, True),
        ({"TERM": "xterm", "NO_COLOR": ""}, True),
        ({"TERM": "xterm", "NO_COLOR": "1"}, False),
        ({"TERM": "dumb"}, False),
    ],
)
def test_colour_is_for_terminals_that_want_it(environment, is_colored, code):
    assert view_for(Screen(), environment, code.head).is_colored is is_colored


def test_a_pipe_gets_plain_text(code):
    assert view_for(StringIO(), {"TERM": "xterm"}, code.head).is_colored is False


def test_progress_is_silent_where_nobody_looks():
    stream = StringIO()
    with open_progress(stream, {"TERM": "xterm"}) as progress, progress.phase("model", 3) as phase:
        phase.advance()
        phase.reach(2, 3)
    assert stream.getvalue() == ""


def test_progress_names_the_phase_and_how_far_it_is():
    stream = Screen()
    with open_progress(stream, {"TERM": "xterm", "COLUMNS": "100"}) as progress:
        with progress.phase("read\x1b]0;x\x07ing") as phase:
            phase.advance()
        with progress.phase("model", 9) as phase:
            phase.reach(3, 9)
            phase.advance()
            progress.bars.refresh()
    shown = stream.getvalue()
    assert "4 of 9" in shown
    assert "\x1b]0" not in shown


def test_rich_is_loaded_only_to_draw():
    program = "import sys, dsreview.outputs, dsreview.progress; sys.exit('rich' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
