"""Takes candidates in their order until there are items enough.

Benign changes are matched to the bugs: as many of each language and size as can be found, the
rest as they come.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from dsreview.benchmark.from_git_candidates import Candidate
from dsreview.benchmark.from_git_items import Maker, NoItem, Reason
from dsreview.benchmark.from_git_survival import MainLine
from dsreview.benchmark.items import Item
from dsreview.progress import Phase, Progress

MAX_LOOKS = 30
"""For each item that is wanted, so many candidates are looked at."""
SIZES = (2, 6, 12)
"""Changes of up to so many lines count as of one size, and all beyond."""


@dataclass(frozen=True, slots=True)
class Harvest:
    maker: Maker
    line: MainLine
    max_items: int
    """Of bugs, and of benign changes."""
    progress: Progress
    bugs_left_out: Counter[Reason] = field(default_factory=Counter)
    benign_left_out: Counter[Reason] = field(default_factory=Counter)
    _seen: set[str] = field(default_factory=set)
    """Changes so far: one that was made on two branches is one."""

    def bugs(self, candidates: Sequence[Candidate]) -> tuple[Item, ...]:
        """Raises GitError."""
        found: list[Item] = []
        with self.progress.phase("bugs", self.max_items) as phase:
            for one in candidates[: MAX_LOOKS * self.max_items]:
                if len(found) == self.max_items:
                    break
                item = self._made(self.maker.bug, one, self.bugs_left_out)
                if item is not None:
                    found.append(item)
                    phase.reach(len(found), self.max_items)
        return tuple(found)

    def benign(self, candidates: Sequence[Candidate], like: Sequence[Item]) -> tuple[Item, ...]:
        """As many as there are bugs to match, or as may be where there are none.

        Raises:
            GitError: git failed.
        """
        wanted = Counter(map(_shape, like))
        num_wanted = len(like) or self.max_items
        with self.progress.phase("benign", num_wanted) as phase:
            looked_at = candidates[: MAX_LOOKS * num_wanted]
            found, spare = self._matching(looked_at, wanted, num_wanted, phase)
            languages = {item.language for item in like}
            # made again: texts of all of them at once might not fit
            for one in sorted(spare, key=lambda one: one.language not in languages):
                if len(found) == num_wanted:
                    break
                found.append(self.maker.benign(one.candidate, self.line))
                phase.reach(len(found), num_wanted)
        return tuple(found)

    def _matching(
        self,
        candidates: Sequence[Candidate],
        wanted: Counter[tuple[str, int]],
        num_wanted: int,
        phase: Phase,
    ) -> "tuple[list[Item], list[_Spare]]":
        found: list[Item] = []
        spare: list[_Spare] = []
        for one in candidates:
            if len(found) == num_wanted:
                break
            item = self._made(self._lasting, one, self.benign_left_out)
            if item is None:
                continue
            shape = _shape(item)
            if wanted[shape] > 0:
                wanted[shape] -= 1
                found.append(item)
                phase.reach(len(found), num_wanted)
            elif len(spare) < num_wanted:
                spare.append(_Spare(one, item.language))
        return found, spare

    def _lasting(self, one: Candidate) -> Item:
        return self.maker.benign(one, self.line)

    def _made(
        self, make: Callable[[Candidate], Item], one: Candidate, left_out: Counter[Reason]
    ) -> Item | None:
        try:
            item = make(one)
        except NoItem as error:
            left_out[error.reason] += 1
            return None
        change = "\n".join(_changed_lines(item))
        if change in self._seen:
            left_out[Reason.TWICE] += 1
            return None
        self._seen.add(change)
        return item


@dataclass(frozen=True, slots=True)
class _Spare:
    """One whose language or size was not wanted."""

    candidate: Candidate
    language: str


def _shape(item: Item) -> tuple[str, int]:
    """Language, and the place of its size among `SIZES`."""
    size = len(_changed_lines(item))
    return item.language, sum(size > limit for limit in SIZES)


def _changed_lines(item: Item) -> list[str]:
    hunks = item.diff.split("\n")[2:]  # without the names of the file
    return [line for line in hunks if line.startswith(("+", "-"))]
