"""What became of the suggestions of a run. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from dsreview.benchmark.intervals import Proportion
from dsreview.benchmark.results import Outcome, Side
from dsreview.benchmark.scores import share
from dsreview.constraints import CONSTRAINTS
from dsreview.constraints.fits_file import FITS_FILE
from dsreview.constraints.parses import PARSES
from dsreview.finding import Proof

CONSTRAINT_NAMES = tuple(constraint.name for constraint in CONSTRAINTS)
"""In the order they are tried."""
OTHER_REASONS = ("answer", "anchor", "window", "budget", "length", "deadline", "backend")
"""For which a suggestion went before any constraint saw it whole."""


@dataclass(frozen=True, slots=True)
class SuggestionScores:
    """Counts of suggestions; a repaired one counts once, as its last round left it."""

    num_published: int
    num_verified: int
    """Of those published; the others could not be parsed for reasons of their surroundings."""
    num_after_repair: int
    """Of those published, how many a later round wrote."""
    refused: tuple[tuple[str, int], ...]
    """By reason, those of constraints in the order they are tried."""
    equal_to_fix: Proportion
    """Of those published on a bug diff."""
    tests_passed: Proportion
    """Of those published on a bug diff whose item's own test was run."""

    @property
    def num_proposed(self) -> int:
        return self.num_published + sum(count for _, count in self.refused)

    @property
    def num_applied(self) -> int:
        """Those that fitted their file."""
        return self._num_past(FITS_FILE.name)

    @property
    def num_parsed(self) -> int:
        """Those that reached the parser's constraint and held it."""
        return self._num_past(PARSES.name)

    def _num_past(self, name: str) -> int:
        later = CONSTRAINT_NAMES[CONSTRAINT_NAMES.index(name) + 1 :]
        return self.num_published + sum(count for reason, count in self.refused if reason in later)


def suggestion_scores(outcomes: Sequence[Outcome]) -> SuggestionScores:
    """Over all sides; what can be judged only against the bug, over bug diffs."""
    published = [
        (outcome.side, found.suggestion)
        for outcome in outcomes
        for found in outcome.findings
        if found.suggestion is not None
    ]
    on_bugs = [suggestion for side, suggestion in published if side is Side.BUG]
    reasons = Counter(one.reason for outcome in outcomes for one in outcome.refused)
    tested = [one.passes_test for one in on_bugs if one.passes_test is not None]
    return SuggestionScores(
        num_published=len(published),
        num_verified=sum(one.proof == Proof.VERIFIED for _, one in published),
        num_after_repair=sum(one.repair_round > 1 for _, one in published),
        refused=tuple(
            (reason, reasons[reason])
            for reason in (*CONSTRAINT_NAMES, *OTHER_REASONS)
            if reasons[reason]
        ),
        equal_to_fix=share(one.equals_fix for one in on_bugs),
        tests_passed=share(tested),
    )
