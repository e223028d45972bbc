"""The figures of a run on a terminal."""

import os
import sys

from rich.console import Console
from rich.table import Table
from rich.text import Text

from dsreview.benchmark import scores
from dsreview.benchmark.intervals import Proportion
from dsreview.benchmark.results import Side
from dsreview.benchmark.running import Finished
from dsreview.report import count_of
from dsreview.sanitize import terminal_line

PLAIN_WIDTH = 100


def print_summary(finished: Finished) -> None:
    """Write the headline, then what it is made of, to standard output."""
    result = finished.result
    outcomes = result.outcomes
    console = Console(
        file=sys.stdout, width=None if sys.stdout.isatty() else PLAIN_WIDTH, _environ=os.environ
    )
    what = result.run.model or "the checks, no model"
    console.print(
        Text(terminal_line(f"{result.set.name}, {count_of(result.set.num_items, 'item')}: {what}"))
    )
    table = Table(box=None, pad_edge=False)
    for heading in ("", "pairs told apart", "bugs flagged", "on its line", "clean flagged"):
        table.add_column(heading, justify="left" if not heading else "right")
    groups = [
        scores.group("all", outcomes),
        scores.neutral(outcomes),
        *scores.by_language(outcomes),
        *scores.by_kind(outcomes),
    ]
    for group in groups:
        table.add_row(
            Text(terminal_line(group.name)),
            in_words(group.pairs),
            in_words(group.detection.flagged_bugs),
            in_words(group.line_hits),
            in_words(group.detection.flagged_clean),
        )
    console.print(table)
    console.print("in brackets: 95 % intervals (Wilson)", style="dim")
    benign = scores.false_alarms(outcomes, Side.BENIGN)
    if benign.num:
        console.print(f"false alarms on benign changes: {in_words(benign)}")
    cost = scores.costs(outcomes, finished.times.times)
    gaps = sum(one.status != "complete" for one in outcomes)
    if gaps:
        console.print(f"not reviewed whole: {gaps:,} of {len(outcomes):,} reviews")
    if finished.num_resumed:
        known = count_of(finished.num_resumed, "item")
        console.print(f"gone on from an unfinished run: {known} were known")
    console.print(f"seconds a review: median {cost.median_s:.3f}, p95 {cost.p95_s:.3f}")


def in_words(part: Proportion) -> str:
    """
    >>> in_words(Proportion(1, 2))
    '1/2 50.0% [9.5-90.5]'
    """
    if part.rate is None:
        return "-"
    low, high = part.interval
    return f"{part.num_hits:,}/{part.num:,} {part.rate:.1%} [{100 * low:.1f}-{100 * high:.1f}]"
