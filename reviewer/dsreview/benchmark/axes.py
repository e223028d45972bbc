"""Scales and ticks of plots: values to pixels. Pure."""

from dataclasses import dataclass
from math import ceil, floor, log10

NICE_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
MAX_TICKS = 5


@dataclass(frozen=True, slots=True)
class Scale:
    """Values from `low` to `high` on pixels from `start` to `stop`, which may go down."""

    low: float
    high: float
    start: float
    stop: float

    def __call__(self, value: float) -> float:
        inside = min(max(value, self.low), self.high)
        share = (inside - self.low) / (self.high - self.low)
        return self.start + share * (self.stop - self.start)


def nice_step(span: float) -> float:
    """The smallest round step that needs at most `MAX_TICKS` to cover `span`.

    >>> nice_step(1.0), nice_step(0.012), nice_step(90)
    (0.2, 0.0025, 20.0)
    """
    rough = span / MAX_TICKS
    power = 10.0 ** floor(log10(rough))
    return next(step * power for step in NICE_STEPS if step * power >= rough * (1 - 1e-9))


def ceiling(highest: float, limit: float | None = None) -> float:
    """A round end of an axis that shows `highest`, at most `limit`.

    >>> ceiling(0.013), ceiling(0.97, 1.0)
    (0.015, 1.0)
    """
    step = nice_step(highest)
    top = ceil(highest / step - 1e-9) * step
    return top if limit is None else min(top, limit)


def ticks(high: float) -> tuple[float, ...]:
    """Round values from 0 to `high`.

    >>> ticks(0.5)
    (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)
    """
    step = nice_step(high)
    return tuple(round(number * step, 12) for number in range(floor(high / step + 1e-9) + 1))


def percent(share: float) -> str:
    """
    >>> percent(0.0), percent(0.005), percent(0.1234), percent(1.0)
    ('0.0 %', '0.5 %', '12.3 %', '100.0 %')
    """
    return f"{100 * share:.1f} %"


def tick(share: float) -> str:
    """The same, as short as it can be said.

    >>> tick(0.0), tick(0.005), tick(0.25)
    ('0 %', '0.5 %', '25 %')
    """
    return f"{100 * share:.4g} %"


def span(interval: tuple[float, float]) -> str:
    """An interval of shares, in percent.

    >>> span((0.412, 0.507))
    '41.2–50.7'
    """
    low, high = interval
    return f"{100 * low:.1f}–{100 * high:.1f}"


def seconds(value: float) -> str:
    """
    >>> seconds(0.0456), seconds(3.21), seconds(75.0)
    ('46 ms', '3.2 s', '75 s')
    """
    if value < 1:
        return f"{1000 * value:.0f} ms"
    return f"{value:.1f} s" if value < 10 else f"{value:.0f} s"
