"""The page of a run: one file that needs no other, no script and no network.

Every text of an item or a model goes through `markup.text`.
"""

from collections.abc import Sequence

from dsreview.benchmark import scores
from dsreview.benchmark.axes import percent, seconds, span
from dsreview.benchmark.intervals import Proportion
from dsreview.benchmark.markup import Child, Markup, join, tag
from dsreview.benchmark.page_sections import (
    accuracy_section,
    confidence_section,
    cost_section,
    facts_section,
    findings_section,
    pairs_section,
    suggestions_section,
)
from dsreview.benchmark.page_style import STYLE
from dsreview.benchmark.results import BenchResult, Side, Times

_NO_NETWORK = "default-src 'none'; style-src 'unsafe-inline'"


def render_page(result: BenchResult, times: Times) -> str:
    """The page, as HTML."""
    title = f"{result.set.name}: {what_ran(result)}"
    sections: Sequence[Child] = (
        pairs_section(result.outcomes),
        accuracy_section(result.outcomes),
        findings_section(result.outcomes),
        confidence_section(result.outcomes),
        suggestions_section(result.outcomes),
        cost_section(result.outcomes, times),
        facts_section(result, times),
    )
    body = tag(
        "main",
        tag("p", "dsreview bench", class_="soft"),
        tag("h1", title),
        _tiles(result, times),
        *sections,
        _footer(),
    )
    head = tag(
        "head",
        Markup('<meta charset="utf-8">'),
        Markup('<meta name="viewport" content="width=device-width, initial-scale=1">'),
        Markup(f'<meta http-equiv="Content-Security-Policy" content="{_NO_NETWORK}">'),
        tag("title", f"dsreview bench: {title}"),
        tag("style", Markup(STYLE)),
    )
    return f"<!doctype html>\n{tag('html', head, tag('body', body), lang='en')}\n"


def what_ran(result: BenchResult) -> str:
    """The model by its own name, or that there was none."""
    return result.run.model or "the checks, no model"


def _tiles(result: BenchResult, times: Times) -> Markup:
    outcomes = result.outcomes
    cost = scores.costs(outcomes, times.times)
    detection = scores.detection(outcomes)
    tiles = [
        _tile(
            scores.discrimination(outcomes),
            "of bugs told apart from their own fix: flagged, and the fix left alone",
            "tile first",
        ),
        _tile(scores.neutral(outcomes).pairs, "the same, where the diff's shape tells nothing"),
        _tile(detection.flagged_bugs, "recall: bug diffs with a finding"),
        _tile(detection.precision, "precision: of flagged diffs, those with a bug"),
        _tile(scores.false_alarms(outcomes, Side.FIX), "false alarms on the fixes"),
    ]
    benign = scores.false_alarms(outcomes, Side.BENIGN)
    if benign.num:
        tiles.append(_tile(benign, "false alarms on benign changes"))
    if times.times:
        words = f"a review, median; 95 % within {seconds(cost.p95_s)}"
        tiles.append(
            tag("div", tag("b", seconds(cost.median_s)), tag("span", words), class_="tile")
        )
    return tag("div", *tiles, class_="tiles")


def _tile(part: Proportion, words: str, style: str = "tile") -> Markup:
    if part.rate is None:
        return tag("div", tag("b", "–"), tag("span", f"{words}: none"), class_=style)
    return tag(
        "div",
        tag("b", percent(part.rate)),
        tag("span", words),
        tag("small", f"{part.num_hits:,} of {part.num:,}; 95 %: {span(part.interval)}"),
        class_=style,
    )


def _footer() -> Markup:
    return tag(
        "footer",
        tag(
            "p",
            "Intervals are Wilson's, 95 %. A finding is right where it is on a line of the bug. "
            "A diff holds little but its bug, so that recall alone says little: look at pairs. "
            "Told apart by a coin: 25 %; by flagging all or nothing: 0 %.",
        ),
        tag(
            "p",
            join("Figures are computed from ", tag("code", "result.json"), " beside this page."),
        ),
    )
