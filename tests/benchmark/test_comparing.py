"""Two results of one set."""

from dataclasses import replace

import pytest

from dsreview.benchmark.comparing import compare
from dsreview.benchmark.items import Kind
from dsreview.benchmark.results import BenchResult, Found, Outcome, RunFacts, SetFacts, Side
from dsreview.errors import UsageError

HIT = Found("r", "high", 1, 2, 0.9, 0.9, "model", hits_bug=True, message="m")
RUN = RunFacts("1", "local", "m", "", "cpu", "", {}, run_tests=False, counts_are_estimated=False)


def result(flags, sha="a" * 64):
    """Bugs that are flagged or not; no fix is."""
    outcomes = []
    for number, is_flagged in enumerate(flags):
        facts = ("python", Kind.REPLACE, number % 2 == 0, "complete")
        outcomes.append(
            Outcome(f"{number}", Side.BUG, *facts, findings=(HIT,) if is_flagged else ())
        )
        outcomes.append(Outcome(f"{number}", Side.FIX, *facts))
    return BenchResult(1, SetFacts("s", sha, len(flags)), RUN, tuple(outcomes))


def test_a_clear_difference_is_shown_and_has_its_figures():
    found = compare(
        result([True] * 2 + [False] * 18), result([True] * 1 + [False] + [True] * 12 + [False] * 6)
    )
    assert (found.first_only, found.second_only) == (1, 12)
    assert found.p_value == pytest.approx(2 * 14 / 2**13)
    assert found.verdict.startswith("the second tells more pairs apart")
    headline = found.differences[0]
    assert headline.rate == pytest.approx((13 - 2) / 20)
    assert headline.interval[0] > 0
    assert headline.is_shown
    assert [one.name for one in found.differences if one.first.num == 10] == ["the same, neutral"]


def test_the_better_one_may_be_the_first():
    assert compare(result([True] * 12), result([False] * 12)).verdict.startswith("the first")


def test_chance_is_no_difference():
    found = compare(result([True, False] * 6), result([False, True] * 5 + [True, True]))
    assert found.verdict.startswith("no difference shown")
    assert not found.differences[0].is_shown


def test_it_is_repeatable_and_a_swap_turns_it_round():
    one, other = result([True] * 5 + [False] * 15), result([False] * 12 + [True] * 8)
    assert compare(one, other) == compare(one, other)
    back = compare(other, one)
    assert (back.first_only, back.second_only) == (8, 5)
    assert back.differences[0].rate == -compare(one, other).differences[0].rate


def test_results_of_different_items_are_not_compared():
    with pytest.raises(UsageError, match=r"different items: s \(2 items, aaaaaaaaaaaa\) and s"):
        compare(result([True, False]), result([True, False], "b" * 64))


def test_a_figure_without_items_is_left_out():
    only_odd = result([True, False])
    without = replace(
        only_odd, outcomes=tuple(replace(one, neutral=False) for one in only_odd.outcomes)
    )
    names = [one.name for one in compare(without, without).differences]
    assert names == ["pairs told apart", "recall", "recall on the line", "false alarms on fixes"]
