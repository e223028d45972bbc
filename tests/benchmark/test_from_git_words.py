"""What paths, messages and licence files say; what a parser reads on a line."""

import pytest

from dsreview.benchmark.from_git_licence import licence_of
from dsreview.benchmark.from_git_messages import is_fix, is_revert, reverted_ids
from dsreview.benchmark.from_git_paths import Role, role_of
from dsreview.languages.code_lines import CodeLinesRequest, code_lines


@pytest.mark.parametrize(
    ("path", "role"),
    [
        ("src/flask/app.py", Role.SOURCE),
        ("context.go", Role.SOURCE),
        ("lib/latest.js", Role.SOURCE),
        ("src/contest/index.ts", Role.SOURCE),
        ("flask/testing.py", Role.SOURCE),
        ("tests/test_app.py", Role.TEST),
        ("context_test.go", Role.TEST),
        ("src/test/java/org/A.java", Role.TEST),
        ("src/commonTest/kotlin/A.kt", Role.TEST),
        ("Src/Newtonsoft.Json.Tests/A.cs", Role.TEST),
        ("packages/core/__tests__/a.ts", Role.TEST),
        ("lib/a.spec.js", Role.TEST),
        ("spec/a_spec.rb", Role.TEST),
        ("testing/acceptance.py", Role.TEST),
        ("docs/conf.py", Role.SIDE),
        ("types/index.d.ts", Role.SIDE),
        ("examples/a.go", Role.SIDE),
        ("vendor/a.go", Role.SIDE),
        ("CHANGES.md", Role.SIDE),
        ("settings.json", Role.SIDE),
        ("src/a\nb.py", Role.SIDE),
        ("src/\udce9.py", Role.SIDE),
    ],
)
def test_a_file_is_source_or_test_or_aside_by_its_path(path, role):
    assert role_of(path) is role


@pytest.mark.parametrize(
    "subject",
    [
        "Fix url_prefix argument when nesting blueprints",
        "fix(context): verify URL is non-nil",
        "Chop off ports for session cookies. This fixes #253",
        "printer: fix duplicative replacement in multiline mode",
        "Fixed a crash where parsing a multipart with empty content",
        "cookies: leak of the jar on a failed transfer",
        "fix(compiler-sfc): throw the error before babel is called",
        "Content type removed if data is false; fixes #184",
        "Fixed off-by-one in the cursor, and added a test",
    ],
)
def test_a_subject_that_speaks_of_a_bug_is_a_fix(subject):
    assert is_fix(subject)


@pytest.mark.parametrize(
    "subject",
    [
        "Add support for ignoring parse errors",
        "Prefix all routes",
        "fix typo",
        "docs: fix the example",
        "chore(deps): fix versions",
        "Fix tests on Windows",
        "Fix some failing unit tests",
        "Fix flake8 errors",
        "Fix rubocop offenses",
        "Fix compiler warnings",
        "Fixed flask tests",
        "Fix type annotation of the transport",
        "Support unicode tags (fixes #1665)",
        "Sitemaps: added support for a wrong content type",
        "Fix javadocs",
        'Revert "fix the leak"',
        "Merge branch 'fix-leak'",
    ],
)
def test_a_subject_of_other_work_is_none(subject):
    assert not is_fix(subject)


def test_a_revert_names_what_it_takes_back():
    message = 'Revert "Start at nothing"\n\nThis reverts commit 0123456789abcdef.\n'
    assert is_revert(message)
    assert reverted_ids(message) == ["0123456789abcdef"]
    assert not is_revert("Do it irreversibly")


@pytest.mark.parametrize(
    ("text", "licence"),
    [
        ("Permission is hereby granted, free of charge, to any\nperson obtaining a copy", "MIT"),
        ("                 Apache License\n           Version 2.0, January 2004", "Apache-2.0"),
        ("GNU GENERAL PUBLIC LICENSE\n   Version 3, 29 June 2007", "GPL-3.0"),
        ("GNU AFFERO GENERAL PUBLIC LICENSE\nGNU General Public License", "AGPL-3.0"),
        ("Redistribution and use in source and binary forms, with or", "BSD-2-Clause"),
        ("the name of a copyright holder shall not be used in advertising", "curl"),
        ("All rights reserved.", ""),
    ],
)
def test_a_licence_is_known_by_its_words(text, licence):
    assert licence_of(text) == licence


def read(language, source):
    lines = tuple(range(1, source.count("\n") + 1))
    return code_lines(CodeLinesRequest(language, source.encode(), lines)).lines


def code(language, source):
    return [line.code for line in read(language, source)]


def test_comments_are_read_apart_from_code():
    [first, second] = read("javascript", "a = 1 // one\n/* two */ b = 2\n")
    assert (first.code, first.comments) == (("a", "=", "1"), ("// one",))
    assert (second.code, second.comments) == (("b", "=", "2"), ("/* two */",))


def test_a_docstring_is_a_comment_and_any_other_string_is_not():
    lines = read("python", 'def f():\n    """Two\n    lines."""\n    return """\n  x"""\n')
    assert [line.comments for line in lines] == [(), ('"""Two',), ('lines."""',), (), ()]
    assert "1:  x" in lines[4].code


@pytest.mark.parametrize(
    ("language", "one", "other", "same"),
    [
        ("python", "if a:\n  b()\n  c()\n", "if a:\n    b()\n    c()\n", True),
        ("python", "if a:\n  b()\n  c()\n", "if a:\n  b()\nc()\n", False),
        ("python", "f(a,\n  b)\n", "f(a,\n     b)\n", True),
        ("go", "a := 1\n", "a  :=  1\n", True),
        ("javascript", "f('a b')\n", "f('a  b')\n", False),
        ("ruby", 'f "a\\n b"\n', 'f "a\\n  b"\n', False),
        ("bash", "cat <<E\na b\nE\n", "cat <<E\na  b\nE\n", False),
        ("c", "#define A(x) x y\n", "#define A(x) x z\n", False),
    ],
)
def test_white_space_counts_only_where_it_says_something(language, one, other, same):
    assert (code(language, one) == code(language, other)) is same
