"""How sure a proportion is, and whether two of them differ. Pure; nothing but counts."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

Z_95 = 1.959963984540054
"""The normal distribution's 97.5 % point."""
NUM_RESAMPLES = 2_000


@dataclass(frozen=True, slots=True)
class Proportion:
    """`num_hits` of `num`, with its 95 % interval. Of nothing, nothing is known: 0 to 1."""

    num_hits: int
    num: int

    def __post_init__(self) -> None:
        if not 0 <= self.num_hits <= self.num:
            raise ValueError(f"not a proportion: {self.num_hits} of {self.num}")

    @property
    def rate(self) -> float | None:
        """None of nothing."""
        return self.num_hits / self.num if self.num else None

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's score interval.

        Source: E. B. Wilson, "Probable inference, the law of succession, and statistical
        inference", 1927; without continuity correction.
        """
        if not self.num:
            return 0.0, 1.0
        share = self.num_hits / self.num
        spread = Z_95 * Z_95 / self.num
        centre = (share + spread / 2) / (1 + spread)
        half = Z_95 * sqrt(share * (1 - share) / self.num + spread / (4 * self.num)) / (1 + spread)
        low = 0.0 if self.num_hits == 0 else max(0.0, centre - half)
        high = 1.0 if self.num_hits == self.num else min(1.0, centre + half)
        return low, high


def mcnemar(num_first_only: int, num_second_only: int) -> float:
    """The chance of a split at least as uneven where both are equally good; two-sided, exact.

    Source: the sign test on discordant pairs; Q. McNemar, 1947.
    """
    num = num_first_only + num_second_only
    fewer = min(num_first_only, num_second_only)
    tail = ways = 1
    for count in range(fewer):
        ways = ways * (num - count) // (count + 1)  # of choosing count + 1
        tail += ways
    return min(1.0, 2 * tail / (1 << num))


def bootstrap(
    differences: Sequence[int], seed: int = 0, num_resamples: int = NUM_RESAMPLES
) -> tuple[float, float]:
    """The 95 % percentile interval of the mean of paired differences; of none, (0, 0)."""
    num = len(differences)
    if not num:
        return 0.0, 0.0
    generator = random.Random(seed)  # noqa: S311  repeatable, not secret
    means = sorted(sum(generator.choices(differences, k=num)) / num for _ in range(num_resamples))
    return quantile(means, 0.025), quantile(means, 0.975)


def quantile(ordered: Sequence[float], share: float) -> float:
    """Between the two nearest of sorted values, as most statistics programs do.

    >>> quantile([1.0, 2.0, 3.0, 4.0], 0.5)
    2.5
    """
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)
