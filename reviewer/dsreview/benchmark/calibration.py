"""Fits a model's confidence to how often its findings were right on a set of known bugs. Pure.

Two maps are fitted: isotonic regression, which can take any rising form and needs many
findings, and Platt's sigmoid, which has two parameters. The one with the smaller error on
findings that were held out is kept. Both sides of an item are held out together: what was
learned of a bug says much of its own fix.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from dsreview.benchmark.results import BenchResult, Outcome
from dsreview.benchmark.scores import calibration_of
from dsreview.calibration import CalibrationKey, CalibrationMap, Knots, at
from dsreview.errors import UsageError
from dsreview.finding import Basis, Origin

MIN_FINDINGS: Final = 20
"""With fewer, the error that is told would say nothing."""
NUM_FOLDS: Final = 5
_NUM_STEPS: Final = 100
_NUM_KNOTS: Final = 60
_EDGE: Final = 1e-3
"""Confidences nearer to 0 or 1 count as this one: a sigmoid never gets there."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A finding of which it is known whether it is right."""

    item: str
    raw: float
    is_right: bool


Fit = Callable[[Sequence[Judged]], Knots]


def fit_result(result: BenchResult) -> tuple[CalibrationMap, ...]:
    """A map for each way in which the result's model tells confidence.

    Raises:
        UsageError: no model ran, or too few of its findings are there.
    """
    if not result.run.model_identity:
        raise UsageError("no model ran: there is nothing to calibrate")
    votes = int(result.run.settings.get("votes", "1"))
    by_basis = {basis: judged(result.outcomes, basis) for basis in Basis}
    maps = [
        fit_map(
            CalibrationKey(
                result.run.model,
                result.run.model_identity,
                result.run.prompt_revision,
                basis,
                votes,
            ),
            points,
        )
        for basis, points in by_basis.items()
        if len(points) >= MIN_FINDINGS
    ]
    if not maps:
        most = max(map(len, by_basis.values()))
        raise UsageError(f"{most} findings of the model; a calibration needs {MIN_FINDINGS}")
    return tuple(maps)


def judged(outcomes: Sequence[Outcome], basis: Basis) -> list[Judged]:
    """The model's findings of one basis: right are those on a line of a bug."""
    return [
        Judged(outcome.item, found.raw_confidence, found.hits_bug)
        for outcome in outcomes
        for found in outcome.findings
        if found.origin == Origin.MODEL.value and found.basis == basis.value
    ]


def fit_map(key: CalibrationKey, points: Sequence[Judged]) -> CalibrationMap:
    """The better of both maps, fitted to all of `points`; its error is that of held-out ones."""
    seen = {name: held_out(fit, points) for name, fit in FITS.items()}
    name = min(FITS, key=lambda name: _squared_error(seen[name]))
    return CalibrationMap(
        key,
        name,
        FITS[name](points),
        len(points),
        _error([(one.raw, one.is_right) for one in points]),
        _error(seen[name]),
    )


def held_out(fit: Fit, points: Sequence[Judged]) -> list[tuple[float, bool]]:
    """Each point as a map sees it that was fitted without its fold."""
    names = sorted({one.item for one in points})
    fold_of = {name: place % NUM_FOLDS for place, name in enumerate(names)}
    seen: list[tuple[float, bool]] = []
    for fold in range(NUM_FOLDS):
        rest = [one for one in points if fold_of[one.item] != fold]
        held = [one for one in points if fold_of[one.item] == fold]
        if rest and held:
            knots = fit(rest)
            seen += [(at(knots, one.raw), one.is_right) for one in held]
    return seen


def isotonic(points: Sequence[Judged]) -> Knots:
    """The rising steps nearest to `points`, joined by straight lines.

    Source: pool adjacent violators; Ayer, Brunk, Ewing, Reid, Silverman, "An empirical
    distribution function for sampling with incomplete information", 1955.
    """
    blocks: list[_Block] = []
    for one in sorted(points, key=lambda one: one.raw):
        block = _Block(one.raw, one.raw, int(one.is_right), 1)
        while blocks and (blocks[-1].rate >= block.rate or blocks[-1].stop == block.start):
            last = blocks.pop()
            block = _Block(
                last.start, block.stop, last.num_right + block.num_right, last.num + block.num
            )
        blocks.append(block)
    ends = [(end, block.rate) for block in blocks for end in (block.start, block.stop)]
    return tuple(dict.fromkeys(ends))


def platt(points: Sequence[Judged]) -> Knots:
    """A sigmoid of the log-odds, by Newton's method; level where it would fall.

    Source: Platt, "Probabilistic outputs for support vector machines", 1999, with his
    targets, which keep few points from being taken for certain.
    """
    num_right = sum(one.is_right for one in points)
    high, low = (num_right + 1) / (num_right + 2), 1 / (len(points) - num_right + 2)
    rows = [(_log_odds(one.raw), high if one.is_right else low) for one in points]
    slope, offset = _logistic(rows)
    if slope < 0:
        slope, offset = 0.0, _log_odds(sum(target for _, target in rows) / len(rows))
    edge = _log_odds(1.0)
    odds = [edge * (2 * number / _NUM_KNOTS - 1) for number in range(_NUM_KNOTS + 1)]
    return tuple((_sigmoid(one), _sigmoid(slope * one + offset)) for one in odds)


FITS: Final[dict[str, Fit]] = {"platt": platt, "isotonic": isotonic}
"""The first of them where both are as good."""


@dataclass(frozen=True, slots=True)
class _Block:
    """Neighbours that share one value."""

    start: float
    stop: float
    num_right: int
    num: int

    @property
    def rate(self) -> float:
        return self.num_right / self.num


def _logistic(rows: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Slope and offset that make the targets likeliest."""
    slope, offset = 0.0, 0.0
    for _ in range(_NUM_STEPS):
        gradient, curvature = [0.0, 0.0], [1e-9, 0.0, 1e-9]
        for x, target in rows:
            chance = _sigmoid(slope * x + offset)
            weight = chance * (1 - chance)
            gradient[0] += (target - chance) * x
            gradient[1] += target - chance
            curvature[0] += weight * x * x
            curvature[1] += weight * x
            curvature[2] += weight
        determinant = curvature[0] * curvature[2] - curvature[1] ** 2
        if determinant <= 0.0:
            break
        step = (gradient[0] * curvature[2] - gradient[1] * curvature[1]) / determinant
        shift = (gradient[1] * curvature[0] - gradient[0] * curvature[1]) / determinant
        slope, offset = slope + step, offset + shift
        if abs(step) + abs(shift) < 1e-9:
            break
    return slope, offset


def _error(pairs: Sequence[tuple[float, bool]]) -> float:
    return calibration_of(pairs).error or 0.0


def _squared_error(pairs: Sequence[tuple[float, bool]]) -> float:
    """Brier, 1950."""
    return sum((value - is_right) ** 2 for value, is_right in pairs) / max(1, len(pairs))


def _log_odds(chance: float) -> float:
    clipped = min(max(chance, _EDGE), 1 - _EDGE)
    return math.log(clipped / (1 - clipped))


def _sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value)) if value >= 0 else math.exp(value) / (1 + math.exp(value))
