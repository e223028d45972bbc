"""The sample report in every format, as plain files under tests/cases/outputs.

After a change that is meant: DSREVIEW_WRITE_GOLDENS=1 python -m pytest tests/outputs, and
read the difference.
"""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from dsreview import __version__
from dsreview.outputs import OUTPUTS

GOLDENS = Path(__file__).parents[1] / "cases" / "outputs"
VIEWS = {
    "terminal": {"width": 100},
    "terminal-60": {"width": 60},
    "terminal-color": {"is_colored": True},
}


def golden_names():
    return sorted({*OUTPUTS, *VIEWS})


@pytest.mark.parametrize("name", golden_names())
def test_the_sample_looks_as_agreed(name, report, code):
    view = replace(code, **VIEWS.get(name, {}))
    text = OUTPUTS[name.split("-")[0]](report, view).replace(__version__, "VERSION")
    path = GOLDENS / f"{name}.txt"
    if os.environ.get("DSREVIEW_WRITE_GOLDENS"):
        path.write_bytes(text.encode())
    assert text.encode() == path.read_bytes()


def test_no_golden_is_left_over():
    assert sorted(path.stem for path in GOLDENS.iterdir()) == golden_names()


@pytest.mark.parametrize("name", OUTPUTS)
def test_every_format_can_be_written_as_utf8_and_ends_its_last_line(name, report, code):
    text = OUTPUTS[name](report, code)
    assert text.encode("utf-8").endswith(b"\n")
