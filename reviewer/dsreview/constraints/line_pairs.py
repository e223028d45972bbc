"""What an edit really changes, which lines are alike, and which stand for which."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

from dsreview.constraints.base import Candidate
from dsreview.languages.base import words
from dsreview.patch import Span

ALIKE: Final = 0.5
"""Share of tokens, or of words, that makes lines alike; bench/RESULTS.md says what it costs."""
_LEAST_ALIKE: Final = 0.3
"""Of tokens, where the lines share their words or their role."""
_TOKEN: Final = re.compile(r"\w+|[^\w\s]")
_WORD: Final = re.compile(r"\w+|\"[^\"]*\"")
_SAYS_NOTHING: Final = re.compile(
    r"[\W_]*(end|fi|done|esac|else|begin|do|then|try)?[\W_]*"
    r"|\s*(#(?!\w)|//|/\*|\*\s).*|#\s*(else|endif)\b.*"
)
_COMMON_WORDS: Final = words(
    "return if else elif for while in is not and or new const let var int this self def fun "
    "func function case throw raise break continue true false null None nil end do then static "
    "public private final auto char double float string"
)
_JUMP: Final = re.compile(r"\s*(return|break|continue|throw|raise)\b")
_HEAD: Final = re.compile(
    r"[\s})]*(if|for|while|elif|else if|elsif|unless|switch|case|def|func|fn|function|class)\b"
)
_KEY: Final = re.compile(r"\s*[\"']?([\w-]+)[\"']?\s*:(?!:)")
_GIVEN: Final = re.compile(r"\s*(?:[\w:<>,*&]+\s+)*([\w.\->\[\]$@]+)\s*:?=(?!=)")
_MOST_PAIRS: Final = 2_000


@dataclass(frozen=True, slots=True)
class Core:
    """An edit without the lines at its ends that it writes back as they were."""

    span: Span
    lines: tuple[str, ...]

    @property
    def written(self) -> Span:
        """Where `lines` stand in the edited file."""
        return Span(self.span.start, self.span.start + len(self.lines))


def core(candidate: Candidate) -> Core:
    old = [line.rstrip() for line in candidate.replaced]
    new = [line.rstrip() for line in candidate.edit.lines]
    shortest = min(len(old), len(new))
    head = next((at for at in range(shortest) if old[at] != new[at]), shortest)
    left = shortest - head
    tail = next((at for at in range(left) if old[-1 - at] != new[-1 - at]), left)
    span = candidate.edit.span
    return Core(
        Span(span.start + head, span.stop - tail),
        candidate.edit.lines[head : len(new) - tail],
    )


def is_code(line: str) -> bool:
    """Whether it says more than that something ends, and is no comment."""
    return _SAYS_NOTHING.fullmatch(line) is None


def is_jump(line: str) -> bool:
    return _JUMP.match(line) is not None


def likeness(one: str, other: str) -> float:
    """0 to 1; 0 where neither line may have been meant to replace the other."""
    ratio = shared_tokens(one, other)
    if ratio >= ALIKE or (
        ratio >= _LEAST_ALIKE and (shared_words(one, other) >= ALIKE or have_one_role(one, other))
    ):
        return ratio
    return 1.0 if is_jump(one) and is_jump(other) else 0.0


def shared_tokens(one: str, other: str) -> float:
    """0 to 1, in their order."""
    tokens, others = _TOKEN.findall(one), _TOKEN.findall(other)
    return SequenceMatcher(None, tokens, others, autojunk=False).ratio()


def shared_words(one: str, other: str) -> float:
    heads = [match[1] if match else "" for match in map(_HEAD.match, (one, other))]
    if heads[0] != heads[1]:
        return 0.0  # a guard shares its words with what it guards
    mine, others = (set(_WORD.findall(line)) - _COMMON_WORDS for line in (one, other))
    if not mine or not others:
        return 0.0
    return len(mine & others) / min(len(mine), len(others))


def have_one_role(one: str, other: str) -> bool:
    """Both open the same kind of block, or both give a value to the same name."""
    for pattern in (_HEAD, _GIVEN, _KEY):
        first, second = pattern.match(one), pattern.match(other)
        if first and second and first[1] == second[1]:
            return True
    return False


def pairs(old: Sequence[str], new: Sequence[str], first: frozenset[int]) -> dict[int, int]:
    """Index of the old line that each new one stands for, in order; those in `first` preferred.

    Lines without a like one are missing. Empty where there are too many lines to compare.
    """
    if len(old) * len(new) > _MOST_PAIRS:
        return {}
    best: list[list[tuple[float, tuple[tuple[int, int], ...]]]]
    best = [[(0.0, ())] * (len(old) + 1) for _ in range(len(new) + 1)]
    for row, line in enumerate(new, 1):
        for column, other in enumerate(old, 1):
            found = max(best[row - 1][column], best[row][column - 1], key=lambda cell: cell[0])
            score = likeness(line, other) if is_code(line) and is_code(other) else 0.0
            if score:
                before = best[row - 1][column - 1]
                total = before[0] + score + (0.25 if column - 1 in first else 0.0)
                if total > found[0]:
                    found = (total, (*before[1], (row - 1, column - 1)))
            best[row][column] = found
    return dict(best[-1][-1][1])
