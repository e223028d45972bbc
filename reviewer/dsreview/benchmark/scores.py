"""Figures of a run, computed from its outcomes. Pure.

A review is flagged if it has a finding. A diff that was not reviewed whole is not silent: it
counts neither as a bug found nor as a fix left alone.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import nan

from dsreview.benchmark.intervals import Proportion, quantile
from dsreview.benchmark.items import Kind
from dsreview.benchmark.results import Found, Outcome, Side, Time
from dsreview.severity import Severity

NUM_BINS = 10


@dataclass(frozen=True, slots=True)
class Pair:
    """A bug, reviewed as it came in and as it went."""

    bug: Outcome
    fix: Outcome

    @property
    def is_told_apart(self) -> bool:
        """The headline: the bug is flagged and its own fix is not."""
        return self.bug.is_flagged and self.fix.is_silent


@dataclass(frozen=True, slots=True)
class Detection:
    """Flags on bugs against flags on diffs that bring none in: own fixes, and benign changes."""

    flagged_bugs: Proportion
    """Its rate is the recall."""
    flagged_clean: Proportion

    @property
    def precision(self) -> Proportion:
        """Of all flagged diffs, those with a bug; depends on how many of each there are."""
        true = self.flagged_bugs.num_hits
        return Proportion(true, true + self.flagged_clean.num_hits)

    @property
    def f1(self) -> float | None:
        """None where nothing is flagged and nothing was to be found."""
        true = self.flagged_bugs.num_hits
        missed = self.flagged_bugs.num - true
        wrong = self.flagged_clean.num_hits
        return 2 * true / (2 * true + missed + wrong) if true + missed + wrong else None


@dataclass(frozen=True, slots=True)
class Group:
    """The figures of some of the items."""

    name: str
    pairs: Proportion
    detection: Detection
    line_hits: Proportion
    """Bug diffs with a finding on a line of the bug."""


@dataclass(frozen=True, slots=True)
class RuleScore:
    """What a rule found, and what for."""

    rule: str
    num_on_bugs: int
    num_on_bug_lines: int
    num_on_fixes: int
    num_on_benign: int


@dataclass(frozen=True, slots=True)
class Bin:
    """Findings whose confidence is from `start` to `stop`."""

    start: float
    stop: float
    mean_confidence: float
    correct: Proportion


@dataclass(frozen=True, slots=True)
class Calibration:
    bins: tuple[Bin, ...]
    """Those with a finding, of equal width."""
    num: int

    @property
    def error(self) -> float | None:
        """Expected calibration error: the mean gap between confidence and correctness.

        Source: Naeini, Cooper, Hauskrecht, "Obtaining well calibrated probabilities using
        Bayesian binning", 2015.
        """
        if not self.num:
            return None
        gaps = (
            one.correct.num * abs(one.mean_confidence - one.correct.num_hits / one.correct.num)
            for one in self.bins
        )
        return sum(gaps) / self.num


@dataclass(frozen=True, slots=True)
class ThresholdPoint:
    """Detection if only findings of at least this confidence were shown."""

    threshold: float
    detection: Detection


@dataclass(frozen=True, slots=True)
class Costs:
    """Of one review."""

    median_s: float
    p95_s: float
    mean_prompt_tokens: float
    mean_completion_tokens: float
    num_repair_rounds: int


def pairs_of(outcomes: Sequence[Outcome]) -> tuple[Pair, ...]:
    """The bugs whose both sides are there, in order."""
    fixes = {one.item: one for one in outcomes if one.side is Side.FIX}
    return tuple(
        Pair(one, fixes[one.item]) for one in outcomes if one.side is Side.BUG and one.item in fixes
    )


def share(values: Iterable[bool]) -> Proportion:
    """How many of `values` are true."""
    known = list(values)
    return Proportion(sum(known), len(known))


def discrimination(outcomes: Sequence[Outcome]) -> Proportion:
    """Bugs that are flagged and whose own fix is reviewed whole and not flagged."""
    return share(pair.is_told_apart for pair in pairs_of(outcomes))


def detection(
    outcomes: Sequence[Outcome], is_shown: Callable[[Found], bool] = lambda _found: True
) -> Detection:
    """Flags by the findings that `is_shown`."""

    def flagged(one: Outcome) -> bool:
        return any(is_shown(found) for found in one.findings)

    return Detection(
        share(flagged(one) for one in outcomes if one.side is Side.BUG),
        share(flagged(one) for one in outcomes if one.side is not Side.BUG),
    )


def line_hits(outcomes: Sequence[Outcome]) -> Proportion:
    """Bug diffs with a finding on a line of the bug."""
    return share(
        any(found.hits_bug for found in one.findings) for one in outcomes if one.side is Side.BUG
    )


def false_alarms(outcomes: Sequence[Outcome], side: Side) -> Proportion:
    """Flagged diffs of a side on which there is nothing to find."""
    return share(one.is_flagged for one in outcomes if one.side is side)


def group(name: str, outcomes: Sequence[Outcome]) -> Group:
    return Group(name, discrimination(outcomes), detection(outcomes), line_hits(outcomes))


def by_language(outcomes: Sequence[Outcome]) -> tuple[Group, ...]:
    """One group a language, by name."""
    names = sorted({one.language for one in outcomes})
    return tuple(group(name, [o for o in outcomes if o.language == name]) for name in names)


def by_kind(outcomes: Sequence[Outcome]) -> tuple[Group, ...]:
    """One group a kind of bug, with the fixes of these bugs; benign changes have no kind."""
    kinds = [kind for kind in Kind if kind is not Kind.BENIGN]
    groups = (group(kind.value, [o for o in outcomes if o.kind is kind]) for kind in kinds)
    return tuple(one for one in groups if one.pairs.num)


def neutral(outcomes: Sequence[Outcome]) -> Group:
    """The items whose diff gives nothing away by its shape."""
    return group("neutral", [one for one in outcomes if one.neutral])


def by_severity(outcomes: Sequence[Outcome]) -> tuple[tuple[Severity, Detection], ...]:
    """Detection if only findings at or above each severity were shown; mildest first."""

    def at_least(floor: Severity) -> Detection:
        return detection(outcomes, lambda found: Severity.of(found.severity).rank >= floor.rank)

    return tuple((floor, at_least(floor)) for floor in Severity)


def by_rule(outcomes: Sequence[Outcome]) -> tuple[RuleScore, ...]:
    """What each rule found, by name."""
    found = [(one, finding) for one in outcomes for finding in one.findings]

    def count(rule: str, side: Side) -> int:
        return sum(finding.rule == rule and one.side is side for one, finding in found)

    return tuple(
        RuleScore(
            rule,
            count(rule, Side.BUG),
            sum(finding.rule == rule and finding.hits_bug for _, finding in found),
            count(rule, Side.FIX),
            count(rule, Side.BENIGN),
        )
        for rule in sorted({finding.rule for _, finding in found})
    )


def calibration(outcomes: Sequence[Outcome], *, raw: bool = False) -> Calibration:
    """How often findings of some confidence stand on a line of a bug."""
    return calibration_of(
        [
            (one.raw_confidence if raw else one.confidence, one.hits_bug)
            for outcome in outcomes
            for one in outcome.findings
        ]
    )


def calibration_of(found: Sequence[tuple[float, bool]]) -> Calibration:
    """The same of confidences and whether each was right."""
    filled: list[list[tuple[float, bool]]] = [[] for _ in range(NUM_BINS)]
    for confidence, is_correct in found:
        filled[min(int(confidence * NUM_BINS), NUM_BINS - 1)].append((confidence, is_correct))
    bins = (
        Bin(
            number / NUM_BINS,
            (number + 1) / NUM_BINS,
            sum(confidence for confidence, _ in held) / len(held),
            share(is_correct for _, is_correct in held),
        )
        for number, held in enumerate(filled)
        if held
    )
    return Calibration(tuple(bins), len(found))


def thresholds(outcomes: Sequence[Outcome]) -> tuple[ThresholdPoint, ...]:
    """Detection at every confidence that occurs, lowest first."""
    known = sorted({found.confidence for one in outcomes for found in one.findings})

    def at(threshold: float) -> Detection:
        return detection(outcomes, lambda found: found.confidence >= threshold)

    return tuple(ThresholdPoint(threshold, at(threshold)) for threshold in known)


def costs(outcomes: Sequence[Outcome], times: Sequence[Time]) -> Costs:
    """Of all reviews; nan where no time is known."""
    seconds = sorted(one.seconds for one in times)
    num = max(1, len(outcomes))
    return Costs(
        median_s=quantile(seconds, 0.5) if seconds else nan,
        p95_s=quantile(seconds, 0.95) if seconds else nan,
        mean_prompt_tokens=sum(one.prompt_tokens for one in outcomes) / num,
        mean_completion_tokens=sum(one.completion_tokens for one in outcomes) / num,
        num_repair_rounds=sum(one.repair_rounds for one in outcomes),
    )
