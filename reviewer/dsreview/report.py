"""The result of a review: what was found, what was seen, and at what cost."""

from dataclasses import dataclass
from enum import StrEnum

from dsreview.finding import Finding, Refusal, Severity


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

    @property
    def tokens_per_second(self) -> float:
        return self.completion_tokens / self.model_seconds if self.model_seconds > 0 else 0.0


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

    def exit_code(self, fail_on: Severity, *, partial_ok: bool) -> int:
        """0 clean, 1 a finding at or above `fail_on`, 3 not everything was seen."""
        if any(finding.severity.rank >= fail_on.rank for finding in self.findings):
            return 1
        if self.status is Status.FAILED or (self.status is Status.PARTIAL and not partial_ok):
            return 3
        return 0
