"""The result of a review: what was found, what was seen, and at what cost."""

import re
from dataclasses import dataclass
from enum import StrEnum

from dsreview.finding import ANSWERED_BY_CHANGE, Finding, Refusal, Severity

ESTIMATED_TOKENS = "token counts are estimates"
"""The one note that says nothing of what was reviewed."""
NO_MODEL = "no model: only the checks ran; `dsreview doctor` says how to get one"
"""The one note that is the same for every change, as long as nobody installs a model."""


class Status(StrEnum):
    COMPLETE = "complete"
    PARTIAL = "partial"
    FAILED = "failed"


class CoverageState(StrEnum):
    REVIEWED = "reviewed"
    PARTIAL = "partial"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Coverage:
    """What became of one file of the change; every file has exactly one row."""

    path: str
    state: CoverageState
    reason: str = ""
    """Why it is not `reviewed`; empty if it is."""
    is_excluded: bool = False
    """Skipped by a rule the user knows (ignored, binary, no source code): no gap."""
    reviewers: tuple[str, ...] = ()
    """Who read it: `model`, `rules`, `impact`."""

    @property
    def is_gap(self) -> bool:
        return self.state is not CoverageState.REVIEWED and not self.is_excluded


@dataclass(frozen=True, slots=True)
class Stats:
    """Cost of a review. Tokens and seconds are 0 where no model ran."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    model_seconds: float = 0.0
    """Wall time of the model alone."""
    seconds: float = 0.0
    """Wall time of the whole review."""
    device: str = ""
    model: str = ""
    cache_hits: int = 0
    cache_misses: int = 0
    repair_rounds: int = 0
    votes: int = 1
    """Answers about each context."""
    calibration: str = ""
    """Of the model's confidence, in words; empty where it is as it came."""

    @property
    def tokens_per_second(self) -> float:
        measurable = self.model_seconds >= 0.001
        return self.completion_tokens / self.model_seconds if measurable else 0.0


@dataclass(frozen=True, slots=True)
class Report:
    status: Status
    findings: tuple[Finding, ...]
    """Most severe first, then by path and line."""
    coverage: tuple[Coverage, ...]
    """In the order of the patch."""
    stats: Stats
    refused: tuple[Refusal, ...] = ()
    notes: tuple[str, ...] = ()
    """One line each: no model installed, only hunks known, what to do about it."""
    base_name: str = ""
    head_name: str = ""
    prompt_revision: str = ""
    max_findings: int = 5
    """How many findings are shown in full; the rest is listed and counted."""

    @property
    def num_by_severity(self) -> dict[Severity, int]:
        """Every severity has its count, mildest first."""
        counts = dict.fromkeys(Severity, 0)
        for finding in self.findings:
            counts[finding.severity] += 1
        return counts

    @property
    def gaps(self) -> tuple[Coverage, ...]:
        """The files that should have been reviewed, and were not or only in part."""
        return tuple(row for row in self.coverage if row.is_gap)

    @property
    def verdict(self) -> str:
        """The review in one line; never reads as "all is well" where not all was seen."""
        num_seen = sum(row.state is not CoverageState.SKIPPED for row in self.coverage)
        clauses = [f"{self._findings_in_words()} in {count_of(num_seen, 'file')}"]
        for state, words in _GAPS_IN_WORDS.items():
            num_gaps = sum(row.state is state for row in self.gaps)
            if num_gaps:
                clauses.append(f"{count_of(num_gaps, 'file')} {words}")
        if self.status is Status.PARTIAL and len(clauses) == 1:
            clauses.append("not everything was reviewed")
        num_answered = sum(one.reason == ANSWERED_BY_CHANGE for one in self.refused)
        if num_answered:
            clauses.append(f"{num_answered:,} {ANSWERED_BY_CHANGE}")
        num_excluded = sum(row.is_excluded for row in self.coverage)
        if num_excluded:
            clauses.append(f"{count_of(num_excluded, 'file')} excluded")
        text = "; ".join(clauses)
        return f"the review failed: {text}" if self.status is Status.FAILED else text

    def _findings_in_words(self) -> str:
        if not self.findings:
            return "no findings" if self.status is Status.COMPLETE else "0 findings"
        counts = [
            f"{num} {severity.label}"
            for severity, num in reversed(self.num_by_severity.items())
            if num
        ]
        return f"{count_of(len(self.findings), 'finding')} ({', '.join(counts)})"

    def exit_code(self, fail_on: Severity, *, partial_ok: bool) -> int:
        """0 clean, 1 a finding at or above `fail_on`, 3 not everything was seen."""
        if any(finding.severity.rank >= fail_on.rank for finding in self.findings):
            return 1
        if self.status is Status.FAILED or (self.status is Status.PARTIAL and not partial_ok):
            return 3
        return 0


_GAPS_IN_WORDS = {
    CoverageState.PARTIAL: "only partly reviewed",
    CoverageState.SKIPPED: "not reviewed",
}


def count_of(num: int, noun: str) -> str:
    """
    >>> count_of(1, "file"), count_of(0, "file"), count_of(1500, "token")
    ('1 file', '0 files', '1,500 tokens')
    """
    return f"{num:,} {noun}" if num == 1 else f"{num:,} {noun}s"


def short_name(revision: str) -> str:
    """A commit id as people quote it; any other name as it is.

    >>> short_name("e31de680a0698cbaeae336fbb828b0af4676cb36"), short_name("worktree")
    ('e31de680a0', 'worktree')
    """
    return revision[:10] if re.fullmatch(r"[0-9a-f]{40,64}", revision) else revision
