"""How often findings of some confidence turn out right: a model's confidence made honest.

A map is fitted to judged findings by `dsreview bench --calibrate` and holds for what it was
fitted to: one model, one prompt, one way to tell confidence. Pure.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import pairwise

from dsreview.confidence import NUM_DIGITS
from dsreview.finding import Basis, Finding, Origin

Knots = tuple[tuple[float, float], ...]
"""Places and values, both ascending."""


@dataclass(frozen=True, slots=True)
class CalibrationKey:
    """What a map holds for."""

    model: str
    """As the backend calls itself."""
    identity: str
    """Digest of all that shapes an answer: `Backend.identity`."""
    prompt_revision: str
    basis: Basis
    votes: int


@dataclass(frozen=True, slots=True)
class CalibrationMap:
    """A map that never falls: straight between its knots, level beyond them."""

    key: CalibrationKey
    method: str
    """How it was fitted: `isotonic` or `platt`."""
    knots: Knots
    """Raw and calibrated confidence, ascending; at least one."""
    num_findings: int
    """That it was fitted to."""
    error_before: float
    """Expected calibration error of the raw confidence."""
    error_after: float
    """The same of the calibrated one, on findings that were held out of the fit."""

    def __post_init__(self) -> None:
        values = [value for knot in self.knots for value in knot]
        if not values or not all(0 <= value <= 1 for value in values):
            raise ValueError("a calibration without knots, or beyond 0 and 1")
        if any(right[0] <= left[0] or right[1] < left[1] for left, right in pairwise(self.knots)):
            raise ValueError("a calibration that falls")

    def calibrated(self, raw: float) -> float:
        """The confidence that belongs to a raw one."""
        return at(self.knots, raw)

    @property
    def in_words(self) -> str:
        """
        >>> key = CalibrationKey("m", "", "", Basis.LOGITS, 1)
        >>> CalibrationMap(key, "platt", ((0.5, 0.5),), 212, 0.31, 0.04).in_words
        'calibrated (N=212, ECE 0.310 -> 0.040)'
        """
        errors = f"ECE {self.error_before:.3f} -> {self.error_after:.3f}"
        return f"calibrated (N={self.num_findings:,}, {errors})"


def at(knots: Knots, raw: float) -> float:
    """What knots come to at one place."""
    place = bisect_right(knots, raw, key=lambda knot: knot[0])
    if place == 0:
        return knots[0][1]
    left = knots[place - 1]
    if place == len(knots):
        return left[1]
    right = knots[place]
    share = (raw - left[0]) / (right[0] - left[0])
    return min(right[1], left[1] + share * (right[1] - left[1]))


FindCalibration = Callable[[CalibrationKey], CalibrationMap | None]
"""The map that holds for a model and a prompt, where one was fitted."""


def no_calibration(_key: CalibrationKey) -> CalibrationMap | None:
    """Nothing was fitted."""
    return None


@dataclass(frozen=True, slots=True)
class Calibrated:
    findings: tuple[Finding, ...]
    in_words: str
    """Of the map that was used; empty where there was none."""


def calibrate(
    findings: Iterable[Finding], key_of: Callable[[Basis], CalibrationKey], find: FindCalibration
) -> Calibrated:
    """What a model found, with the confidence that its map gives; others stay as they are."""
    given = tuple(findings)
    bases = dict.fromkeys(one.basis for one in given if one.origin is Origin.MODEL)
    maps = {basis: found for basis in bases if (found := find(key_of(basis))) is not None}
    return Calibrated(
        tuple(
            _with_map(one, maps[one.basis])
            if one.origin is Origin.MODEL and one.basis in maps
            else one
            for one in given
        ),
        "; ".join(one.in_words for one in maps.values()),
    )


def _with_map(finding: Finding, fitted: CalibrationMap) -> Finding:
    raw = finding.confidence
    confidence = round(fitted.calibrated(raw), NUM_DIGITS)
    return replace(finding, confidence=confidence, raw_confidence=raw)
