"""`dsreview bench compare`: whether one result is better than another, or nothing shows it."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from dsreview.benchmark.comparing import Difference
    from dsreview.benchmark.results import BenchResult

WIDTH = 100


def compare(
    first: Annotated[Path, typer.Argument(metavar="A", help="A result, or its folder.")],
    second: Annotated[Path, typer.Argument(metavar="B", help="Another one, of the same items.")],
) -> None:
    """Compare two results of the same set: what B does better than A, and how sure that is.

    McNemar's exact test on the pairs told apart; for each figure the 95 % bootstrap interval of
    the difference, over items.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from dsreview.benchmark.comparing import compare as compare_results
    from dsreview.benchmark.page import what_ran
    from dsreview.benchmark.results import read_result
    from dsreview.sanitize import terminal_line

    results = [read_result(path) for path in (first, second)]
    comparison = compare_results(*results)
    console = Console(
        file=sys.stdout, width=None if sys.stdout.isatty() else WIDTH, _environ=os.environ
    )
    facts = results[0].set
    console.print(Text(terminal_line(f"{facts.name}, {facts.num_items:,} items")))
    for letter, result in zip("AB", results, strict=True):
        console.print(Text(terminal_line(f"{letter}: {what_ran(result)}, on {result.run.device}")))
    for name, (ours, theirs) in _differing(*results):
        console.print(Text(terminal_line(f"   {name}: A {ours}, B {theirs}")))
    table = Table(box=None, pad_edge=False)
    for heading in ("", "A", "B", "B - A", "95 %", ""):
        table.add_column(heading, justify="right" if heading else "left")
    for one in comparison.differences:
        table.add_row(*_cells(one))
    console.print(table)
    console.print(
        f"pairs that only A tells apart: {comparison.first_only:,}; only B: "
        f"{comparison.second_only:,}"
    )
    console.print(comparison.verdict)


def _differing(first: "BenchResult", second: "BenchResult") -> list[tuple[str, tuple[str, str]]]:
    """Settings that are not the same in both."""
    ours, theirs = first.run.settings, second.run.settings
    names = sorted({*ours, *theirs})
    both = [(name, (ours.get(name, "-"), theirs.get(name, "-"))) for name in names]
    return [(name, texts) for name, texts in both if texts[0] != texts[1]]


def _cells(one: "Difference") -> tuple[str, ...]:
    low, high = one.interval
    return (
        one.name,
        f"{one.first.rate or 0:.1%}",
        f"{one.second.rate or 0:.1%}",
        f"{100 * one.rate:+.1f}",
        f"{100 * low:+.1f} to {100 * high:+.1f}",
        "" if one.is_shown else "no difference shown",
    )
