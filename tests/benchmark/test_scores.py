"""Figures of a run that was made by hand, so that each of them can be counted on fingers."""

from dataclasses import replace

import pytest

from dsreview.benchmark import scores
from dsreview.benchmark.items import Kind
from dsreview.benchmark.results import (
    Found,
    Outcome,
    RefusedOne,
    Side,
    SuggestionOutcome,
    Time,
)
from dsreview.benchmark.suggestion_scores import suggestion_scores
from dsreview.severity import Severity

FINDING = Found("off-by-one", "high", 3, 4, 0.9, 0.8, "model", hits_bug=False, message="m")
HIT = replace(FINDING, hits_bug=True)
MILD = replace(FINDING, rule="style", severity="low", confidence=0.1, raw_confidence=0.1)


def outcome(
    item, side, *findings, language="python", kind=Kind.REPLACE, status="complete", neutral=True
):
    return Outcome(item, side, language, kind, neutral, status, findings=findings)


def pair(item, on_bug, on_fix, **facts):
    return outcome(item, Side.BUG, *on_bug, **facts), outcome(item, Side.FIX, *on_fix, **facts)


OUTCOMES = (
    *pair("told", [HIT], []),
    *pair("both", [HIT], [FINDING], language="go"),
    *pair("neither", [], [], language="go", kind=Kind.MISSING),
    *pair("only-fix", [], [MILD], kind=Kind.MISSING, neutral=False),
    *pair("elsewhere", [MILD], [], neutral=False),
    outcome("calm", Side.BENIGN, kind=Kind.BENIGN),
    outcome("alarmed", Side.BENIGN, MILD, kind=Kind.BENIGN, language="go"),
)


def counts(part):
    return part.num_hits, part.num


def test_a_pair_is_told_apart_by_the_bug_flagged_and_the_fix_left_alone():
    assert counts(scores.discrimination(OUTCOMES)) == (2, 5)
    assert counts(scores.neutral(OUTCOMES).pairs) == (1, 3)


def test_flag_all_and_flag_none_tell_no_pair_apart():
    for findings in ([HIT], []):
        outcomes = [one for n in range(4) for one in pair(f"{n}", findings, findings)]
        assert counts(scores.discrimination(outcomes)) == (0, 4)


def test_a_fix_that_was_not_reviewed_whole_is_not_left_alone():
    bug, fix = pair("gap", [HIT], [])
    assert counts(scores.discrimination([bug, replace(fix, status="partial")])) == (0, 1)


def test_a_bug_without_its_fix_is_no_pair():
    bug, _ = pair("alone", [HIT], [])
    assert counts(scores.discrimination([bug])) == (0, 0)


def test_precision_recall_and_f1():
    found = scores.detection(OUTCOMES)
    assert counts(found.flagged_bugs) == (3, 5)
    assert counts(found.flagged_clean) == (3, 7)
    assert counts(found.precision) == (3, 6)
    assert found.f1 == pytest.approx(2 * 0.6 * 0.5 / (0.6 + 0.5))
    assert counts(scores.line_hits(OUTCOMES)) == (2, 5)
    assert counts(scores.false_alarms(OUTCOMES, Side.FIX)) == (2, 5)
    assert counts(scores.false_alarms(OUTCOMES, Side.BENIGN)) == (1, 2)


def test_of_nothing_there_is_no_figure():
    empty = scores.detection([])
    assert (empty.precision.rate, empty.flagged_bugs.rate, empty.f1) == (None, None, None)
    assert scores.calibration([]).error is None


def test_groups_by_language_and_kind():
    by_language = {
        one.name: (counts(one.pairs), counts(one.detection.flagged_clean))
        for one in scores.by_language(OUTCOMES)
    }
    assert by_language == {"go": ((0, 2), (2, 3)), "python": ((2, 3), (1, 4))}
    by_kind = {
        one.name: (counts(one.pairs), counts(one.line_hits)) for one in scores.by_kind(OUTCOMES)
    }
    assert by_kind == {"replace": ((2, 3), (2, 3)), "missing": ((0, 2), (0, 2))}


def test_a_higher_floor_of_severity_shows_less():
    floors = {
        severity: (one.flagged_bugs.num_hits, one.flagged_clean.num_hits)
        for severity, one in scores.by_severity(OUTCOMES)
    }
    assert floors == {
        Severity.LOW: (3, 3),
        Severity.MEDIUM: (2, 1),
        Severity.HIGH: (2, 1),
        Severity.CRITICAL: (0, 0),
    }


def test_what_a_rule_costs():
    rules = {
        one.rule: (one.num_on_bugs, one.num_on_bug_lines, one.num_on_fixes, one.num_on_benign)
        for one in scores.by_rule(OUTCOMES)
    }
    assert rules == {"off-by-one": (2, 2, 1, 0), "style": (1, 0, 1, 1)}


def test_calibration_by_hand():
    """0.9: two of three right; 0.1: none of three. ECE = (3 * |0.9 - 2/3| + 3 * 0.1) / 6."""
    told = scores.calibration(OUTCOMES)
    assert [(one.start, counts(one.correct)) for one in told.bins] == [(0.1, (0, 3)), (0.9, (2, 3))]
    assert told.error == pytest.approx((3 * (0.9 - 2 / 3) + 3 * 0.1) / 6)
    raw = scores.calibration(OUTCOMES, raw=True)
    assert raw.error == pytest.approx((3 * (0.8 - 2 / 3) + 3 * 0.1) / 6)


@pytest.mark.parametrize("confidence", [0.0, 1.0])
def test_the_ends_of_confidence_have_a_bin(confidence):
    sure = replace(HIT, confidence=confidence)
    [only] = scores.calibration([outcome("a", Side.BUG, sure)]).bins
    assert only.start <= confidence <= only.stop


def test_thresholds_show_fewer_findings_as_they_rise():
    points = [
        (p.threshold, p.detection.flagged_bugs.num_hits, p.detection.flagged_clean.num_hits)
        for p in scores.thresholds(OUTCOMES)
    ]
    assert points == [(0.1, 3, 3), (0.9, 2, 1)]


def test_costs_of_a_review():
    outcomes = [
        replace(one, prompt_tokens=100, completion_tokens=n, repair_rounds=1)
        for n, one in enumerate(OUTCOMES[:4])
    ]
    times = [Time("x", Side.BUG, seconds, 0.0) for seconds in (4.0, 1.0, 3.0, 2.0)]
    found = scores.costs(outcomes, times)
    assert (found.median_s, found.p95_s) == pytest.approx((2.5, 3.85))
    assert (found.mean_prompt_tokens, found.mean_completion_tokens, found.num_repair_rounds) == (
        100,
        1.5,
        4,
    )


def suggested(**facts):
    return replace(
        HIT,
        suggestion=SuggestionOutcome(
            **({"proof": "applied and parsed", "repair_round": 1, "equals_fix": False} | facts)
        ),
    )


def test_what_became_of_suggestions():
    outcomes = [
        outcome("a", Side.BUG, suggested(equals_fix=True, passes_test=True)),
        outcome("b", Side.BUG, suggested(repair_round=2, passes_test=False)),
        outcome("c", Side.FIX, suggested(proof="parse not verifiable")),
        replace(
            outcome("d", Side.BUG),
            refused=(
                RefusedOne("r", "parses"),
                RefusedOne("r", "known-names"),
                RefusedOne("r", "evidence"),
            ),
        ),
        replace(
            outcome("e", Side.BUG),
            refused=(RefusedOne("r", "fits-file"), RefusedOne("r", "answer")),
        ),
    ]
    found = suggestion_scores(outcomes)
    assert (found.num_proposed, found.num_applied, found.num_parsed) == (7, 5, 4)
    assert (found.num_published, found.num_verified, found.num_after_repair) == (3, 2, 1)
    assert (counts(found.equal_to_fix), counts(found.tests_passed)) == ((1, 2), (1, 2))
    assert found.refused == (("fits-file", 1), ("parses", 1), ("known-names", 1), ("answer", 1))
