"""How sure a figure is: values from tables and by hand, and laws."""

from fractions import Fraction
from itertools import pairwise
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsreview.benchmark.intervals import Proportion, bootstrap, mcnemar, quantile


@pytest.mark.parametrize(
    ("hits", "num", "low", "high"),
    [
        (10, 100, 0.0552, 0.1744),
        (50, 100, 0.4038, 0.5962),
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (1, 2, 0.0945, 0.9055),
        (0, 0, 0.0, 1.0),
    ],
)
def test_wilson_intervals_are_those_of_the_tables(hits, num, low, high):
    assert Proportion(hits, num).interval == pytest.approx((low, high), abs=5e-5)


@st.composite
def proportions(draw):
    num = draw(st.integers(1, 5_000))
    return Proportion(draw(st.integers(0, num)), num)


@given(proportions())
def test_an_interval_holds_its_rate_and_stays_a_share(part):
    low, high = part.interval
    assert 0 <= low <= part.rate <= high <= 1
    assert low < high


@given(proportions())
def test_an_interval_of_misses_is_that_of_hits_turned_round(part):
    low, high = part.interval
    other = Proportion(part.num - part.num_hits, part.num).interval
    assert other == pytest.approx((1 - high, 1 - low))


@given(proportions(), st.integers(2, 9))
def test_more_of_the_same_is_surer(part, times):
    more = Proportion(part.num_hits * times, part.num * times)
    assert more.interval[1] - more.interval[0] < part.interval[1] - part.interval[0]


@given(proportions())
def test_the_interval_is_where_the_score_test_stops_to_reject(part):
    """Wilson's ends solve |rate - p| = z * sqrt(p (1 - p) / n)."""
    for end in part.interval:
        if 0 < end < 1:
            gap = (part.rate - end) ** 2 * part.num
            assert gap == pytest.approx(1.959964**2 * end * (1 - end), rel=1e-4, abs=1e-9)


def test_a_share_beyond_all_is_no_proportion():
    with pytest.raises(ValueError, match="3 of 2"):
        Proportion(3, 2)


@pytest.mark.parametrize(
    ("first", "second", "p_value"),
    [(0, 0, 1.0), (5, 5, 1.0), (1, 9, 22 / 1024), (9, 1, 22 / 1024), (0, 6, 2 / 64), (0, 1, 1.0)],
)
def test_mcnemar_by_hand(first, second, p_value):
    assert mcnemar(first, second) == pytest.approx(p_value)


@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_is_the_two_sided_binomial_test(first, second):
    num = first + second
    as_uneven = [k for k in range(num + 1) if abs(2 * k - num) >= abs(first - second)]
    exact = sum(Fraction(comb(num, k), 2**num) for k in as_uneven)
    assert mcnemar(first, second) == pytest.approx(float(exact))


def test_mcnemar_of_thousands_overflows_nothing():
    assert mcnemar(4_000, 5_000) < 1e-20


def test_bootstrap_is_the_same_every_time_and_holds_the_mean():
    steps = [1] * 30 + [0] * 60 + [-1] * 10
    assert bootstrap(steps) == bootstrap(steps)
    low, high = bootstrap(steps)
    assert low < 0.2 < high
    # the normal approximation: 0.2 +- 1.96 * sqrt((0.4 - 0.04) / 100)
    assert (low, high) == pytest.approx((0.0824, 0.3176), abs=0.03)


def test_bootstrap_of_nothing_and_of_no_difference_is_nothing():
    assert bootstrap([]) == (0.0, 0.0)
    assert bootstrap([0] * 50) == (0.0, 0.0)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40))
def test_quantiles_are_ordered_and_inside(values):
    ordered = sorted(values)
    found = [quantile(ordered, share) for share in (0.0, 0.25, 0.5, 0.95, 1.0)]
    assert found[0] == ordered[0]
    assert found[-1] == ordered[-1]
    assert all(a <= b + 1e-6 for a, b in pairwise(found))
