"""What passes cost and how often drafts hold, measured while the model runs. B rows.

Tokens are drafted while each is expected to bring more than it costs; on a device where a
longer pass costs as much as several short ones, none is.
"""

import statistics
from bisect import bisect_left
from collections import deque
from collections.abc import Sequence

_FIRST_CHANCE = 0.6
"""That a token of a draft holds, before any was tried."""
_WEIGHT = 6.0
"""Tokens that the first chance counts for."""
_FADING = 0.97
"""Of older drafts, with each new one."""
_FIRST_SLOPE = 0.04
"""Of a plain pass, for each further token, before any was measured."""
_KEPT_TIMES = 7
_TRUSTED_TIMES = 2
"""The first time of a size may hold what happens once: warming up, capturing."""
_STEP = 8
"""Passes of more tokens than this are as dear as the next multiple of it."""
_MARGIN = 1.02
"""By which a pass with drafts must be expected to beat one without."""


class _Times:
    """The latest times of one kind of pass, seconds; the median is not moved by a stall."""

    def __init__(self) -> None:
        self._latest: deque[float] = deque(maxlen=_KEPT_TIMES)

    def add(self, seconds: float) -> None:
        self._latest.append(seconds)

    @property
    def is_known(self) -> bool:
        return len(self._latest) >= _TRUSTED_TIMES

    @property
    def median(self) -> float:
        return statistics.median(self._latest)


class Pace:
    """Of one model on one device."""

    def __init__(self) -> None:
        self._steps: dict[int, _Times] = {}
        """By rows."""
        self._passes: dict[int, _Times] = {}
        """With drafts, by tokens."""
        self._held: dict[str, tuple[float, float]] = {}
        """Tokens that held and tokens that were tried, by kind of draft."""

    def learn_step(self, num_rows: int, seconds: float) -> None:
        """A pass of one token a row, its host work included."""
        self._steps.setdefault(num_rows, _Times()).add(seconds)

    def learn_pass(self, num_tokens: int, seconds: float) -> None:
        """A pass with drafts; padding counts where the runner pads."""
        self._passes.setdefault(_size(num_tokens), _Times()).add(seconds)

    def learn_draft(self, kind: str, num_held: int, num_tried: int) -> None:
        held, tried = self._held.get(kind, (0.0, 0.0))
        self._held[kind] = (held * _FADING + num_held, tried * _FADING + num_tried)

    def chances(self, kind: str, num_tokens: int) -> list[float]:
        """That the first, the second and so on of a draft's tokens are reached and hold."""
        held, tried = self._held.get(kind, (0.0, 0.0))
        rate = (held + _FIRST_CHANCE * _WEIGHT) / (tried + _WEIGHT)
        return [rate ** (place + 1) for place in range(num_tokens)]

    def lengths(self, chances: Sequence[Sequence[float]], is_ragged: bool) -> list[int]:
        """How many tokens of each row's draft to pass; all 0 where a plain step is better.

        Args:
            chances: for each row, those of the tokens of its draft, falling.
            is_ragged: a pass costs by its tokens, not by rows times the longest of them.
        """
        num_rows = len(chances)
        plain = self._steps.get(num_rows)
        if plain is None or not plain.is_known:
            return [0] * num_rows
        best, most = [0] * num_rows, _MARGIN * num_rows / plain.median
        for lengths in _by_tokens(chances) if is_ragged else _by_width(chances):
            width = max(lengths) + 1
            num_tokens = num_rows + sum(lengths) if is_ragged else num_rows * width
            expected = num_rows + sum(
                sum(row[:length]) for row, length in zip(chances, lengths, strict=True)
            )
            rate = expected / self._pass_s(num_tokens, num_rows, plain.median)
            if rate > most:
                best, most = lengths, rate
        return best

    def _pass_s(self, num_tokens: int, num_rows: int, plain_s: float) -> float:
        """Seconds of a pass with drafts: measured, or from passes a little shorter or longer."""
        size = _size(num_tokens)
        known = sorted(
            (tokens, times.median) for tokens, times in self._passes.items() if times.is_known
        )
        place = bisect_left(known, (size, 0.0))
        if place < len(known) and known[place][0] == size:
            return known[place][1]
        below = known[place - 1] if place else (num_rows, plain_s)
        if place == len(known):
            return below[1] + _FIRST_SLOPE * plain_s * max(0, size - below[0])
        above = known[place]
        share = (size - below[0]) / max(1, above[0] - below[0])
        return below[1] + min(1.0, max(0.0, share)) * (above[1] - below[1])


def _size(num_tokens: int) -> int:
    return num_tokens if num_tokens <= _STEP else -(-num_tokens // _STEP) * _STEP


def _by_width(chances: Sequence[Sequence[float]]) -> list[list[int]]:
    """Each width of a padded pass, filled with what the rows have."""
    widest = max(map(len, chances))
    return [[min(len(row), width) for row in chances] for width in range(1, widest + 1)]


def _by_tokens(chances: Sequence[Sequence[float]]) -> list[list[int]]:
    """The likeliest tokens of all rows first, as many as fill each size."""
    ordered = sorted(
        ((-chance, number) for number, row in enumerate(chances) for chance in row),
    )
    lengths, found = [0] * len(chances), []
    for count, (_, number) in enumerate(ordered, start=1):
        lengths[number] += 1
        num_tokens = len(chances) + count
        if _size(num_tokens) == num_tokens or count == len(ordered):
            found.append(list(lengths))
    return found
