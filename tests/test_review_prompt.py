import json
import re
from difflib import unified_diff
from pathlib import Path

import jsonschema
import pytest

from dsreview.answers import parse_review
from dsreview.change import ChangedFile
from dsreview.constraints import Candidate, Violation
from dsreview.context import ContextMode, build_contexts
from dsreview.diff_parser import parse_patch
from dsreview.finding import Edit, Finding, Origin, Severity
from dsreview.patch import Span
from dsreview.prompt import Role
from dsreview.repair_prompt import repair_prompt
from dsreview.review_prompt import (
    TemplateError,
    read_template,
    repair_template,
    review_prompt,
    review_template,
)
from dsreview.sandbox import Sandbox

GOLDENS = Path(__file__).parent / "cases" / "prompts"
OLD = "import os\n\n\ndef total(xs):\n    return sum(xs)\n"
NEW = "import os\n\n\ndef total(xs):\n    t = 0\n    for x in xs:\n        t = x\n    return t\n"


def file_of():
    rows = unified_diff(OLD.splitlines(True), NEW.splitlines(True), "a/f.py", "b/f.py")
    patch = parse_patch("".join(rows).encode()).files[0].file
    return ChangedFile("shop/total.py", "python", patch, OLD, NEW)


@pytest.fixture
def context():
    with Sandbox() as sandbox:
        (only,) = build_contexts(file_of(), ContextMode.SCOPE, 2000, len, sandbox)
        return only


def a_repair(round_number):
    finding = Finding(
        rule="lost-sum",
        severity=Severity.HIGH,
        path="shop/total.py",
        span=Span(7, 8),
        quote="        t = x",
        message="The sum is overwritten.",
        scenario="[1, 2] gives 2.",
        confidence=0.9,
        origin=Origin.MODEL,
    )
    candidate = Candidate(file_of(), Edit(Span(7, 8), ("        t = (t + x",)), finding.quote)
    violation = Violation("parses", "after the edit, line 7 is not valid Python", Span(7, 8))
    return repair_prompt(finding, candidate, violation, round_number)


def written(prompt):
    return "\n".join(f"--- {one.role.value}\n{one.text}" for one in prompt.messages) + "\n"


def test_the_filled_review_prompt_is_the_golden_one(context):
    assert written(review_prompt(context)) == (GOLDENS / "review.txt").read_text()


def test_the_filled_repair_prompt_is_the_golden_one():
    assert written(a_repair(2)) == (GOLDENS / "repair.txt").read_text()


EXAMPLE = re.compile(r"^(.+):\n((?:[ \d]{5} [ +-] .*\n)+)(\{.*\})$", re.MULTILINE)


def examples():
    """Heading, lines of the change as (number, mark, text), and answer of each."""
    system = review_template().messages[0][1]
    for heading, rows, given in EXAMPLE.findall(system):
        lines = [(row[:5].strip(), row[6], row[8:]) for row in rows.splitlines()]
        yield heading, lines, given


def test_the_examples_are_answers_as_they_are_wanted():
    answers = [json.loads(given) for _, _, given in examples()]
    assert [len(answer["findings"]) for answer in answers] == [1, 0, 0]
    for answer in answers:
        jsonschema.validate(answer, json.loads(review_template().schema))


def test_the_example_of_a_finding_quotes_its_line_and_mends_it():
    _, lines, given = next(examples())
    (finding,) = parse_review(given).findings
    numbers = {int(number): (mark, text) for number, mark, text in lines if number}
    assert numbers[finding.line] == ("+", finding.quote)
    assert finding.edit.span == Span(finding.line, finding.line + 1)
    before, after = (
        "\n".join(text for _, text in numbers.values()).replace(finding.quote, line)
        for line in (finding.quote, finding.edit.lines[0])
    )
    given_rows, outcomes = [1, 2, 3, 4], []
    for source in (before, after):
        defined = {}
        exec(source, defined)
        outcomes.append(list(defined["batches"](given_rows, 2)))
    assert outcomes == [[[1, 2]], [[1, 2], [3, 4]]]
    assert "[1, 2] alone" in finding.scenario


def test_without_examples_the_prompt_is_shorter_and_has_another_revision(context):
    full, short = review_prompt(context), review_prompt(context, has_examples=False)
    assert full.messages[0].text.startswith(short.messages[0].text)
    assert full.messages[1] == short.messages[1]
    assert full.revision != short.revision
    assert '{"findings": [{' not in short.messages[0].text


def test_examples_end_the_message_before_them():
    text = "--- system\nRules.\n--- examples\nOne.\n--- user\n$code\n"
    known = frozenset({"code"})
    (_, system), (_, user) = read_template("t", text, "{}", known).messages
    assert (system, user) == ("Rules.\nOne.", "$code")
    (_, bare), (_, same) = read_template("t", text, "{}", known, has_examples=False).messages
    assert (bare, same) == ("Rules.", "$code")


def test_all_prompts_of_a_review_share_their_system_message(context):
    system, _ = review_prompt(context).messages
    assert system.role is Role.SYSTEM
    assert all(piece.is_trusted for piece in system.pieces)


def test_everything_that_is_filled_in_is_untrusted(context):
    for prompt in (review_prompt(context), a_repair(2)):
        trusted = "".join(
            piece.text
            for message in prompt.messages
            for piece in message.pieces
            if piece.is_trusted
        )
        assert "total" not in trusted
        assert "t = x" not in trusted
        assert "overwritten" not in trusted


def test_each_round_asks_in_other_words():
    prompts = [written(a_repair(number)) for number in (2, 3, 4)]
    assert len(set(prompts)) == 3


def test_a_variable_in_code_is_not_filled(context):
    template = read_template("t", "--- user\n$code and $path", "{}", frozenset({"code", "path"}))
    prompt = template.fill({"code": "$path", "path": "p"})
    assert prompt.messages[0].text == "$path and p"


def test_invisible_characters_are_written_out():
    template = read_template("t", "--- user\n$code", "{}", frozenset({"code"}))
    text = template.fill({"code": "a\u202eb\u200bc\x1b[0m"}).messages[0].text
    assert text == "a\\u{202e}b\\u{200b}c\\u{1b}[0m"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "--- user\n$snippet $path",
            "prompts/t.md: mismatched variables $code, $snippet; known are $code, $path",
        ),
        ("--- user\n$path", "prompts/t.md: mismatched variables $code; known are $code, $path"),
        ("$code $path", "prompts/t.md: must begin with --- system or --- user"),
    ],
)
def test_a_template_names_exactly_its_variables(text, message):
    with pytest.raises(TemplateError) as raised:
        read_template("t", text, "{}", frozenset({"code", "path"}))
    assert str(raised.value) == message


def test_the_revision_changes_with_the_template_and_with_the_schema():
    known = frozenset({"code"})
    revisions = {
        read_template("t", text, schema, known).revision
        for text in ("--- user\n$code", "--- user\n$code!")
        for schema in ("{}", '{"type": "object"}')
    }
    assert len(revisions) == 4
    assert review_template().revision != repair_template().revision


def test_answers_as_the_prompt_describes_them_follow_the_schema():
    jsonschema.Draft202012Validator.check_schema(json.loads(review_template().schema))
    validator = jsonschema.Draft202012Validator(json.loads(review_template().schema))
    finding = {
        "rule": "off-by-one",
        "severity": "high",
        "line": 3,
        "quote": "x",
        "message": "m",
        "scenario": "s",
        "confidence": 0.9,
        "suggestion": {"start_line": 3, "end_line": 2, "replacement": ["y"]},
    }
    validator.validate({"findings": [finding]})
    assert list(validator.iter_errors({"findings": [finding | {"severity": "huge"}]}))
    assert list(validator.iter_errors({"findings": [finding | {"rule": "Off By One"}]}))
    assert list(finding) == list(
        json.loads(review_template().schema)["properties"]["findings"]["items"]["properties"]
    )
