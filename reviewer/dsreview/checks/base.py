"""What every check returns."""

from collections.abc import Iterable
from dataclasses import dataclass

from dsreview.finding import Finding


@dataclass(frozen=True, slots=True)
class Failure:
    """A file, or a part of one, that could not be checked: becomes a coverage row."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class CheckResult:
    findings: tuple[Finding, ...] = ()
    failures: tuple[Failure, ...] = ()


OUT_OF_TIME = "the time budget was used up"
"""The reason of a failure that nothing but the clock is to blame for."""


def never() -> bool:
    """There is no time limit."""
    return False


def ignore() -> None:
    """Nobody counts along."""


def joined(results: Iterable[CheckResult]) -> CheckResult:
    """All findings and failures, in the order given."""
    listed = tuple(results)
    return CheckResult(
        findings=tuple(finding for result in listed for finding in result.findings),
        failures=tuple(failure for result in listed for failure in result.failures),
    )
