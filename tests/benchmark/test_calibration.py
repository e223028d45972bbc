"""Maps from what a model says to how often it is right."""

from dataclasses import replace

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsreview.benchmark.calibration import (
    FITS,
    MIN_FINDINGS,
    Judged,
    fit_map,
    fit_result,
    held_out,
    isotonic,
    judged,
    platt,
)
from dsreview.benchmark.items import Kind
from dsreview.benchmark.results import BenchResult, Found, Outcome, RunFacts, SetFacts, Side
from dsreview.calibration import CalibrationKey, CalibrationMap, at, calibrate, no_calibration
from dsreview.calibration_files import find_calibration, keep_calibration
from dsreview.errors import UsageError
from dsreview.finding import Basis, Finding, Origin, Severity
from dsreview.patch import Span

KEY = CalibrationKey("tiny", "digest", "revision", Basis.LOGITS, 1)


def points(*rows):
    return [Judged(f"i{number}", raw, bool(right)) for number, (raw, right) in enumerate(rows)]


@pytest.mark.parametrize(
    ("rows", "knots"),
    [
        # worked by hand: neighbours that fall are pooled
        ([(0.1, 0), (0.2, 1), (0.3, 0), (0.4, 1)], [(0.1, 0), (0.2, 0.5), (0.3, 0.5), (0.4, 1)]),
        ([(0.1, 1), (0.2, 0)], [(0.1, 0.5), (0.2, 0.5)]),
        ([(0.5, 1), (0.5, 0), (0.5, 1), (0.9, 1)], [(0.5, 2 / 3), (0.9, 1)]),
        ([(0.1, 0), (0.2, 1), (0.3, 1), (0.4, 0)], [(0.1, 0), (0.2, 2 / 3), (0.4, 2 / 3)]),
        ([(0.7, 1)], [(0.7, 1)]),
        (
            [(0.1, 1), (0.2, 1), (0.3, 0), (0.4, 0), (0.5, 1)],
            [(0.1, 0.5), (0.4, 0.5), (0.5, 1)],
        ),
    ],
)
def test_pooling_gives_the_nearest_rising_steps(rows, knots):
    assert [pytest.approx(knot) for knot in knots] == list(isotonic(points(*rows)))


def test_a_sigmoid_finds_the_odds_that_made_the_points():
    rows = [(raw, place < 100 * raw) for raw in (0.2, 0.5, 0.8) for place in range(100)]
    knots = platt(points(*rows))
    for raw in (0.2, 0.5, 0.8):
        assert at(knots, raw) == pytest.approx(raw, abs=0.02)
    shrunk = platt(points(*[(0.99, place < 60) for place in range(100)]))
    assert at(shrunk, 0.99) == pytest.approx(0.6, abs=0.02)


ROWS = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=40)


@pytest.mark.parametrize("fit", FITS.values(), ids=FITS)
@given(rows=ROWS)
@settings(max_examples=60, deadline=None)
def test_a_map_never_falls_and_stays_a_probability(fit, rows):
    fitted = CalibrationMap(KEY, "", fit(points(*rows)), len(rows), 0, 0)
    values = [fitted.calibrated(number / 50) for number in range(51)]
    assert values == sorted(values)
    assert all(0 <= value <= 1 for value in values)


@given(ROWS)
def test_isotonic_is_no_worse_than_any_constant_where_it_was_fitted(rows):
    given_points = points(*rows)
    knots = isotonic(given_points)
    rate = sum(one.is_right for one in given_points) / len(rows)
    errors = [(at(knots, one.raw) - one.is_right) ** 2 for one in given_points]
    constant = [(rate - one.is_right) ** 2 for one in given_points]
    assert sum(errors) <= sum(constant) + 1e-9


def overconfident(num):
    """Says 0.9 where 0.3 is true, and 0.6 where 0.1 is."""
    return points(
        *[(0.9, n % 10 < 3) for n in range(num)], *[(0.6, n % 10 < 1) for n in range(num)]
    )


def test_what_is_told_of_a_map_is_measured_on_held_out_findings():
    fitted = fit_map(KEY, overconfident(100))
    assert fitted.error_before == pytest.approx(0.55, abs=0.01)
    assert fitted.error_after < 0.06
    assert fitted.calibrated(0.9) == pytest.approx(0.3, abs=0.03)
    assert fitted.calibrated(0.6) == pytest.approx(0.1, abs=0.03)
    assert fitted.in_words.startswith("calibrated (N=200, ECE 0.550 -> 0.0")


def test_both_sides_of_an_item_are_held_out_together():
    """What was learned of a bug says much of its own fix."""
    pairs = [Judged(f"i{n}", 0.5, is_right) for n in range(23) for is_right in (True, False)]
    seen = []

    def fit(rest):
        seen.append({one.item for one in rest})
        return ((0.5, 0.5),)

    assert len(held_out(fit, pairs)) == len(pairs)
    missing = [name for items in seen for name in {one.item for one in pairs} - items]
    assert sorted(missing) == sorted({one.item for one in pairs})


@pytest.mark.parametrize(
    "knots", [(), ((0.5, 1.5),), ((0.5, 0.5), (0.4, 0.6)), ((0.4, 0.6), (0.5, 0.5))]
)
def test_a_map_that_falls_is_none(knots):
    with pytest.raises(ValueError, match="calibration"):
        CalibrationMap(KEY, "", knots, 1, 0, 0)


def found(confidence, hits, basis="logits", origin="model"):
    return Found("a-b", "high", 1, 2, confidence, confidence, origin, hits, "m", None, basis)


def result(findings, model_identity="digest"):
    outcomes = tuple(
        Outcome(f"i{n}", Side.BUG, "python", Kind.REPLACE, True, "complete", findings=(one,))
        for n, one in enumerate(findings)
    )
    run = RunFacts("1", "local", "tiny", model_identity, "cpu", "revision", {}, False, False)
    return BenchResult(1, SetFacts("set", "0", len(outcomes)), run, outcomes)


def test_each_way_to_tell_confidence_has_its_own_map():
    findings = [found(0.9, n % 2 == 0) for n in range(30)]
    findings += [found(0.4, True, basis="stated") for _ in range(30)]
    findings += [found(0.9, False, origin="rule") for _ in range(30)]
    by_basis = {one.key.basis: one for one in fit_result(result(findings))}
    assert set(by_basis) == {Basis.LOGITS, Basis.STATED}
    assert by_basis[Basis.LOGITS].calibrated(0.9) == pytest.approx(0.5, abs=0.01)
    assert by_basis[Basis.STATED].calibrated(0.4) > 0.9
    assert len(judged(result(findings).outcomes, Basis.LOGITS)) == 30


@pytest.mark.parametrize(
    ("findings", "identity", "words"),
    [
        ([found(0.9, True)] * (MIN_FINDINGS - 1), "digest", "needs 20"),
        ([found(0.9, True)] * 50, "", "no model ran"),
    ],
)
def test_what_cannot_be_calibrated_is_said(findings, identity, words):
    with pytest.raises(UsageError, match=words):
        fit_result(result(findings, identity))


@pytest.fixture
def fitted(monkeypatch, tmp_path):
    monkeypatch.setenv("DSREVIEW_DATA_DIR", str(tmp_path / "data"))
    return fit_map(KEY, overconfident(100))


def test_a_map_is_found_by_what_it_was_fitted_to_alone(fitted):
    path = keep_calibration(fitted)
    assert find_calibration(KEY) == fitted
    for other in (
        replace(KEY, identity="other weights"),
        replace(KEY, prompt_revision="other words"),
        replace(KEY, basis=Basis.VOTES),
        replace(KEY, votes=5),
    ):
        assert find_calibration(other) is None
    path.write_bytes(path.read_bytes().replace(b'"knots"', b'"nots"'))
    assert find_calibration(KEY) is None
    path.write_bytes(msgspec.json.encode(replace(fitted, key=replace(KEY, votes=5))))
    assert find_calibration(KEY) is None


def test_findings_of_the_model_carry_both_confidences(fitted):
    given = Finding(
        "a-b",
        Severity.HIGH,
        "a.py",
        Span(1, 2),
        "q",
        "m",
        "s",
        0.9,
        Origin.MODEL,
        basis=Basis.LOGITS,
    )
    others = (replace(given, origin=Origin.RULE), replace(given, basis=Basis.STATED))
    keep_calibration(fitted)
    done = calibrate((given, *others), lambda basis: replace(KEY, basis=basis), find_calibration)
    assert done.findings[0].raw_confidence == 0.9
    assert done.findings[0].confidence == round(fitted.calibrated(0.9), 3)
    assert done.findings[1:] == others
    assert done.in_words == fitted.in_words
    assert calibrate(others, lambda basis: KEY, no_calibration).in_words == ""
