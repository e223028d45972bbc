"""Every rule that comes with dsreview, on the cases in its own file."""

from pathlib import Path

import pytest

from dsreview import rules as rules_package
from dsreview.checks.rule_file import Cases, read_cases
from dsreview.checks.rules import RuleSet, find_by_rules
from dsreview.patch import split_lines

FOLDER = Path(*rules_package.__path__)
FILES = sorted(FOLDER.glob("*/*.yml"))
CASES = [(path, cases) for path in FILES for cases in read_cases(path.read_bytes(), path.name)]
RULES = pytest.mark.parametrize(("path", "cases"), CASES, ids=[one.rule.id for _, one in CASES])


@pytest.fixture(scope="module")
def find(sandbox, changed_file):
    def found(rule, text, language):
        rules = RuleSet(has_builtin=False, team=(rule,))
        result = find_by_rules([changed_file(None, text, language, "file")], rules, sandbox)
        assert result.failures == ()
        return result.findings

    return found


def with_suggestions(text, findings):
    lines = split_lines(text)
    edits = [finding.suggestion.edit for finding in findings if finding.suggestion]
    for edit in sorted(edits, key=lambda edit: edit.span, reverse=True):
        lines[edit.span.start - 1 : edit.span.stop - 1] = edit.lines
    return "".join(f"{line}\n" for line in lines)


@RULES
def test_a_rule_is_silent_on_its_valid_cases(path, cases: Cases, find):
    for language in cases.rule.languages:
        for text in cases.valid:
            assert find(cases.rule, text, language) == (), text


@RULES
def test_a_rule_finds_its_invalid_cases_on_their_lines(path, cases: Cases, find):
    for language in cases.rule.languages:
        for case in cases.invalid:
            findings = find(cases.rule, case.code, language)
            lines = tuple(sorted(finding.span.start for finding in findings))
            assert lines == case.lines, case.code


@RULES
def test_the_suggestions_of_a_rule_give_the_fixed_text(path, cases: Cases, find):
    for case in cases.invalid:
        findings = find(cases.rule, case.code, cases.rule.languages[0])
        if case.fixed is None:
            assert cases.rule.fix is None, "a case of a rule with a safe fix shows the fixed text"
            continue
        assert with_suggestions(case.code, findings) == case.fixed.rstrip("\n") + "\n"
        assert find(cases.rule, case.fixed, cases.rule.languages[0]) == ()


@RULES
def test_a_rule_says_what_goes_wrong_and_carries_cases(path, cases: Cases):
    rule = cases.rule
    assert len(cases.valid) >= 2
    assert len(cases.invalid) >= 2
    assert len(rule.message) > 20
    assert len(rule.scenario) > 20
    assert rule.scenario != rule.message
    assert rule.severity is not None
    assert rule.languages
    assert path.stem == rule.id
    assert path.parent.name in rule.languages


def test_rule_names_are_unique():
    names = [cases.rule.id for _, cases in CASES]
    assert sorted(set(names)) == sorted(names)


def test_there_are_rules_for_every_kind_of_project():
    languages = {language for _, cases in CASES for language in cases.rule.languages}
    assert len(CASES) >= 60
    assert len(languages) >= 8
