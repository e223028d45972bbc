"""Prefixes that were computed, kept for the next call: the latest ones that fit."""

from collections import deque
from collections.abc import Sequence

from dsengine.runner import Prefix

_NUM_SEEN = 32


class PrefixStore:
    """Found by what they hold: any beginning of a kept prefix is a prefix."""

    def __init__(self, empty: Prefix, max_bytes: int) -> None:
        self._empty = empty
        self._max_bytes = max_bytes
        self._kept: list[Prefix] = []
        """The one used last stands last."""
        self._seen: deque[tuple[int, ...]] = deque(maxlen=_NUM_SEEN)
        """Prompts that came alone."""

    def num_shareable(self, prompts: Sequence[Sequence[int]]) -> int:
        """How many first tokens of `prompts`, which come together, are worth to be kept.

        Those that they share; of a lone prompt, those with which kept prefixes or lone
        prompts before it began, so many that most tokens were saved. At least one token of
        each prompt is left to start from.
        """
        shortest = min((tuple(one) for one in prompts), key=len)[:-1]
        if len(prompts) > 1:
            return min(num_common(prompts), len(shortest))
        known = len(self.longest(shortest).ids)
        shared = [num_common([shortest, one]) for one in self._seen]
        self._seen.append(tuple(prompts[0]))
        saved = max(((n * sum(m >= n for m in shared), n) for n in shared), default=(0, 0))
        return max(known, saved[1])

    def longest(self, ids: Sequence[int]) -> Prefix:
        """The longest known beginning of `ids`."""
        best, count = self._empty, 0
        for prefix in self._kept:
            common = num_common([prefix.ids, ids])
            if common > count:
                best, count = prefix, common
        if count:
            self._kept.remove(best)
            self._kept.append(best)
        return best.cut(count)

    def keep(self, prefix: Prefix) -> None:
        """Older ones make room; those that `prefix` begins with are of no more use."""
        kept = [one for one in self._kept if prefix.ids[: len(one.ids)] != one.ids]
        kept.append(prefix)
        while len(kept) > 1 and sum(one.size_bytes for one in kept) > self._max_bytes:
            kept.pop(0)
        self._kept = kept

    def forget_others(self, prefix: Prefix) -> bool:
        """Keep only what begins with `prefix`; whether that frees memory."""
        count = len(prefix.ids)
        kept = [one for one in self._kept if count and one.ids[:count] == prefix.ids]
        has_freed = len(kept) < len(self._kept)
        self._kept = kept
        return has_freed

    def clear(self) -> None:
        self._kept = []


def num_common(prompts: Sequence[Sequence[int]]) -> int:
    """Length of the longest prefix that all prompts share."""
    first, last = (tuple(one) for one in (min(prompts, key=tuple), max(prompts, key=tuple)))
    low, high = 0, min(len(first), len(last))
    while low < high:  # comparing slices is quick, looking at each token is not
        middle = (low + high + 1) // 2
        low, high = (middle, high) if first[:middle] == last[:middle] else (low, middle - 1)
    return low
