from dataclasses import replace

import pytest

from dsreview.finding import Finding, Origin, Severity, fingerprints
from dsreview.patch import Span
from dsreview.report import Coverage, CoverageState, Report, Stats, Status, count_of, short_name

FINDING = Finding(
    rule="mutable-default",
    severity=Severity.HIGH,
    path="a.py",
    span=Span(3, 4),
    quote="def f(x=[]):",
    message="shared",
    scenario="f() twice",
    confidence=0.9,
    origin=Origin.RULE,
    scope="f",
)
REVIEWED = Coverage("a.py", CoverageState.REVIEWED)
PARTIAL = Coverage("b.py", CoverageState.PARTIAL, "cut")
SKIPPED = Coverage("c.py", CoverageState.SKIPPED, "too large")
EXCLUDED = Coverage("d.lock", CoverageState.SKIPPED, "ignored", is_excluded=True)


def report(status=Status.COMPLETE, findings=(), coverage=(REVIEWED,)):
    return Report(status, tuple(findings), tuple(coverage), Stats())


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (report(), "no findings in 1 file"),
        (report(coverage=[]), "no findings in 0 files"),
        (report(coverage=[REVIEWED, EXCLUDED]), "no findings in 1 file; 1 file excluded"),
        (report(Status.PARTIAL), "0 findings in 1 file; not everything was reviewed"),
        (
            report(Status.PARTIAL, coverage=[REVIEWED, SKIPPED, EXCLUDED]),
            "0 findings in 1 file; 1 file not reviewed; 1 file excluded",
        ),
        (
            report(Status.PARTIAL, [FINDING], [REVIEWED, PARTIAL, SKIPPED, SKIPPED]),
            "1 finding (1 high) in 2 files; 1 file only partly reviewed; 2 files not reviewed",
        ),
        (
            report(findings=[FINDING, replace(FINDING, severity=Severity.LOW)]),
            "2 findings (1 high, 1 low) in 1 file",
        ),
        (
            report(Status.FAILED, coverage=[SKIPPED]),
            "the review failed: 0 findings in 0 files; 1 file not reviewed",
        ),
    ],
)
def test_the_verdict_says_what_was_found_and_what_was_not_seen(made, expected):
    assert made.verdict == expected


@pytest.mark.parametrize(
    ("made", "fail_on", "partial_ok", "expected"),
    [
        (report(), Severity.LOW, False, 0),
        (report(findings=[FINDING]), Severity.HIGH, False, 1),
        (report(findings=[FINDING]), Severity.CRITICAL, False, 0),
        (report(Status.PARTIAL), Severity.HIGH, False, 3),
        (report(Status.PARTIAL), Severity.HIGH, True, 0),
        (report(Status.PARTIAL, [FINDING]), Severity.HIGH, True, 1),
        (report(Status.FAILED), Severity.HIGH, True, 3),
    ],
)
def test_the_exit_code_tells_findings_from_a_review_that_did_not_see_all(
    made, fail_on, partial_ok, expected
):
    assert made.exit_code(fail_on, partial_ok=partial_ok) == expected


def test_excluded_files_are_no_gap():
    assert report(coverage=[REVIEWED, PARTIAL, SKIPPED, EXCLUDED]).gaps == (PARTIAL, SKIPPED)


@pytest.mark.parametrize(
    ("num", "expected"), [(0, "0 files"), (1, "1 file"), (1500, "1,500 files")]
)
def test_counts_read_as_english(num, expected):
    assert count_of(num, "file") == expected


@pytest.mark.parametrize(
    ("revision", "expected"),
    [
        ("0123456789" * 4, "0123456789"),
        ("ab" * 32, "ababababab"),
        ("index", "index"),
        ("cafe", "cafe"),
    ],
)
def test_only_commit_ids_are_shortened(revision, expected):
    assert short_name(revision) == expected


def test_a_fingerprint_survives_moved_and_reindented_code():
    moved = replace(FINDING, span=Span(43, 44), quote="    def f( x=[] ):", message="other words")
    assert fingerprints([FINDING]) == fingerprints([moved])


@pytest.mark.parametrize(
    "other",
    [
        replace(FINDING, rule="other"),
        replace(FINDING, path="b.py"),
        replace(FINDING, scope="g"),
        replace(FINDING, quote="def f(y=[]):"),
    ],
)
def test_another_rule_place_or_code_has_another_fingerprint(other):
    assert fingerprints([FINDING]) != fingerprints([other])


def test_fingerprints_of_the_same_code_are_told_apart_by_their_order():
    names = fingerprints([FINDING, FINDING, FINDING])
    assert len(set(names)) == 3
    assert names[0] == fingerprints([FINDING])[0]


def test_a_fingerprint_takes_any_text():
    names = fingerprints([replace(FINDING, quote="\ud800\0\udcff", path="a\0b", scope="\n")])
    assert len(names[0]) == 20


@pytest.mark.parametrize("confidence", [-0.1, 1.1, float("nan"), float("inf")])
def test_a_confidence_is_a_probability(confidence):
    with pytest.raises(ValueError, match="no probability"):
        replace(FINDING, confidence=confidence)
