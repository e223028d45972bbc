"""What counts as on the pull request already."""

from dataclasses import replace

import pytest

from dsreview.outputs.github_pr.survey import Survey

OLD = "".join(f"line {number}\n" for number in range(1, 21))


@pytest.fixture
def plan(make_pull, found):
    pull = make_pull({"a.py": OLD}, {"a.py": OLD.replace("line 9\n", "bad call\n")})
    return pull.plan([found("a.py", 9, "bad call")])


@pytest.mark.parametrize(
    ("became", "is_there"),
    [
        ({}, True),
        ({"is_resolved": True}, True),
        ({"is_minimized": True, "minimized_reason": "off-topic"}, True),
        ({"is_minimized": True, "minimized_reason": "OUTDATED"}, False),
        ({"is_minimized": True, "minimized_reason": "outdated", "has_replies": True}, True),
        ({"is_ours": False}, False),
    ],
)
def test_a_comment_that_we_hid_does_not_count_as_there(plan, as_posted, became, is_there):
    survey = Survey((), as_posted(plan, **became), ())
    names = {one.fingerprint for one in plan.inline}
    assert survey.commented(plan) == (names if is_there else set())
    assert survey.commented(replace(plan, head_sha="c" * 40)) == set()


def test_of_two_the_younger_is_a_duplicate_once(plan, as_posted):
    older, younger = as_posted(plan, 1) + as_posted(plan, 2)
    assert Survey((), (younger, older), ()).duplicates(plan) == ("N2",)
    younger = replace(younger, is_minimized=True, minimized_reason="DUPLICATE")
    assert Survey((), (older, younger), ()).duplicates(plan) == ()


def test_what_is_told_again_is_no_duplicate_of_what_was_hidden(plan, as_posted):
    hidden = as_posted(plan, 1, is_minimized=True, minimized_reason="OUTDATED")
    survey = Survey((), hidden + as_posted(plan, 2), ())
    assert survey.duplicates(plan) == ()
