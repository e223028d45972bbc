"""Which matches are reported, and what a team's own rules may and may not do."""

import dataclasses

import pytest

from dsreview.change import EmptySnapshot
from dsreview.checks.rules import RuleSet, find_by_rules
from dsreview.errors import RuleError
from dsreview.finding import Severity
from dsreview.patch import Span

BUILTIN = RuleSet.builtin()


@dataclasses.dataclass(frozen=True)
class Folder(EmptySnapshot):
    files: dict

    def paths(self):
        return sorted(self.files)

    def read(self, path):
        return self.files.get(path)


def team_rules(sandbox, text, path=".dsreview/rules/ours.yml"):
    content = text if isinstance(text, bytes) else text.encode()
    return RuleSet(has_builtin=False).with_team_rules(Folder(files={path: content}), sandbox)


def lines(result):
    assert result.failures == ()
    return [(finding.rule, finding.span.start) for finding in result.findings]


BAD_CALL = """\
id: no-print
language: Python
severity: warning
message: do not print $TEXT
note: Use the log.
rule:
  pattern: print($TEXT)
"""


def test_a_fault_on_an_unchanged_line_is_not_reported(sandbox, changed_file):
    old = "import yaml\na = yaml.load(x)\nb = 1\n"
    assert lines(find_by_rules([changed_file(old, old + "c = 2\n")], BUILTIN, sandbox)) == []


def test_a_fault_on_an_added_line_is_reported(sandbox, changed_file):
    file = changed_file("import yaml\n", "import yaml\na = yaml.load(x)\n")
    result = find_by_rules([file], BUILTIN, sandbox)
    assert lines(result) == [("py-yaml-load", 2)]
    assert result.findings[0].quote == "yaml.load(x)"


def test_a_changed_line_inside_a_long_match_is_not_what_the_rule_is_about(sandbox, changed_file):
    old = "def f(x, found=[]):\n    found.append(x)\n    y = 1\n    return found\n"
    file = changed_file(old, old.replace("y = 1", "y = 2"))
    assert lines(find_by_rules([file], BUILTIN, sandbox)) == []


def test_the_mutation_that_makes_a_default_dangerous_is_reported(sandbox, changed_file):
    old = "def f(x, found=[]):\n    return found\n"
    new = "def f(x, found=[]):\n    found.append(x)\n    return found\n"
    result = find_by_rules([changed_file(old, new)], BUILTIN, sandbox)
    assert lines(result) == [("py-mutable-default", 2)]


def test_indenting_a_fault_anew_does_not_report_it(sandbox, changed_file):
    old = "import yaml\na = yaml.load(\n    x\n)\n"
    new = "import yaml\nif ready:\n    a = yaml.load(\n        x\n    )\n"
    assert lines(find_by_rules([changed_file(old, new)], BUILTIN, sandbox)) == []


def test_moving_a_fault_to_another_file_does_not_report_it(sandbox, changed_file):
    fault = "raise NotImplemented\n"
    files = [
        changed_file(None, fault, path="new.py"),
        changed_file(fault + "b = 1\n", "b = 1\n", path="old.py"),
    ]
    assert lines(find_by_rules(files, BUILTIN, sandbox)) == []


def test_a_second_copy_of_a_moved_fault_is_reported(sandbox, changed_file):
    fault = "raise NotImplemented\n"
    file = changed_file(fault + "b = 1\n", "b = 1\n" + fault + "c = 1\n" + fault)
    assert len(find_by_rules([file], BUILTIN, sandbox).findings) == 1


@pytest.mark.parametrize("language", ["javascript", "typescript", "tsx"])
def test_rules_of_javascript_run_on_typescript_too(language, sandbox, changed_file):
    file = changed_file(None, "const ok = x === NaN;\n", language, "file.ts")
    assert lines(find_by_rules([file], BUILTIN, sandbox)) == [("js-compare-nan", 1)]


def test_a_suggestion_is_whole_lines_without_line_ends(sandbox, changed_file):
    text = 'import yaml; b = "é"; a = yaml.load(\r\n  x)[1]\r\nc = 1\r\n'
    (finding,) = find_by_rules([changed_file(None, text)], BUILTIN, sandbox).findings
    assert finding.suggestion.edit.span == Span(1, 3)
    assert finding.suggestion.edit.lines == ('import yaml; b = "é"; a = yaml.safe_load(x)[1]',)


def test_text_that_is_not_utf8_is_matched_at_the_right_place(sandbox, changed_file):
    text = b'import yaml; s = "\xff\xfe\xe2\x82"; a = yaml.load(x)\n'.decode(
        "utf-8", "surrogateescape"
    )
    (finding,) = find_by_rules([changed_file(None, text)], BUILTIN, sandbox).findings
    assert finding.quote == "yaml.load(x)"
    assert finding.suggestion.edit.lines == (text[:-1].replace("yaml.load", "yaml.safe_load"),)


def test_nothing_is_reported_on_a_line_that_a_machine_wrote(sandbox, changed_file):
    text = "import yaml; " + "a = yaml.load(x); " * 100 + "\n"
    assert lines(find_by_rules([changed_file(None, text)], BUILTIN, sandbox)) == []


def test_a_file_that_is_too_large_is_a_failure_and_the_others_are_checked(sandbox, changed_file):
    files = [
        changed_file(None, "x = 1\n" * 200_000, path="large.py"),
        changed_file(None, "import yaml\na = yaml.load(x)\n", path="small.py"),
    ]
    result = find_by_rules(files, BUILTIN, sandbox)
    assert [failure.path for failure in result.failures] == ["large.py"]
    assert [finding.path for finding in result.findings] == ["small.py"]


def test_a_rule_of_a_team_works_as_ast_grep_wrote_it(sandbox, changed_file):
    rules = team_rules(sandbox, BAD_CALL)
    (finding,) = find_by_rules([changed_file(None, 'print("a")\n')], rules, sandbox).findings
    assert finding.message == 'do not print "a"'
    assert finding.scenario == "Use the log."
    assert finding.severity is Severity.MEDIUM
    assert finding.suggestion is None


def test_a_fix_of_several_lines_is_indented_like_the_match(sandbox, changed_file):
    fix = "fix: |-\n  log(\n    $TEXT)\nmetadata: {dsreview: {safe_fix: true}}\n"
    file = changed_file(None, "if ready:\n\tprint(1); go()\n")
    (finding,) = find_by_rules([file], team_rules(sandbox, BAD_CALL + fix), sandbox).findings
    assert finding.suggestion.edit.lines == ("\tlog(", "\t  1); go()")


def test_a_fix_that_no_rule_calls_safe_is_no_suggestion(sandbox, changed_file):
    file = changed_file(None, "print(1)\n")
    rules = team_rules(sandbox, BAD_CALL + "fix: log($TEXT)\n")
    (finding,) = find_by_rules([file], rules, sandbox).findings
    assert finding.suggestion is None


def test_a_rule_of_a_team_takes_the_place_of_ours(sandbox, changed_file):
    text = "id: py-yaml-load\nlanguage: py\nseverity: 'off'\nrule: {pattern: x}\n"
    folder = Folder(files={".dsreview/rules/a/b.yaml": text.encode(), "other/c.yml": b"["})
    rules = BUILTIN.with_team_rules(folder, sandbox)
    file = changed_file(None, "import yaml\na = yaml.load(x)\n")
    assert lines(find_by_rules([file], rules, sandbox)) == []


@pytest.mark.parametrize(
    ("selection", "path", "is_found"),
    [
        ("files: ['src/**/*.py']", "src/a.py", True),
        ("files: ['src/**/*.py']", "src/a/b.py", True),
        ("files: ['src/**/*.py']", "test/a.py", False),
        ("ignores: ['**/test/**']", "test/a.py", False),
        ("ignores: ['**/test/**']", "a/test/b/c.py", False),
        ("ignores: ['**/test/**']", "latest/a.py", True),
        ("files: [{glob: '*.PY', caseInsensitive: true}]", "a.PY", True),
    ],
)
def test_a_rule_may_choose_its_files(selection, path, is_found, sandbox, changed_file):
    rules = team_rules(sandbox, BAD_CALL + selection + "\n")
    file = changed_file(None, "print(1)\n", path=path)
    assert bool(find_by_rules([file], rules, sandbox).findings) is is_found


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("id: [\n", "not YAML"),
        ("- 1\n", "Expected `object`"),
        ("id: a\nlanguage: Python\n", "missing required field `rule`"),
        ("id: 1\nlanguage: Python\nrule: {kind: call}\n", "`$.id`"),
        ("id: a\nlanguage: Pyton\nrule: {kind: call}\n", "language: 'Pyton'"),
        ("id: a\nlanguage: Python\nseverity: bad\nrule: {kind: call}\n", "severity: 'bad'"),
        ("id: a\nlanguage: Python\nrule: {patern: x}\n", "patern"),
        ("id: a\nlanguage: Python\nrule: {kind: no_such}\n", "no_such"),
        ("id: a\nlanguage: Python\nrule: {regex: '(?=a)'}\n", "look-around"),
        ("id: a\nlanguage: Python\nrule: {matches: b}\nutils: {b: {matches: b}}\n", "cyclic"),
        (BAD_CALL + "metadata: {dsreview: {severity: bad}}\n", "metadata.dsreview.severity"),
        (BAD_CALL + "metadata: {dsreview: {severty: low}}\n", "severty"),
        (BAD_CALL + "metadata: {dsreview: {confidence: high}}\n", "$.metadata.dsreview.confidence"),
        (BAD_CALL + "metadata: {dsreview: {confidence: 7}}\n", "$.metadata.dsreview.confidence"),
        (BAD_CALL + "metadata: {dsreview: {filters: [eval]}}\n", "filters: 'eval'"),
        (BAD_CALL + "metadata: {dsreview: {languages: [cobol]}}\n", "languages: 'cobol'"),
    ],
)
def test_a_rule_file_that_cannot_be_used_is_named_with_its_key(text, named, sandbox):
    with pytest.raises(RuleError) as caught:
        team_rules(sandbox, text)
    assert str(caught.value).startswith(".dsreview/rules/ours.yml: ")
    assert named in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"[" * 60_000, id="deep nesting, which overflows libyaml's stack"),
        pytest.param(
            b"a0: &a0 [x, x]\n"
            + b"".join(
                b"a%d: &a%d [*a%d, *a%d, *a%d]\n" % (i, i, i - 1, i - 1, i - 1)
                for i in range(1, 40)
            ),
            id="aliases of aliases",
        ),
        pytest.param(b"id: a\nlanguage: py\nrule: &r {has: *r}\n", id="an alias of itself"),
        pytest.param(b"\xff\xfe\x00", id="no text"),
        pytest.param(b"!!python/object/apply:os.abort []\n", id="a Python tag"),
    ],
)
def test_a_hostile_rule_file_is_an_error_and_no_more(content, sandbox):
    with pytest.raises(RuleError, match=r"^\.dsreview/rules/ours\.yml: "):
        team_rules(sandbox, content)


def test_a_rule_for_a_language_that_is_not_reviewed_rests(sandbox):
    rules = team_rules(sandbox, "id: a\nlanguage: css\nrule: {kind: x}\n")
    assert rules.by_language(["python"]) == {"python": ()}
