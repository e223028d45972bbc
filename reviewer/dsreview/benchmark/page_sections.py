"""The sections of the page: a plot beside its table, and a sentence that says what they show."""

from collections.abc import Sequence

from dsreview.benchmark import scores
from dsreview.benchmark.axes import percent, seconds
from dsreview.benchmark.markup import Child, Markup, join, tag
from dsreview.benchmark.page_tables import (
    calibration_table,
    findings_table,
    gaps_table,
    groups_table,
    rate,
    rules_table,
    severity_table,
    table,
    thresholds_table,
)
from dsreview.benchmark.plots import (
    Row,
    bars_plot,
    calibration_plot,
    intervals_plot,
    seconds_plot,
    thresholds_plot,
)
from dsreview.benchmark.results import BenchResult, Outcome, Side, Times
from dsreview.benchmark.suggestion_scores import suggestion_scores

COIN = 0.25
"""Pairs told apart by who flags each diff with probability one half."""

Outcomes = Sequence[Outcome]


def pairs_section(outcomes: Outcomes) -> Markup:
    """The headline, by language."""
    groups = [
        scores.group("all", outcomes),
        scores.neutral(outcomes),
        *scores.by_language(outcomes),
    ]
    if not groups[0].pairs.num:
        return _section("Pairs told apart", "The set holds no bugs.")
    rows = [Row(one.name, one.pairs) for one in groups if one.pairs.num]
    return _section(
        "Pairs told apart",
        "The bug is flagged, and its own fix, the same diff backwards, is left alone. "
        "Neutral: as many lines added as removed and no comment touched. A coin "
        "would tell 25 % apart (dashed, where in sight).",
        intervals_plot("Pairs told apart, by language, with 95 % intervals", rows, COIN),
        groups_table("By language", groups),
    )


def accuracy_section(outcomes: Outcomes) -> Markup:
    """Precision, recall and F1 by kind and severity, and false alarms."""
    kinds = scores.by_kind(outcomes)
    alarms = [
        Row(name, scores.false_alarms(outcomes, side))
        for name, side in (("own fixes", Side.FIX), ("benign", Side.BENIGN))
    ]
    rows = [Row(f"bugs, {one.name}", one.detection.flagged_bugs) for one in kinds]
    shown = [row for row in (*rows, *alarms) if row.value.num]
    if not shown:
        return _section("What is flagged", "Nothing was reviewed.")
    return _section(
        "What is flagged",
        "Bugs by how they differ from the code without them, and diffs on which there is nothing "
        "to find. Precision depends on how many of each the set holds.",
        intervals_plot("Share of diffs with a finding, with 95 % intervals", shown),
        join(
            groups_table("By kind of bug", kinds),
            severity_table(scores.by_severity(outcomes)),
        ),
    )


def findings_section(outcomes: Outcomes) -> Markup:
    """What was said, false alarms first."""
    rules = scores.by_rule(outcomes)
    if not rules:
        return _section("Findings", "None.", _gaps(outcomes))
    wrong = frozenset({Side.FIX, Side.BENIGN})
    lists = [
        _folded(caption, findings_table(caption, outcomes, sides))
        for caption, sides in (
            ("Where there was nothing to find", wrong),
            ("On bugs", frozenset({Side.BUG})),
        )
        if any(one.side in sides and one.findings for one in outcomes)
    ]
    return _section(
        "Findings",
        "A rule that finds more on fixes and benign changes than on bugs costs more than it finds.",
        rules_table(rules),
        join(*lists, _gaps(outcomes)),
    )


def confidence_section(outcomes: Outcomes) -> Markup:
    """Whether a finding of confidence 0.7 is right seven times of ten."""
    told = scores.calibration(outcomes)
    if not told.num:
        return _section("Confidence", "No finding has one.")
    raw = scores.calibration(outcomes, raw=True)
    series = [("as told", told)]
    if raw != told:
        series = [("calibrated", told), ("as it came", raw)]
    errors = "; ".join(f"{label} {one.error or 0:.3f}" for label, one in series)
    points = scores.thresholds(outcomes)
    return _section(
        "Confidence",
        f"On the dashed line, confidence is honest. Expected calibration error: {errors}; "
        f"{told.num:,} findings. Below: what a threshold of confidence would let through.",
        calibration_plot("Findings on a line of the bug, by confidence", series),
        calibration_table(series),
        thresholds_plot("Precision over recall, by threshold of confidence", points),
        thresholds_table(points),
    )


def suggestions_section(outcomes: Outcomes) -> Markup:
    """How far suggestions came."""
    one = suggestion_scores(outcomes)
    if not one.num_proposed:
        return _section("Suggestions", "None was made.")
    rows = [
        ("proposed", one.num_proposed),
        ("apply", one.num_applied),
        ("parse", one.num_parsed),
        ("published", one.num_published),
        ("verified", one.num_verified),
        ("after a repair", one.num_after_repair),
        ("equal the fix", one.equal_to_fix.num_hits),
    ]
    if one.tests_passed.num:
        rows.append(("pass the test", one.tests_passed.num_hits))
    judged: list[tuple[Child, Child]] = [
        ("equal the fix, of those on bugs", rate(one.equal_to_fix)),
        ("pass the item's test, of those run", rate(one.tests_passed)),
        *((f"refused: {reason}", f"{count:,}") for reason, count in one.refused),
    ]
    return _section(
        "Suggestions",
        "Constraints are tried in order, and the first that fails refuses a suggestion: "
        "each bar counts those that came so far. Nothing that was refused is published.",
        bars_plot("What became of suggestions", rows),
        table("Of the suggestions", ("", "share or count"), judged),
    )


def cost_section(outcomes: Outcomes, times: Times) -> Markup:
    """Seconds and tokens."""
    cost = scores.costs(outcomes, times.times)
    ordered = sorted(one.seconds for one in times.times)
    if not ordered:
        return _section("Cost", "No times are known.")
    rows: list[tuple[Child, Child]] = [
        ("reviews", f"{len(ordered):,}"),
        ("median", seconds(cost.median_s)),
        ("95 % within", seconds(cost.p95_s)),
        ("longest", seconds(ordered[-1])),
        ("prompt tokens, mean", f"{cost.mean_prompt_tokens:,.0f}"),
        ("answer tokens, mean", f"{cost.mean_completion_tokens:,.0f}"),
        ("repair rounds", f"{cost.num_repair_rounds:,}"),
    ]
    marks = [("median", cost.median_s), ("95 %", cost.p95_s)]
    return _section(
        "Cost",
        f"Wall time of one review on {times.machine}; of a batch, until all of it was there.",
        seconds_plot("How many reviews took how long", ordered, marks),
        table("Of one review", ("", ""), rows),
    )


def facts_section(result: BenchResult, times: Times) -> Markup:
    """All that someone needs who repeats it."""
    run = result.run
    facts = [
        ("set", f"{result.set.name}, {result.set.num_items:,} items"),
        ("its digest", result.set.sha256),
        ("dsreview", run.version),
        ("backend", run.backend),
        ("model", run.model or "none"),
        ("its digest", run.model_identity or "none"),
        ("device", run.device),
        ("prompt", run.prompt_revision or "none"),
        ("machine", times.machine),
        ("item tests", "executed" if run.run_tests else "not executed"),
        *((name.replace("_", "-"), value or "–") for name, value in run.settings.items()),
    ]
    if run.counts_are_estimated:
        facts.append(("tokens", "counts are estimates"))
    rows = [child for name, value in facts for child in (tag("dt", name), tag("dd", value))]
    return _section("What ran", "", tag("dl", *rows, class_="facts"))


def _gaps(outcomes: Outcomes) -> Markup:
    gaps = sum(one.status != "complete" for one in outcomes)
    if not gaps:
        return tag("p", f"All {len(outcomes):,} reviews saw their whole diff.")
    share = percent(gaps / len(outcomes))
    return _folded(f"Not reviewed whole: {gaps:,} ({share})", gaps_table(outcomes))


def _folded(summary: str, content: Markup) -> Markup:
    return tag("details", tag("summary", summary), tag("div", content, class_="texts"))


def _section(title: str, words: str, *content: Markup) -> Markup:
    """Two and two beside each other where there is room."""
    said: list[Child] = [tag("p", words, class_="soft")] if words else []
    rows = [content[at : at + 2] for at in range(0, len(content), 2)]
    drawn = [
        tag("div", *(tag("div", one) for one in row), class_="beside") if len(row) > 1 else row[0]
        for row in rows
    ]
    return tag("section", tag("h2", title), *said, *drawn)
