"""How likely a model held it that there is a finding: read from the tokens of its answer.

Before each finding the list either ends or opens one. Whichever token that falls on, its
alternatives say how likely both were; tokens that leave it open (white space, "[", ",")
carry the decision on to the next. A token may hold any piece of the answer: what counts is
what the answer so far becomes with it, so every tokenizer is read alike.

What is compared is opening against ending and against going on as the answer did: wording
that differs without deciding has no say. Of tokens that were not told, nothing is known:
hence the bounds.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Final

from dsreview.prompt import TokenChoice

NUM_ALTERNATIVES: Final = 8
"""Asked of each token. The two ways on rarely hide behind more spellings than that."""

NUM_DIGITS: Final = 3
"""What is told of a probability; later digits are those of a batch's rounding."""

_LIST: Final = re.compile(r'"findings"\s*:\s*\[')
_MAX_HEAD: Final = 96
"""Characters within which the head of the list stands, white space included."""
_END_OF_THINKING: Final = "</think>"


@dataclass(frozen=True, slots=True)
class Belief:
    """Probability that there is a finding, where the model decided."""

    probability: float
    low: float
    """If every token that was not told ends the list."""
    high: float
    """If every one of them opens a finding."""


@dataclass(frozen=True, slots=True)
class _Reading:
    """How far an answer has come."""

    head: str = ""
    """The last characters before the list; nothing once it is open."""
    is_open: bool = False
    is_ended: bool = False
    num_opened: int = 0
    """Findings that were opened: by the "," behind another one, or else by their "{"."""
    has_comma: bool = False
    depth: int = 0
    """Brackets that are open inside the list."""
    is_in_string: bool = False
    is_escaped: bool = False

    @property
    def is_between(self) -> bool:
        """Inside the list and outside of findings: the next character decides, or waits."""
        return self.is_open and not self.is_ended and not self.depth


@dataclass(frozen=True, slots=True)
class _Step:
    """Probabilities at one token."""

    opens: float
    ends: float
    waits: float
    """Of the token that was taken, where it decides nothing."""
    untold: float
    """Of what may decide either way: not told, or another way to wait."""


def beliefs(tokens: Sequence[TokenChoice]) -> tuple[Belief, ...]:
    """One for each finding that the answer opens, in its order; none without tokens."""
    found: list[Belief] = []
    steps: list[_Step] = []
    before = _Reading()
    for choice in _answered(tokens):
        after = _read(before, choice.text)
        steps.append(_step(before, after, choice))
        num_new = after.num_opened - before.num_opened
        if num_new:  # a token may open several: it decides of the first, the others come along
            found += [_belief(steps), *[_CERTAIN] * (num_new - 1)]
            steps = []
        if after.is_ended:
            break
        before = after
    return tuple(found)


_CERTAIN: Final = Belief(1.0, 1.0, 1.0)


def _answered(tokens: Sequence[TokenChoice]) -> Sequence[TokenChoice]:
    """Without the thinking that some servers tell as well."""
    text = "".join(choice.text for choice in tokens)
    end = text.rfind(_END_OF_THINKING)
    while end >= 0 and not _LIST.search(text, end):  # quoted in a finding
        end = text.rfind(_END_OF_THINKING, 0, end)
    stops = accumulate(len(choice.text) for choice in tokens)
    return [choice for choice, stop in zip(tokens, stops, strict=True) if stop > end]


def _read(reading: _Reading, text: str) -> _Reading:
    """What the answer becomes with `text` behind it."""
    if not reading.is_open:
        head = reading.head + text
        opened = _LIST.search(head)
        if opened is None:
            return replace(reading, head=head[-_MAX_HEAD:])
        reading, text = replace(reading, head="", is_open=True), head[opened.end() :]
    for character in text:
        reading = _read_in_list(reading, character)
    return reading


def _read_in_list(reading: _Reading, character: str) -> _Reading:
    if reading.is_ended:
        return reading
    if reading.is_in_string:
        if reading.is_escaped:
            return replace(reading, is_escaped=False)
        if character == "\\":
            return replace(reading, is_escaped=True)
        return replace(reading, is_in_string=False) if character == '"' else reading
    if character == '"':
        return replace(reading, is_in_string=True)
    if character in "[{":
        is_new = not reading.depth and not reading.has_comma
        num_opened = reading.num_opened + is_new
        return replace(reading, depth=reading.depth + 1, num_opened=num_opened, has_comma=False)
    if character in "]}" and reading.depth:
        return replace(reading, depth=reading.depth - 1)
    if character == "]":
        return replace(reading, is_ended=True)
    if character == "," and not reading.depth and reading.num_opened and not reading.has_comma:
        return replace(reading, num_opened=reading.num_opened + 1, has_comma=True)
    return reading


def _step(before: _Reading, after: _Reading, choice: TokenChoice) -> _Step:
    told = {other.text: 0.0 for other in choice.top} | {choice.text: math.exp(choice.logprob)}
    for other in choice.top:
        if other.text != choice.text:
            told[other.text] += math.exp(other.logprob)
    opens = ends = 0.0
    for text, probability in told.items():
        way = _read(before, text)
        if way.num_opened > before.num_opened:
            opens += probability
        elif way.is_ended:
            ends += probability
    has_decided = after.num_opened > before.num_opened or after.is_ended
    waits = 0.0 if has_decided else told[choice.text]
    is_near = before.is_between or has_decided or opens or ends
    untold = max(0.0, 1.0 - opens - ends - waits) if is_near else 0.0
    return _Step(opens, ends, waits, untold)


def _belief(steps: Sequence[_Step]) -> Belief:
    """The decision that `steps` lead to, each given the ones before it."""
    opened = _chance(steps, untold_opens=0.0, untold_ends=0.0)
    return Belief(
        opened,
        min(opened, _chance(steps, untold_opens=0.0, untold_ends=1.0)),
        max(opened, _chance(steps, untold_opens=1.0, untold_ends=0.0)),
    )


def _chance(steps: Sequence[_Step], untold_opens: float, untold_ends: float) -> float:
    chance, here = 0.0, 1.0
    for step in steps:
        opens = step.opens + untold_opens * step.untold
        ends = step.ends + untold_ends * step.untold
        total = opens + ends + step.waits
        if total > 0.0:
            chance += here * opens / total
            here *= step.waits / total
    return min(1.0, chance)
