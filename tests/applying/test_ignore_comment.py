"""The comment that answers a finding is honoured, and changes no code."""

from dataclasses import replace

import pytest

from dsreview import languages
from dsreview.applying.anchoring import EditedText
from dsreview.applying.ignore_comment import ignore_edit
from dsreview.applying.values import NotApplied
from dsreview.finding import Edit, Finding, Origin, Severity
from dsreview.patch import Span
from dsreview.sandbox import Sandbox

# language: source whose second line is flagged
SOURCES = {
    "python": "def f(x):\n    return x == None\n",
    "javascript": "function f(x) {\n  return x == NaN;\n}\n",
    "typescript": "function f(x: number) {\n  return x == NaN;\n}\n",
    "tsx": "const F = () => {\n  return <b>x</b>;\n};\n",
    "java": "class A {\n  int f() { return 1; }\n}\n",
    "go": "package a\nvar x = 1\n",
    "rust": "fn f() {\n    let x = 1;\n}\n",
    "c": "int f(void) {\n  return 1;\n}\n",
    "cpp": "int f() {\n  return 1;\n}\n",
    "c_sharp": "class A {\n  int F() { return 1; }\n}\n",
    "ruby": "def f\n  1\nend\n",
    "php": "<?php\n$x = 1;\n",
    "kotlin": "fun f() {\n  val x = 1\n}\n",
    "swift": "func f() {\n  let x = 1\n}\n",
    "bash": "f() {\n  rm $x\n}\n",
}


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox() as opened:
        yield opened


def finding_at(line):
    return Finding(
        rule="some-rule",
        severity=Severity.HIGH,
        path="f.x",
        span=Span(line, line + 1),
        quote="",
        message="m",
        scenario="",
        confidence=1,
        origin=Origin.RULE,
    )


def ignored(source, language, line, sandbox, reason="checked by the caller"):
    text = EditedText(source)
    edit = ignore_edit(finding_at(line), text, language, reason, sandbox)
    return text.with_edit(edit).text.splitlines()


def test_every_language_has_a_source():
    assert set(SOURCES) == {row.name for row in languages.LANGUAGES}


@pytest.mark.parametrize("language", SOURCES)
def test_the_comment_stands_above_the_line_as_deep_as_it(language, sandbox):
    lines = SOURCES[language].splitlines()
    mark = languages.by_name(language).line_comment
    indentation = lines[1][: len(lines[1]) - len(lines[1].lstrip())]
    comment = f"{indentation}{mark} dsreview: ignore[some-rule] checked by the caller"
    assert ignored(SOURCES[language], language, 2, sandbox) == [lines[0], comment, *lines[1:]]


@pytest.mark.parametrize(
    ("language", "source", "line"),
    [
        ("python", 'x = """\ntext\n""" + f(1)\n', 3),
        ("python", "x = 1 + \\\n    f(2)\n", 2),
        ("bash", "cat <<EOF && rm $x\ntext\nEOF\n", 1),
        ("javascript", "const x = `\n${f()} ` + f(2);\n", 2),
        ("php", "<html>\n<b><?php f();\n?></b>\n", 2),
    ],
)
def test_where_a_line_above_would_be_part_of_the_code_it_stands_behind(
    language, source, line, sandbox
):
    lines = source.splitlines()
    found = ignored(source, language, line, sandbox)
    if len(found) == len(lines):
        assert found[line - 1].startswith(lines[line - 1] + "  ")
        assert [*found[: line - 1], *found[line:]] == [*lines[: line - 1], *lines[line:]]
    else:
        assert (language, line) == ("bash", 1)


@pytest.mark.parametrize(
    ("language", "source", "line"),
    [
        ("python", 'x = """\ntext\nmore\n"""\n', 2),
        ("bash", "cat <<EOF\ntext $x\nEOF\n", 2),
        ("c", "#define F(x) \\\n  g(x)\n", 2),
        ("c", "#define F(x) \\\n  g(x); \\\n  h(x)\n", 2),
        ("javascript", "const x = `\ntext\n`;\n", 2),
        ("tsx", "const F = () => (\n<b>\ntext\n</b>\n);\n", 3),
        ("php", "<html>\ntext\n</html>\n", 2),
        ("", "text\n", 1),
        ("python", "x = 1\n", 5),
    ],
)
def test_where_no_comment_can_stand_nothing_is_written(language, source, line, sandbox):
    with pytest.raises(NotApplied):
        ignored(source, language, line, sandbox)


@pytest.mark.parametrize(
    ("reason", "written"),
    [
        ("a\nb\tc", "a b c"),
        ("wraps \\", "wraps"),
        ("\x1b]0;x\x07 \u202e", "\\x1b]0;x\\x07 \\u{202e}"),
        ("x" * 1000, "x" * 300),
        ("größe", "größe"),
        ("as in /* */ below", "as in /* */ below"),
    ],
)
def test_a_reason_stays_one_line_of_comment(reason, written, sandbox):
    found = ignored(SOURCES["c"], "c", 2, sandbox, reason)
    assert found[1] == f"  // dsreview: ignore[some-rule] {written}"


@pytest.mark.parametrize("reason", ["", "   ", "\\", "\n\n", ":-"])
def test_without_a_reason_nothing_is_written(reason, sandbox):
    with pytest.raises(NotApplied, match="a reason is needed"):
        ignored(SOURCES["c"], "c", 2, sandbox, reason)


def test_a_reason_cannot_end_the_program_text_of_php(sandbox):
    with pytest.raises(NotApplied):
        ignored(SOURCES["php"], "php", 2, sandbox, "because ?> <b>")


def test_the_line_that_names_the_interpreter_stays_first(sandbox):
    with pytest.raises(NotApplied):
        ignored("#!/usr/bin/env python3\nx = 1\n", "python", 1, sandbox)


def test_a_second_answer_leaves_the_first_one_in_force(sandbox):
    above = "# dsreview: ignore[other] fine\n"
    assert ignored(f"{above}x = f(1)\n", "python", 2, sandbox) == [
        above.rstrip(),
        "x = f(1)  # dsreview: ignore[some-rule] checked by the caller",
    ]


@pytest.mark.parametrize("rule", ["a]b", "a\nb", "\x1b[2J", "", "x" * 101, "größe"])
def test_a_rule_that_no_comment_can_name_is_not_written(rule, sandbox):
    finding = replace(finding_at(1), rule=rule)
    with pytest.raises(NotApplied, match="no comment can name the rule"):
        ignore_edit(finding, EditedText("x = 1\n"), "python", "fine", sandbox)


def test_it_goes_where_the_line_is_after_other_edits(sandbox):
    text = EditedText("a = 1\nb = 2\nc = 3\n").with_edit(Edit(Span(1, 2), ("a = 1", "aa = 1")))
    edit = ignore_edit(finding_at(3), text, "python", "fine", sandbox)
    assert text.with_edit(edit).text.splitlines() == [
        *("a = 1", "aa = 1", "b = 2", "# dsreview: ignore[some-rule] fine", "c = 3")
    ]
