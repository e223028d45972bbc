from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsreview.answers import AnswerError, parse_repair, parse_review
from dsreview.finding import Edit, Severity
from dsreview.patch import Span

CASES = sorted((Path(__file__).parent / "cases" / "answers").glob("*.txt"))


def sections(path):
    """Name to text of a case; the last line end belongs to the file."""
    found, name = {}, None
    for line in path.read_bytes().decode().split("\n"):
        if line.startswith("--- "):
            name = line[4:]
            found[name] = []
        elif name is not None:
            found[name].append(line)
    return {
        name: "\n".join(lines if name != next(reversed(found)) else lines[:-1])
        for name, lines in found.items()
    }


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_every_shape_gives_its_findings_or_a_reason(path):
    case = sections(path)
    if "error" in case:
        with pytest.raises(AnswerError) as raised:
            parse_review(case["answer"])
        assert str(raised.value) == case["error"].strip()
        return
    answer = parse_review(case["answer"])
    assert [f"{one.rule} {one.line}" for one in answer.findings] == case["findings"].splitlines()
    assert list(answer.problems) == case.get("problem", "").splitlines()


def test_there_are_at_least_fifteen_shapes():
    assert len(CASES) >= 15


def exact_answer():
    (path,) = [path for path in CASES if path.stem == "exact"]
    return sections(path)["answer"]


def test_a_finding_is_read_with_all_its_fields():
    (finding,) = parse_review(exact_answer()).findings
    assert finding.severity is Severity.HIGH
    assert finding.quote == "for i in range(n + 1):"
    assert finding.confidence == 0.8
    assert finding.edit == Edit(Span(3, 4), ("    for i in range(n):",))


@pytest.mark.parametrize(
    ("suggestion", "expected"),
    [
        (
            '{"start_line": 3, "end_line": 4, "replacement": ["a", "b"]}',
            Edit(Span(3, 5), ("a", "b")),
        ),
        ('{"start_line": 3, "end_line": 2, "replacement": ["a"]}', Edit(Span(3, 3), ("a",))),
        ('{"start_line": 3, "end_line": 3, "replacement": []}', Edit(Span(3, 4), ())),
        (
            '{"start_line": 3, "end_line": 3, "replacement": "a\\r\\nb\\n"}',
            Edit(Span(3, 4), ("a", "b")),
        ),
        (
            '{"start_line": 3, "end_line": 3, "replacement": ["a\\nb", ""]}',
            Edit(Span(3, 4), ("a", "b", "")),
        ),
    ],
)
def test_an_edit_is_read_in_every_form(suggestion, expected):
    assert parse_repair(f'{{"suggestion": {suggestion}}}') == expected
    assert parse_repair(f"```\n{suggestion}\n```") == expected


def test_a_model_may_give_up():
    assert parse_repair('{"suggestion": null}') is None


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "{}",
        '{"suggestion": {"start_line": 3, "end_line": 1, "replacement": []}}',
        '{"suggestion": {"start_line": 0, "end_line": 1, "replacement": []}}',
        '{"suggestion": {"start_line": 3, "end_line": 3, "replacement": ["a',
        '{"suggestion": "replace it"}',
    ],
)
def test_a_repair_that_cannot_be_read_is_an_error(answer):
    with pytest.raises(AnswerError):
        parse_repair(answer)


def test_an_impossible_suggestion_costs_the_suggestion_not_the_finding():
    answer = parse_review(
        '{"findings": [{"rule": "a-b", "severity": "low", "line": 1, "quote": "x", "message": "m",'
        '"scenario": "s", "confidence": 1, "suggestion": {"start_line": 9, "end_line": 2}}]}'
    )
    assert answer.findings[0].edit is None
    assert "suggestion" in answer.findings[0].edit_problem


JUNK = st.text(alphabet='{}[]",:\\ntrue01 <think>/`findgsrulqo\n“\x00', max_size=120)


@given(JUNK)
def test_junk_is_an_error_and_never_a_clean_review(text):
    try:
        answer = parse_review(text)
    except AnswerError:
        return
    assert (
        answer.findings or text.strip("`jsno\n ") == "[]" or '"findings"' in text.replace("“", '"')
    )


@given(st.integers(0, 400))
def test_a_cut_answer_never_reads_as_a_whole_one(length):
    whole = exact_answer()
    cut = whole[: min(length, len(whole) - 1)]
    try:
        answer = parse_review(cut)
    except AnswerError:
        return
    assert answer.problems or len(cut) >= len(whole) - 2


def test_a_huge_answer_is_refused_before_it_is_read():
    with pytest.raises(AnswerError, match="more than"):
        parse_review("[" * 300_000)
