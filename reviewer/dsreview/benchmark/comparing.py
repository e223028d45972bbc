"""Two results on the same set: how many pairs only one of them tells apart, and how sure that is.

Pure. Every difference is the second less the first, over the same items.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dsreview.benchmark.intervals import Proportion, bootstrap, mcnemar
from dsreview.benchmark.results import BenchResult, Outcome, Side
from dsreview.benchmark.scores import pairs_of, share
from dsreview.errors import UsageError

SIGNIFICANT = 0.05


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure of both results."""

    name: str
    first: Proportion
    second: Proportion
    interval: tuple[float, float]
    """Of the difference of the rates, 95 %, by bootstrap over items."""

    @property
    def rate(self) -> float:
        return (self.second.rate or 0.0) - (self.first.rate or 0.0)

    @property
    def is_shown(self) -> bool:
        """The interval does not hold 0."""
        low, high = self.interval
        return low > 0 or high < 0


@dataclass(frozen=True, slots=True)
class Comparison:
    first_only: int
    """Pairs that only the first result tells apart."""
    second_only: int
    differences: tuple[Difference, ...]
    """The headline first."""

    @property
    def p_value(self) -> float:
        """McNemar's exact test on the headline."""
        return mcnemar(self.first_only, self.second_only)

    @property
    def verdict(self) -> str:
        """In words; never names a winner that chance would explain."""
        if self.p_value >= SIGNIFICANT:
            return f"no difference shown (p = {self.p_value:.3g})"
        better = "second" if self.second_only > self.first_only else "first"
        return f"the {better} tells more pairs apart (p = {self.p_value:.3g})"


def compare(first: BenchResult, second: BenchResult) -> Comparison:
    """
    Raises:
        UsageError: the results are not of the same items.
    """
    if first.set.sha256 != second.set.sha256:
        raise UsageError(
            f"these are results of different items: {_named(first)} and {_named(second)}"
        )
    told = _told_apart(first.outcomes), _told_apart(second.outcomes)
    differences = (
        _difference("pairs told apart", *told),
        _difference("the same, neutral", *(_neutral(one.outcomes) for one in (first, second))),
        _flagged("recall", first, second, Side.BUG),
        _difference("recall on the line", *(_on_line(one.outcomes) for one in (first, second))),
        _flagged("false alarms on fixes", first, second, Side.FIX),
        _flagged("false alarms on benign", first, second, Side.BENIGN),
    )
    both = list(zip(*told, strict=True))
    return Comparison(
        first_only=sum(one and not other for one, other in both),
        second_only=sum(other and not one for one, other in both),
        differences=tuple(one for one in differences if one.first.num),
    )


def _named(result: BenchResult) -> str:
    facts = result.set
    return f"{facts.name} ({facts.num_items:,} items, {facts.sha256[:12]})"


def _told_apart(outcomes: Sequence[Outcome]) -> list[bool]:
    return [pair.is_told_apart for pair in pairs_of(outcomes)]


def _neutral(outcomes: Sequence[Outcome]) -> list[bool]:
    return _told_apart([one for one in outcomes if one.neutral])


def _on_line(outcomes: Sequence[Outcome]) -> list[bool]:
    return _on_side(outcomes, Side.BUG, lambda one: any(found.hits_bug for found in one.findings))


def _flagged(name: str, first: BenchResult, second: BenchResult, side: Side) -> Difference:
    flags = (
        _on_side(one.outcomes, side, lambda outcome: outcome.is_flagged) for one in (first, second)
    )
    return _difference(name, *flags)


def _on_side(
    outcomes: Sequence[Outcome], side: Side, holds: Callable[[Outcome], bool]
) -> list[bool]:
    return [holds(one) for one in outcomes if one.side is side]


def _difference(name: str, first: Sequence[bool], second: Sequence[bool]) -> Difference:
    steps = [int(new) - int(old) for old, new in zip(first, second, strict=True)]
    return Difference(name, share(first), share(second), bootstrap(steps))
