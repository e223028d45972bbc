"""Plots as SVG: drawn here, no scripts, colours from the page's style, a name for readers.

All are drawn `WIDTH` wide and scaled by the page; a pixel below is one of the drawing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import log10, sqrt

from dsreview.benchmark.axes import Scale, ceiling, percent, seconds, tick, ticks
from dsreview.benchmark.intervals import Proportion
from dsreview.benchmark.markup import Child, Markup, tag
from dsreview.benchmark.scores import Calibration, ThresholdPoint

WIDTH = 460.0
LEFT, RIGHT, BOTTOM = 46.0, 14.0, 44.0
ROW = 28.0
LABELS, FIGURES = 100.0, 126.0
MAX_LABEL = 15
SQUARE = 340.0


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a plot: what it is of, and how much."""

    label: str
    value: Proportion


def intervals_plot(name: str, rows: Sequence[Row], note_at: float | None = None) -> Markup:
    """A dot with its 95 % interval for each row; a dashed line at `note_at`, if it is shown."""
    top = ceiling(max(row.value.interval[1] for row in rows if row.value.num), 1.0)
    x = Scale(0.0, top, LABELS, WIDTH - FIGURES)
    height = ROW * len(rows) + 26
    drawn: list[Child] = list(_x_grid(x, 0.0, ROW * len(rows)))
    if note_at is not None and note_at < top:
        at = x(note_at)
        drawn.append(tag("line", class_="note", x1=at, x2=at, y1=0, y2=ROW * len(rows)))
    for number, row in enumerate(rows):
        drawn += _interval_row(row, x, ROW * (number + 0.5))
    return _drawing(name, height, drawn)


def _interval_row(row: Row, x: Scale, y: float) -> Iterable[Markup]:
    yield _label(row.label, LABELS - 8, y + 4, "end")
    if row.value.rate is None:
        yield _label("none", x.start + 4, y + 4, "start", "soft")
        return
    low, high = (x(one) for one in row.value.interval)
    yield tag("line", class_="whisker", x1=low, x2=high, y1=y, y2=y)
    for end in (low, high):
        yield tag("line", class_="whisker", x1=end, x2=end, y1=y - 4, y2=y + 4)
    yield tag("circle", class_="dot", cx=x(row.value.rate), cy=y, r=4.5)
    figures = f"{percent(row.value.rate)}  ({row.value.num_hits:,}/{row.value.num:,})"
    yield _label(figures, WIDTH - FIGURES + 10, y + 4, "start", "figure")


def bars_plot(name: str, rows: Sequence[tuple[str, int]]) -> Markup:
    """A bar for each count."""
    top = max(1, *(count for _, count in rows))
    labels = 130.0
    x = Scale(0.0, float(top), labels, WIDTH - 60)
    drawn: list[Child] = []
    for number, (label, count) in enumerate(rows):
        y = ROW * (number + 0.5)
        drawn.append(_label(label, labels - 8, y + 4, "end"))
        drawn.append(
            tag("rect", class_="bar", x=labels, y=y - 8, width=x(count) - labels, height=16, rx=2)
        )
        drawn.append(_label(f"{count:,}", x(count) + 6, y + 4, "start", "figure"))
    return _drawing(name, ROW * len(rows) + 8, drawn)


def calibration_plot(name: str, series: Sequence[tuple[str, Calibration]]) -> Markup:
    """Correctness over confidence, a dot a bin, its area as its findings; at most two series."""
    x = Scale(0.0, 1.0, LEFT, WIDTH - RIGHT)
    y = Scale(0.0, 1.0, SQUARE - BOTTOM, 30)
    drawn: list[Child] = [*_grid(x, y, "confidence", "on a line of the bug")]
    drawn.append(tag("line", class_="note", x1=x(0), y1=y(0), x2=x(1), y2=y(1)))
    for number, (_, one) in enumerate(series):
        suffix = "ab"[number]
        places = [(x(b.mean_confidence), y(b.correct.num_hits / b.correct.num)) for b in one.bins]
        drawn.append(_line(places, f"curve {suffix}"))
        most = max(b.correct.num for b in one.bins)
        for (cx, cy), held in zip(places, one.bins, strict=True):
            low, high = (y(end) for end in held.correct.interval)
            drawn.append(tag("line", class_=f"whisker {suffix}", x1=cx, x2=cx, y1=low, y2=high))
            radius = 3 + 5 * sqrt(held.correct.num / most)
            drawn.append(tag("circle", class_=f"dot {suffix}", cx=cx, cy=cy, r=radius))
    drawn += _legend([label for label, _ in series])
    return _drawing(name, SQUARE, drawn)


def thresholds_plot(name: str, points: Sequence[ThresholdPoint]) -> Markup:
    """Precision over recall, a dot a threshold of confidence."""
    recalls = [point.detection.flagged_bugs.rate or 0.0 for point in points]
    x = Scale(0.0, ceiling(max(*recalls, 0.001), 1.0), LEFT, WIDTH - RIGHT)
    y = Scale(0.0, 1.0, SQUARE - BOTTOM, 30)
    drawn: list[Child] = [*_grid(x, y, "recall", "precision")]
    places = [
        (x(recall), y(point.detection.precision.rate or 0.0))
        for recall, point in zip(recalls, points, strict=True)
    ]
    drawn.append(_line(places, "curve a"))
    drawn += [tag("circle", class_="dot a", cx=cx, cy=cy, r=4) for cx, cy in places]
    return _drawing(name, SQUARE, drawn)


def seconds_plot(name: str, ordered: Sequence[float], marks: Sequence[tuple[str, float]]) -> Markup:
    """How many reviews took how long, on bins of equal ratio; `marks` are named values.

    Args:
        ordered: seconds, shortest first.
    """
    low = log10(max(ordered[0], 1e-4))
    high = max(log10(max(ordered[-1], 1e-4)), low + 0.1)
    num_bins = 28
    counts = [0] * num_bins
    for value in ordered:
        share = (log10(max(value, 1e-4)) - low) / (high - low)
        counts[min(int(share * num_bins), num_bins - 1)] += 1
    x, y = Scale(low, high, LEFT, WIDTH - RIGHT), Scale(0, max(counts), 240 - BOTTOM, 34)
    drawn: list[Child] = []
    for number, count in enumerate(counts):
        left, right = (x(low + (high - low) * n / num_bins) for n in (number, number + 1))
        if count:
            drawn.append(
                tag(
                    "rect",
                    class_="bar",
                    x=left + 0.5,
                    y=y(count),
                    width=right - left - 1,
                    height=y.start - y(count),
                )
            )
    drawn.append(tag("line", class_="axis", x1=x.start, x2=x.stop, y1=y.start, y2=y.start))
    drawn += [
        _label(seconds(10**value), x(value), y.start + 18, "middle", "tick")
        for value in _log_ticks(low, high)
    ]
    drawn.append(_label("one review", (x.start + x.stop) / 2, y.start + 38, "middle", "title"))
    for number, (label, value) in enumerate(marks):
        at, height = x(log10(max(value, 1e-4))), 12.0 + 14 * number
        drawn.append(tag("line", class_="note", x1=at, x2=at, y1=height + 3, y2=y.start))
        anchor = "end" if at > WIDTH / 2 else "start"
        drawn.append(_label(f"{label} {seconds(value)}", at, height, anchor, "figure"))
    return _drawing(name, 240, drawn)


def _log_ticks(low: float, high: float) -> list[float]:
    """1, 2 and 5 of each power of ten, or the ends where fewer than two of them show."""
    powers = range(int(low) - 2, int(high) + 2)
    known = [power + log10(step) for power in powers for step in (1, 2, 5)]
    shown = [value for value in known if low <= value <= high]
    if len(shown) > 6:
        shown = [value for value in shown if abs(value - round(value)) < 1e-9]
    return shown if len(shown) > 1 else [low, high]


def _x_grid(x: Scale, top: float, bottom: float) -> Iterable[Markup]:
    for value in ticks(x.high):
        at = x(value)
        yield tag("line", class_="grid", x1=at, x2=at, y1=top, y2=bottom)
        yield _label(tick(value), at, bottom + 18, "middle", "tick")


def _grid(x: Scale, y: Scale, x_title: str, y_title: str) -> Iterable[Markup]:
    yield from _x_grid(x, y.stop, y.start)
    for value in ticks(y.high):
        yield tag("line", class_="grid", x1=x.start, x2=x.stop, y1=y(value), y2=y(value))
        yield _label(tick(value), x.start - 6, y(value) + 4, "end", "tick")
    yield _label(x_title, (x.start + x.stop) / 2, y.start + 38, "middle", "title")
    yield _label(y_title, 0.0, 14.0, "start", "title")


def _line(places: Sequence[tuple[float, float]], style: str) -> Markup:
    path = " ".join(f"{x:.2f},{y:.2f}" for x, y in places)
    return tag("polyline", class_=style, points=path)


def _legend(labels: Sequence[str]) -> Iterable[Markup]:
    for number, label in enumerate(labels):
        y = SQUARE - BOTTOM - 14 - 18 * (len(labels) - 1 - number)
        yield tag("circle", class_=f"dot {'ab'[number]}", cx=WIDTH - 120, cy=y - 4, r=5)
        yield _label(label, WIDTH - 108, y, "start", "figure")


def _label(content: str, x: float, y: float, anchor: str, style: str = "label") -> Markup:
    short = (
        content if len(content) <= MAX_LABEL or style != "label" else content[: MAX_LABEL - 1] + "…"
    )
    return tag("text", short, class_=style, x=x, y=y, text_anchor=anchor)


def _drawing(name: str, height: float, children: Iterable[Child]) -> Markup:
    return tag(
        "svg",
        tag("title", name),
        *children,
        viewBox=f"0 0 {WIDTH:.0f} {height:.0f}",
        role="img",
        aria_label=name,
    )
