"""Every constraint has its cases: what it refuses, at which line, and what it lets pass."""

from pathlib import Path

import pytest

from dsreview.constraints import CONSTRAINTS, Candidate, NotVerifiable, Violation
from dsreview.finding import Edit
from dsreview.patch import Span

FOLDER = Path(__file__).parents[1] / "cases" / "constraints"
CASES = [
    pytest.param(constraint, path, id=f"{constraint.name}-{path.stem}")
    for constraint in CONSTRAINTS
    for path in sorted((FOLDER / constraint.name).glob("*.txt"))
]


def sections(path):
    """Heading to text; the first line says what the case is about."""
    _, *parts = path.read_bytes().decode().split("\n--- ")
    return {head: body for head, _, body in (f"{part}\n".partition("\n") for part in parts)}


def candidate_of(case, changed_file):
    (edit,) = [head for head in case if head.startswith("edit ")]
    lines = tuple(case[edit].split("\n")[:-1])
    file = changed_file(case["language"].strip(), case.get("old"), case["source"])
    quote = case.get("quote", "").strip("\n")
    places = [span_of(head) for head in case if head.startswith("place ")]
    return Candidate(file, Edit(span_of(edit), lines), quote, place=places[0] if places else None)


def span_of(head):
    """Of `edit 2-3` or `place 2-3`, both lines included; `2-1` is the gap before line 2."""
    first, last = map(int, head.split()[1].split("-"))
    return Span(first, last + 1)


@pytest.mark.parametrize(("constraint", "path"), CASES)
def test_a_constraint_says_what_its_case_says(constraint, path, changed_file, sandbox):
    case = sections(path)
    result = constraint.check(candidate_of(case, changed_file), sandbox)
    if "violation" in case:
        assert isinstance(result, Violation)
        assert result.constraint == constraint.name
        assert result.message == case["violation"].strip()
    elif "not verifiable" in case:
        assert result == NotVerifiable(constraint.name, case["not verifiable"].strip())
    else:
        assert result is None


@pytest.mark.parametrize("constraint", CONSTRAINTS, ids=lambda constraint: constraint.name)
def test_every_constraint_has_cases_of_both_kinds(constraint):
    cases = [sections(path) for path in (FOLDER / constraint.name).glob("*.txt")]
    assert any("violation" in case for case in cases)
    assert any("passes" in case for case in cases)


def test_no_cases_are_left_of_a_constraint_that_is_gone():
    assert {path.name for path in FOLDER.iterdir()} == {one.name for one in CONSTRAINTS}


def test_every_constraint_tells_models_what_it_wants():
    assert all(constraint.requirement.startswith(("it ", "the ")) for constraint in CONSTRAINTS)
