"""The checks' part of a review: rules, then what the change breaks elsewhere."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dsreview import languages, symbols
from dsreview.cache import Cache
from dsreview.change import Change, ChangedFile
from dsreview.checks.base import CheckResult
from dsreview.checks.impact import find_impacts
from dsreview.checks.rules import RuleSet, find_by_rules
from dsreview.coverage import CoverageLedger
from dsreview.finding import Finding
from dsreview.patch import FileKind, FilePatch, FileStatus
from dsreview.progress import Progress
from dsreview.report import Coverage, CoverageState
from dsreview.sandbox import Sandbox
from dsreview.selection import DELETED


@dataclass(frozen=True, slots=True)
class Checked:
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CheckStage:
    sandbox: Sandbox
    cache: Cache
    progress: Progress
    is_over: Callable[[], bool]
    """Whether the time budget is used up."""

    def run(self, change: Change, files: Sequence[ChangedFile], ledger: CoverageLedger) -> Checked:
        """Check `files`, and write into `ledger` what was read and what was not.

        Raises:
            RuleError: a team's rule file cannot be used.
        """
        known = [file for file in files if file.language]
        rules = RuleSet.builtin().with_team_rules(change.settings, self.sandbox)
        with self.progress.phase("checks", len(known)) as phase:
            by_rules = find_by_rules(known, rules, self.sandbox, self.is_over, phase.advance)
        with self.progress.phase("impact"):
            impact = find_impacts(change, known, self.sandbox, self.cache, self.is_over)
        notes = [
            f".dsreview/rules replaces the built-in rule {name}"
            for name in rules.replaced(file.language for file in known)
        ]
        notes += _account("rules", by_rules, known, ledger)
        rest = _settle_deleted(change, impact, ledger)
        notes += _account("impact", rest, [f for f in known if _is_searched(change, f)], ledger)
        return Checked(by_rules.findings + impact.findings, tuple(notes))


def _account(
    reviewer: str, result: CheckResult, files: Sequence[ChangedFile], ledger: CoverageLedger
) -> list[str]:
    """Who read which file; notes on failures of files that the change does not touch."""
    failed = {failure.path: failure.reason for failure in result.failures}
    for file in files:
        reason = failed.pop(file.path, None)
        if reason is None:
            ledger.read(file.patch.path, reviewer)
        else:
            ledger.left_out(file.patch.path, reason)
    return [f"{path}: {reason}" for path, reason in failed.items()]


def _settle_deleted(change: Change, impact: CheckResult, ledger: CoverageLedger) -> CheckResult:
    """Rows for the deleted files whose uses were looked for; the other failures."""
    failed = {failure.path: failure.reason for failure in impact.failures}
    for patch in change.patch.files if change.is_whole else ():
        if not _is_searched_for(patch):
            continue
        reason = failed.pop(patch.path, None)
        if reason is not None:
            ledger.settle(Coverage(patch.path, CoverageState.SKIPPED, reason))
        else:
            ledger.settle(
                Coverage(patch.path, CoverageState.REVIEWED, DELETED, reviewers=("impact",))
            )
    rest = tuple(failure for failure in impact.failures if failure.path in failed)
    return CheckResult(impact.findings, rest)


def _is_searched_for(patch: FilePatch) -> bool:
    """Whether the impact checks look for what still refers to a deleted file."""
    language = languages.detect(patch.old_path)
    is_deleted = patch.status is FileStatus.DELETED and patch.kind is FileKind.REGULAR
    return is_deleted and language is not None and language.name in symbols.LANGUAGES


def _is_searched(change: Change, file: ChangedFile) -> bool:
    """Whether the impact checks look at a changed file."""
    return change.is_whole and file.cell is None and file.language in symbols.LANGUAGES
