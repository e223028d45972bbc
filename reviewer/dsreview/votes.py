"""What several answers about the same code have in common. Pure.

A model that is asked again and again comes back to what it sees, and invents something new
each time where it sees nothing: what most answers find is kept, at the share that finds it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from statistics import median_low
from typing import Final

from dsreview.finding import Basis, Finding, Refusal, Severity
from dsreview.patch import Span

MIN_SIMILARITY: Final = 0.35
"""Of the words of two messages, those they share, where rules differ: models name one defect
`off-by-one` now and `wrong-bound` then."""
_WORD: Final = re.compile(r"[^\W_]{3,}")
TOO_FEW_VOTES: Final = "votes"
"""The reason of a refusal."""


@dataclass(frozen=True, slots=True)
class Vote:
    """A finding of one answer."""

    finding: Finding
    certainty_of_place: float
    """Factor on its confidence."""


@dataclass(frozen=True, slots=True)
class Agreement:
    findings: tuple[Finding, ...]
    refused: tuple[Refusal, ...]


@dataclass(slots=True)
class _Group:
    votes: list[Vote]
    """The first of them stands for the group: what joins agrees with it."""
    ballots: set[int] = field(default_factory=set)


def agree(ballots: Sequence[Sequence[Vote]]) -> Agreement:
    """What more than half of `ballots` find; the others are refused, and counted.

    An answer that could not be read is an empty ballot: it finds nothing.
    """
    groups: list[_Group] = []
    for number, ballot in enumerate(ballots):
        for vote in ballot:
            group = next((one for one in groups if _are_one(one, vote, number)), None)
            if group is None:
                group = _Group([])
                groups.append(group)
            group.votes.append(vote)
            group.ballots.add(number)
    elected = [group for group in groups if 2 * len(group.ballots) > len(ballots)]
    return Agreement(
        tuple(_elected(group, len(ballots)) for group in elected),
        tuple(_refusal(group, len(ballots)) for group in groups if group not in elected),
    )


def are_same(left: Finding, right: Finding) -> bool:
    """Whether two answers speak of one defect: place, and rule or words."""
    if left.path != right.path or not _overlap(left.span, right.span):
        return False
    return left.rule == right.rule or similarity(left.message, right.message) >= MIN_SIMILARITY


def similarity(left: str, right: str) -> float:
    """Shared words of all words: Jaccard, 1912.

    >>> similarity("the last page is lost", "the last page gets lost")
    0.8
    """
    ours, theirs = (frozenset(_WORD.findall(text.lower())) for text in (left, right))
    return len(ours & theirs) / len(ours | theirs) if ours | theirs else 0.0


def _are_one(group: _Group, vote: Vote, number: int) -> bool:
    return number not in group.ballots and are_same(group.votes[0].finding, vote.finding)


def _overlap(left: Span, right: Span) -> bool:
    """A gap overlaps the lines that it lies between."""
    return left.start < _stop(right) and right.start < _stop(left)


def _stop(span: Span) -> int:
    return max(span.stop, span.start + 1)


def _elected(group: _Group, num_ballots: int) -> Finding:
    """The first that has a suggestion, or the first; as severe as half of them say."""
    vote = next((one for one in group.votes if one.finding.suggestion), group.votes[0])
    ranks = [one.finding.severity.rank for one in group.votes]
    severity = next(one for one in Severity if one.rank == median_low(ranks))
    share = len(group.ballots) / num_ballots
    return replace(
        vote.finding,
        severity=severity,
        confidence=share * vote.certainty_of_place,
        basis=Basis.VOTES,
    )


def _refusal(group: _Group, num_ballots: int) -> Refusal:
    finding = group.votes[0].finding
    message = f"{len(group.ballots)} of {num_ballots} votes: {finding.message}"
    return Refusal(finding.path, finding.rule, TOO_FEW_VOTES, message)
