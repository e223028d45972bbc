"""Whatever edit is tried: what passes applies, compiles, and touches only changed lines."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dsreview.constraints import Candidate
from dsreview.edits import apply_edit
from dsreview.finding import Edit, Proof
from dsreview.patch import Span, split_lines
from dsreview.repair import judge

OLD = """\
import math


def area(radius, height):
    base = math.pi * radius
    side = base * height
    if side < 0:
        raise ValueError(side)
    return base + side
"""
NEW = """\
import math


def area(radius, height):
    base = math.pi * radius ** 2
    side = 2 * base
    total = base + side
    if side < 0:
        raise ValueError(side)
    return total
"""
LINES = st.sampled_from(
    [
        *NEW.split("\n"),
        "    side = 2 * math.pi * radius * height",
        "    side = (2 * base",
        "        side = 2 * height",
        "side = 2 * height",
        "\tside = 2 * height",
        "    side = 2 * depth",
        "    return base + side",
        "    if height < 0:",
        "        return 0",
        "    try:",
        "    ]",
        "    # ... rest of the code",
        "```",
    ]
)


@settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.integers(1, 11), st.integers(0, 4), st.lists(LINES, max_size=5))
def test_what_passes_holds(changed_file, sandbox, start, length, lines):
    file = changed_file("python", OLD, NEW)
    edit = Edit(Span(start, start + length), tuple(lines))
    verdict = judge(Candidate(file, edit, "    side = 2 * base"), sandbox)
    if not isinstance(verdict, Proof):
        return
    edited = apply_edit(NEW, edit)
    assert verdict is Proof.VERIFIED
    assert edited != NEW
    compile(edited, "<edited>", "exec", dont_inherit=True)
    unchanged = [
        line
        for number, line in enumerate(split_lines(NEW), 1)
        if number not in file.patch.added_lines
    ]
    rest = iter(split_lines(edited))
    assert all(line in rest for line in unchanged)  # all there, in their order
    assert "depth" not in edited
    assert "\t" not in edited
    assert "..." not in edited


@pytest.mark.parametrize(
    "value", ["2 * math.pi * radius * height", "base * height / radius", "height"]
)
def test_good_edits_are_among_those_that_pass(changed_file, sandbox, value):
    file = changed_file("python", OLD, NEW)
    edit = Edit(Span(6, 7), (f"    side = {value}",))
    assert judge(Candidate(file, edit, "    side = 2 * base"), sandbox) is Proof.VERIFIED
