"""Tables of the page: the same figures as the plots, to read and to copy."""

from collections.abc import Iterable, Sequence

from dsreview.benchmark.axes import percent, span
from dsreview.benchmark.intervals import Proportion
from dsreview.benchmark.markup import Child, Markup, join, tag
from dsreview.benchmark.results import Found, Outcome, Side
from dsreview.benchmark.scores import (
    Calibration,
    Detection,
    Group,
    RuleScore,
    ThresholdPoint,
)
from dsreview.severity import Severity

MAX_ROWS = 200


def table(caption: str, headings: Sequence[str], rows: Iterable[Sequence[Child]]) -> Markup:
    """The first cell of a row names it."""
    head = tag("tr", *(tag("th", one, scope="col") for one in headings))
    body = [
        tag("tr", tag("th", row[0], scope="row"), *(tag("td", cell) for cell in row[1:]))
        for row in rows
    ]
    whole = tag("table", tag("caption", caption), tag("thead", head), tag("tbody", *body))
    return tag("div", whole, class_="scroll", tabindex=0, role="region", aria_label=caption)


def rate(part: Proportion) -> Markup:
    """A share, and below it its interval."""
    if part.rate is None:
        return tag("span", "–", class_="soft")
    return join(percent(part.rate), tag("small", span(part.interval)))


def count(part: Proportion) -> str:
    return f"{part.num_hits:,}/{part.num:,}"


def groups_table(caption: str, groups: Sequence[Group]) -> Markup:
    return table(
        caption,
        ("", "bugs", "told apart", "recall", "on its line", "precision", "F1"),
        (
            (
                one.name,
                f"{one.pairs.num:,}",
                rate(one.pairs),
                rate(one.detection.flagged_bugs),
                rate(one.line_hits),
                rate(one.detection.precision),
                _f1(one.detection),
            )
            for one in groups
        ),
    )


def severity_table(rows: Sequence[tuple[Severity, Detection]]) -> Markup:
    return table(
        "Only findings at or above a severity",
        ("at least", "recall", "clean flagged", "precision", "F1"),
        (
            (
                severity.label,
                rate(one.flagged_bugs),
                rate(one.flagged_clean),
                rate(one.precision),
                _f1(one),
            )
            for severity, one in rows
        ),
    )


def rules_table(rows: Sequence[RuleScore]) -> Markup:
    return table(
        "Findings by rule",
        ("rule", "on bugs", "on a bug's line", "on fixes", "on benign"),
        (
            (
                tag("code", one.rule),
                f"{one.num_on_bugs:,}",
                f"{one.num_on_bug_lines:,}",
                f"{one.num_on_fixes:,}",
                f"{one.num_on_benign:,}",
            )
            for one in rows
        ),
    )


def calibration_table(series: Sequence[tuple[str, Calibration]]) -> Markup:
    return table(
        "Confidence against correctness",
        ("confidence", *(f"{label}: {what}" for label, _ in series for what in ("mean", "right"))),
        (
            (
                f"{start:.1f}–{start + 0.1:.1f}",
                *(cell for _, one in series for cell in _bin(one, start)),
            )
            for start in sorted({held.start for _, one in series for held in one.bins})
        ),
    )


def _bin(calibration: Calibration, start: float) -> tuple[Child, Child]:
    """Mean confidence and share of right findings of one bin; dashes where it is empty."""
    for one in calibration.bins:
        if one.start == start:
            right = join(percent(one.correct.rate or 0.0), tag("small", count(one.correct)))
            return f"{one.mean_confidence:.2f}", right
    return "–", "–"


def thresholds_table(points: Sequence[ThresholdPoint]) -> Markup:
    step = max(1, -(-len(points) // 10))
    return table(
        "Only findings of a confidence or more",
        ("confidence", "recall", "precision", "F1"),
        (
            (
                f"{point.threshold:.2f}",
                rate(point.detection.flagged_bugs),
                rate(point.detection.precision),
                _f1(point.detection),
            )
            for point in points[::step]
        ),
    )


def findings_table(caption: str, outcomes: Sequence[Outcome], sides: frozenset[Side]) -> Markup:
    """The first `MAX_ROWS` findings on these sides, as they were told."""
    found = [(o, one) for o in outcomes if o.side in sides for one in o.findings]
    shown = found[:MAX_ROWS]
    more = f"; the first {MAX_ROWS} of {len(found):,}" if len(found) > MAX_ROWS else ""
    return table(
        caption + more,
        ("item", "where", "rule", "what was said"),
        (
            (tag("code", outcome.item), _where(outcome, one), tag("code", one.rule), one.message)
            for outcome, one in shown
        ),
    )


def gaps_table(outcomes: Sequence[Outcome]) -> Markup:
    rows = [one for one in outcomes if one.status != "complete"]
    return table(
        f"Not reviewed whole: {len(rows):,} of {len(outcomes):,} reviews",
        ("item", "side", "why"),
        ((tag("code", one.item), one.side.value, "; ".join(one.gaps)) for one in rows[:MAX_ROWS]),
    )


def _where(outcome: Outcome, found: Found) -> str:
    side = {Side.BUG: "bug", Side.FIX: "its fix", Side.BENIGN: "benign"}[outcome.side]
    hit = ", on the bug" if found.hits_bug else ""
    return f"{side}, line {found.start}{hit}"


def _f1(detection: Detection) -> Child:
    return tag("span", "–", class_="soft") if detection.f1 is None else percent(detection.f1)
