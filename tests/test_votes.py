import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsreview.finding import Basis, Edit, Finding, Origin, Severity, Suggestion
from dsreview.patch import Span
from dsreview.votes import Vote, agree, are_same


def finding(rule="off-by-one", start=3, stop=4, message="The last page is lost.", **others):
    values = {"severity": Severity.HIGH, "path": "a.py", "scenario": "s", "confidence": 0.9}
    values |= {"origin": Origin.MODEL, "quote": "q"} | others
    return Finding(rule=rule, span=Span(start, stop), message=message, **values)


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (finding(), True),
        (finding(start=2, stop=9, message="Something else entirely."), True),
        (finding(rule="wrong-bound", message="The last page gets lost."), True),
        (finding(rule="wrong-bound", message="An exception leaves the file open."), False),
        (finding(start=4, stop=5), False),
        (finding(start=4, stop=4), False),
        (finding(start=3, stop=3), True),
        (finding(path="b.py"), False),
    ],
)
def test_one_defect_is_one_place_and_one_rule_or_the_same_words(other, expected):
    assert are_same(finding(), other) is expected
    assert are_same(other, finding()) is expected


def ballot(*findings):
    return [Vote(one, 1.0) for one in findings]


def test_what_most_find_is_kept_at_its_share_and_the_rest_is_refused():
    often, rare = finding(), finding("leak", 9, 10, "The file stays open.")
    agreed = agree([ballot(often, rare), ballot(often), ballot(), ballot(rare), ballot(often)])
    (kept,) = agreed.findings
    assert (kept.rule, kept.confidence, kept.basis) == ("off-by-one", 0.6, Basis.VOTES)
    (refused,) = agreed.refused
    assert (refused.rule, refused.reason) == ("leak", "votes")
    assert refused.message == "2 of 5 votes: The file stays open."


def test_half_is_no_majority():
    assert agree([ballot(finding()), ballot()]).findings == ()


def test_an_answer_votes_once_for_a_defect():
    twice = ballot(finding(), finding(start=3, stop=6))
    agreed = agree([twice, ballot(), ballot()])
    assert agreed.findings == ()
    assert len(agreed.refused) == 2


def test_a_finding_with_a_suggestion_stands_for_the_others():
    suggestion = Suggestion(Edit(Span(3, 4), ("x",)))
    agreed = agree(
        [
            ballot(finding(message="The last page is lost now.", severity=Severity.LOW)),
            ballot(finding(suggestion=suggestion, severity=Severity.CRITICAL)),
            ballot(finding(severity=Severity.MEDIUM)),
        ]
    )
    (kept,) = agreed.findings
    assert (kept.suggestion, kept.message) == (suggestion, "The last page is lost.")
    assert kept.severity is Severity.MEDIUM


def test_doubt_of_the_place_costs_confidence():
    agreed = agree([[Vote(finding(), 0.5)], ballot(finding())])
    assert agreed.findings[0].confidence == 0.5


FINDINGS = st.builds(
    finding,
    rule=st.sampled_from(["a-b", "c-d"]),
    start=st.integers(1, 4),
    stop=st.integers(4, 6),
    message=st.sampled_from(["one two three", "one two four", "five six seven"]),
)


@given(st.lists(st.lists(FINDINGS, max_size=3), min_size=1, max_size=6))
def test_each_finding_of_an_answer_is_counted_once(found):
    ballots = [ballot(*findings) for findings in found]
    agreed = agree(ballots)
    counted = sum(round(one.confidence * len(ballots)) for one in agreed.findings)
    counted += sum(int(one.message.split()[0]) for one in agreed.refused)
    assert counted == sum(map(len, ballots))
    assert all(one.confidence > 0.5 for one in agreed.findings)
