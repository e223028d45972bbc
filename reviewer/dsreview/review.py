"""The pipeline: from a change to a report. The only module that knows every stage."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from dsreview.cache import Cache
from dsreview.change import Change, ChangedFile
from dsreview.checks.impact import find_impacts
from dsreview.checks.rules import RuleSet, find_by_rules
from dsreview.config import Config
from dsreview.context import Context, ContextMode, build_contexts
from dsreview.coverage import CoverageLedger
from dsreview.errors import BackendError, TaskFailed
from dsreview.evidence import check_evidence
from dsreview.finding import Finding, Origin, Refusal
from dsreview.languages.tasks import SCOPES, ScopesRequest
from dsreview.model_review import ModelSettings, Outcome, review_contexts
from dsreview.progress import Progress
from dsreview.prompt import Backend
from dsreview.repair import RepairSettings, repair
from dsreview.report import Report, Stats, Status
from dsreview.sandbox import Sandbox
from dsreview.selection import ignores, select
from dsreview.suppression import suppress

NO_MODEL = "no model: only the checks ran; `dsreview doctor` says how to get one"
OUT_OF_TIME = "the time budget was used up"
OUT_OF_TOKENS = "the token budget was used up"


@dataclass(frozen=True, slots=True)
class Tools:
    """What a review works with; opened and closed by whoever starts it."""

    sandbox: Sandbox
    cache: Cache
    open_backend: Callable[[], Backend] | None
    """Loads the model; called only when there is something to ask it."""
    progress: Progress
    clock: Callable[[], float] = time.monotonic


@dataclass(slots=True)
class _Found:
    """What the stages add up to."""

    findings: list[Finding] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    stats: Stats = field(default_factory=Stats)
    prompt_revision: str = ""


@dataclass(frozen=True, slots=True)
class _Deadline:
    """When the time budget ends, on `clock`; None where there is no budget."""

    clock: Callable[[], float]
    at: float | None

    @property
    def left_s(self) -> float | None:
        return None if self.at is None else max(0.0, self.at - self.clock())

    @property
    def is_over(self) -> bool:
        return self.left_s == 0.0


def review(change: Change, config: Config, tools: Tools) -> Report:
    """Review `change`: checks, model, gates, report.

    Raises:
        UsageError: a team's rule file cannot be used.
    """
    started = tools.clock()
    deadline = _Deadline(tools.clock, started + config.budget_s if config.budget_s else None)
    found = _Found(notes=list(change.notes))
    ledger = CoverageLedger(patch.path for patch in change.patch.files)
    selection = select(
        change, ignores(change.base, config.exclude), has_model=tools.backend is not None
    )
    for row in selection.left_out:
        ledger.settle(row)
    files = selection.files
    _run_checks(change, files, config, tools, deadline, ledger, found)
    _run_model(files, config, tools, deadline, ledger, found)
    _gate(change, files, config, tools, deadline, found)
    rows = ledger.rows()
    status = Status.PARTIAL if any(row.is_gap for row in rows) else Status.COMPLETE
    if rows and all(row.is_gap and not row.reviewers for row in rows if not row.is_excluded):
        status = Status.FAILED if status is Status.PARTIAL else status
    return Report(
        status=status,
        findings=_in_order(_on_disk(found.findings, files)),
        coverage=rows,
        stats=replace(found.stats, seconds=tools.clock() - started),
        refused=tuple(found.refused),
        notes=tuple(dict.fromkeys(found.notes)),
        base_name=change.base_name,
        head_name=change.head_name,
        prompt_revision=found.prompt_revision,
        max_findings=config.max_findings,
    )


def _run_checks(
    change: Change,
    files: Sequence[ChangedFile],
    config: Config,
    tools: Tools,
    deadline: _Deadline,
    ledger: CoverageLedger,
    found: _Found,
) -> None:
    """Rules file by file, then what the change breaks elsewhere."""
    rules = RuleSet.builtin().with_team_rules(change.base).without(config.disable)
    checked = [file for file in files if file.language]
    on_disk = {file.path: file.patch.path for file in files}
    with tools.progress.phase("checks", len(checked)) as phase:
        for file in checked:
            if deadline.is_over:
                ledger.left_out(file.patch.path, OUT_OF_TIME)
                continue
            result = find_by_rules((file,), rules, tools.sandbox)
            found.findings.extend(result.findings)
            for failure in result.failures:
                ledger.left_out(on_disk.get(failure.path, failure.path), failure.reason)
            if not result.failures:
                ledger.read(file.patch.path, "rules")
            phase.advance()
    if deadline.is_over:
        for file in checked:
            ledger.left_out(file.patch.path, OUT_OF_TIME)
        return
    impact = find_impacts(change, checked, tools.sandbox, tools.cache)
    found.findings.extend(
        finding for finding in impact.findings if finding.rule not in config.disable
    )
    for failure in impact.failures:
        if failure.path in on_disk:
            ledger.left_out(on_disk[failure.path], failure.reason)
        else:
            found.notes.append(f"{failure.path}: {failure.reason}")


def _gate(
    change: Change,
    files: Sequence[ChangedFile],
    config: Config,
    tools: Tools,
    deadline: _Deadline,
    found: _Found,
) -> None:
    """Drop what is answered, contradicted or too mild; check every suggestion."""
    severe = [f for f in found.findings if f.severity.rank >= config.min_severity.rank]
    scoped = _with_scopes(severe, files, tools.sandbox)
    kept, ignored, notes = suppress(scoped, {file.path: file.text for file in files})
    found.notes.extend(notes)
    kept, contradicted = check_evidence(_distinct(kept), change, files, tools.sandbox)
    settings = RepairSettings(max_rounds=config.max_rounds, deadline_s=deadline.left_s)
    result = repair(kept, files, tools.sandbox, tools.backend, settings)
    found.findings = list(result.findings)
    found.refused.extend((*ignored, *contradicted, *result.refused))
