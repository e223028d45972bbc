"""Prefixes that were computed, kept for the next call: the latest ones that fit."""

from collections.abc import Sequence

from dsengine.runner import Prefix


class PrefixStore:
    """Found by what they hold: any beginning of a kept prefix is a prefix."""

    def __init__(self, empty: Prefix, max_bytes: int) -> None:
        self._empty = empty
        self._max_bytes = max_bytes
        self._kept: list[Prefix] = []
        """The one used last stands last."""

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

    def clear(self) -> None:
        self._kept = []


def num_common(prompts: Sequence[Sequence[int]]) -> int:
    """Length of the longest prefix that all prompts share."""
    first, last = min(prompts, key=tuple), max(prompts, key=tuple)
    count = 0
    for left, right in zip(first, last, strict=False):
        if left != right:
            break
        count += 1
    return count
