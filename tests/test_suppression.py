import pytest

from dsreview.finding import Finding, Origin, Severity
from dsreview.patch import Span
from dsreview.suppression import suppress


def finding(line, rule="shell-injection"):
    return Finding(
        rule, Severity.HIGH, "a.py", Span(line, line + 1), "q", "m", "s", 0.9, Origin.RULE
    )


def everywhere(path, line, column):
    return True


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("run(x)  # dsreview: ignore[shell-injection] x is ours\n", 1),
        ("# dsreview: ignore[shell-injection] x is ours\nrun(x)\n", 2),
        ("run(x)  // dsreview: ignore[other, shell-injection]: x is ours\n", 1),
        ("/* dsreview: ignore[shell-injection] x is ours */ run(x)\n", 1),
    ],
)
def test_a_comment_with_a_reason_answers_a_finding(text, line):
    kept, refused, notes = suppress([finding(line)], {"a.py": text}, everywhere)
    assert kept == ()
    assert [(r.rule, r.reason, r.message) for r in refused] == [
        ("shell-injection", "ignored in the code", "x is ours")
    ]
    assert notes == ()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("run(x)  # dsreview: ignore[other-rule] x is ours\n", 1),
        ("first()  # dsreview: ignore[shell-injection] x is ours\nrun(x)\n", 2),
        ("run(x)  # ignore[shell-injection] x is ours\n", 1),
        ("dsreview: ignore[shell-injection] not in a comment\nrun(x)\n", 2),
    ],
)
def test_any_other_comment_does_not(text, line):
    kept, refused, _ = suppress([finding(line)], {"a.py": text}, everywhere)
    assert len(kept) == 1
    assert refused == ()


def test_without_a_reason_it_is_not_honoured_and_this_is_said():
    kept, refused, notes = suppress(
        [finding(1)], {"a.py": "run(x)  # dsreview: ignore[shell-injection]\n"}, everywhere
    )
    assert (len(kept), refused) == (1, ())
    assert notes == ("a.py:1: ignore[shell-injection] gives no reason and is not honoured",)


def test_names_of_team_rules_may_hold_dots_and_slashes():
    text = "run(x)  # dsreview: ignore[team/no.run] x is ours\n"
    kept, refused, _ = suppress([finding(1, "team/no.run")], {"a.py": text}, everywhere)
    assert (kept, len(refused)) == ((), 1)


def test_the_same_words_in_a_string_do_not():
    text = 'run("# dsreview: ignore[shell-injection] x is ours")\n'
    asked = []

    def nowhere(path, line, column):
        asked.append((path, line, text[column : column + 8]))
        return False

    kept, refused, _ = suppress([finding(1)], {"a.py": text}, nowhere)
    assert (len(kept), refused) == (1, ())
    assert asked == [("a.py", 1, "dsreview")]


@pytest.mark.parametrize(
    "text",
    [
        'f("# dsreview: ignore[shell-injection] s")  # dsreview: ignore[shell-injection] ok\n',
        "f()  # dsreview: ignore[other] why  # dsreview: ignore[shell-injection] ok\n",
    ],
)
def test_the_comment_that_applies_is_found_behind_others(text):
    def last(path, line, column):
        return column == text.rindex("dsreview:")

    kept, refused, _ = suppress([finding(1)], {"a.py": text}, last)
    assert (kept, [one.message for one in refused]) == ((), ["ok"])


@pytest.mark.parametrize(
    ("added", "reason"),
    [
        (None, "ignored in the code"),
        ({"a.py": frozenset({2})}, "ignored in the code"),
        ({"a.py": frozenset({1})}, "answered in the code by this change"),
    ],
    ids=["own change", "older comment", "comment of the change"],
)
def test_an_answer_that_the_change_of_another_brings_along_is_told(added, reason):
    text = "# dsreview: ignore[shell-injection] x is ours\nrun(x)\n"
    kept, refused, notes = suppress([finding(2)], {"a.py": text}, everywhere, added)
    assert (kept, [one.reason for one in refused]) == ((), [reason])
    told = "a.py:2: shell-injection is answered in the code by this change: x is ours"
    assert notes == ((told,) if reason.startswith("answered") else ())
