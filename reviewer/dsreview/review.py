"""The pipeline: from a change to a report. The only module that knows every stage."""

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from dsreview import languages, symbols
from dsreview.cache import Cache
from dsreview.change import Change, ChangedFile
from dsreview.checks.base import OUT_OF_TIME, CheckResult, Failure
from dsreview.checks.impact import find_impacts
from dsreview.checks.rules import RuleSet, find_by_rules
from dsreview.config import Config
from dsreview.context import ContextMode
from dsreview.coverage import CoverageLedger
from dsreview.errors import BackendError
from dsreview.evidence import check_evidence
from dsreview.finding import Finding, Refusal
from dsreview.gathering import distinct, in_order, on_disk, refusals_on_disk, with_scopes
from dsreview.model_stage import ModelStage
from dsreview.patch import FileKind, FilePatch, FileStatus
from dsreview.progress import Progress
from dsreview.prompt import Backend
from dsreview.repair import RepairSettings, repair
from dsreview.report import Coverage, CoverageState, Report, Stats, Status
from dsreview.sandbox import Sandbox
from dsreview.selection import DELETED, IGNORE_FILE, ignores, select
from dsreview.suppression import suppress

MODEL_UNUSABLE = "the model could not be used"
NO_MODEL = "no model: only the checks ran; `dsreview doctor` says how to get one"


def keep_nothing(_text: str) -> Path | None:
    """Answers that could not be read are not kept."""
    return None


@dataclass(frozen=True, slots=True)
class Tools:
    """What a review works with; opened and closed by whoever starts it."""

    sandbox: Sandbox
    cache: Cache
    open_backend: Callable[[], Backend] | None
    """Loads the model; called only when there is something to ask it."""
    progress: Progress
    keep_answer: Callable[[str], Path | None] = keep_nothing
    """Puts an answer that could not be read where people can; None if it does not."""
    clock: Callable[[], float] = time.monotonic


@dataclass(slots=True)
class _Review:
    """One review while it runs: its parts, and what the stages add up to."""

    change: Change
    config: Config
    tools: Tools
    ledger: CoverageLedger
    started: float
    backend: Backend | None = None
    files: tuple[ChangedFile, ...] = ()
    findings: list[Finding] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    stats: Stats = field(default_factory=Stats)
    prompt_revision: str = ""

    @property
    def left_s(self) -> float | None:
        """Seconds left of the time budget; None where there is none."""
        if not self.config.budget_s:
            return None
        return max(0.0, self.started + self.config.budget_s - self.tools.clock())

    @property
    def is_out_of_time(self) -> bool:
        return self.left_s == 0.0


def review(change: Change, config: Config, tools: Tools) -> Report:
    """Review `change`: checks, model, gates, report.

    Raises:
        UsageError: a team's rule file cannot be used.
    """
    ledger = CoverageLedger(patch.path for patch in change.patch.files)
    run = _Review(change, config, tools, ledger, tools.clock())
    run.notes += [*change.notes, *_notes_on_settings(change)]
    _select(run)
    _check(run)
    with ExitStack() as stack:
        _ask_model(run, stack)
        _gate(run)
        if run.backend is not None and run.backend.counts_are_estimated:
            run.notes.append("token counts are estimates")
    rows = ledger.rows()
    return Report(
        status=_status(rows),
        findings=in_order(on_disk(run.findings, run.files)),
        coverage=rows,
        stats=replace(run.stats, seconds=tools.clock() - run.started),
        refused=tuple(refusals_on_disk(run.refused, run.files)),
        notes=tuple(dict.fromkeys(run.notes)),
        base_name=change.base_name,
        head_name=change.head_name,
        prompt_revision=run.prompt_revision,
        max_findings=config.max_findings,
    )


def _select(run: _Review) -> None:
    ignored = ignores(run.change.base, run.config.exclude)
    selection = select(run.change, ignored, has_model=run.tools.open_backend is not None)
    for row in selection.left_out:
        run.ledger.settle(row)
    run.files = selection.files


def _check(run: _Review) -> None:
    """Rules, then what the change breaks elsewhere."""
    sandbox = run.tools.sandbox
    rules = RuleSet.builtin().with_team_rules(run.change.base, sandbox)
    checked = [file for file in run.files if file.language]
    with run.tools.progress.phase("checks", len(checked)) as phase:
        by_rules = find_by_rules(checked, rules, sandbox, lambda: run.is_out_of_time, phase.advance)
    _account(run, "rules", by_rules, checked)
    if not run.change.is_whole:
        return
    searched = [one for one in checked if one.cell is None and one.language in symbols.LANGUAGES]
    deleted = [one for one in run.change.patch.files if _is_searched_for(one)]
    if run.is_out_of_time:
        impact = CheckResult(failures=tuple(Failure(one.path, OUT_OF_TIME) for one in searched))
        rows = [Coverage(one.path, CoverageState.SKIPPED, OUT_OF_TIME) for one in deleted]
    else:
        with run.tools.progress.phase("impact"):
            impact = find_impacts(run.change, checked, sandbox, run.tools.cache)
        state = CoverageState.REVIEWED
        rows = [Coverage(one.path, state, DELETED, reviewers=("impact",)) for one in deleted]
    _account(run, "impact", impact, searched)
    for row in rows:
        run.ledger.settle(row)


def _is_searched_for(patch: FilePatch) -> bool:
    """Whether the impact checks look for what still refers to a deleted file."""
    language = languages.detect(patch.old_path)
    is_deleted = patch.status is FileStatus.DELETED and patch.kind is FileKind.REGULAR
    return is_deleted and language is not None and language.name in symbols.LANGUAGES


def _account(
    run: _Review, reviewer: str, result: CheckResult, files: Sequence[ChangedFile]
) -> None:
    """Take over what a check found, and write into the ledger what it read."""
    run.findings += result.findings
    names = {file.path: file.patch.path for file in run.files}
    failed = {failure.path: failure.reason for failure in result.failures}
    for path, reason in failed.items():
        if path in names:
            run.ledger.left_out(names[path], reason)
        else:
            run.notes.append(f"{path}: {reason}")
    for file in files:
        if file.path not in failed:
            run.ledger.read(file.patch.path, reviewer)


def _ask_model(run: _Review, stack: ExitStack) -> None:
    """Let the model read every file, as far as time and tokens go."""
    if run.tools.open_backend is None:
        run.notes.append(NO_MODEL)
        return
    if not run.files:
        return
    if run.is_out_of_time:
        _leave_to_nobody(run, OUT_OF_TIME)
        return
    try:
        with run.tools.progress.phase("load"):
            run.backend = stack.enter_context(closing(run.tools.open_backend()))
        stage = ModelStage(
            backend=run.backend,
            mode=ContextMode(run.config.context),
            sandbox=run.tools.sandbox,
            cache=run.tools.cache,
            progress=run.tools.progress,
            max_tokens=run.config.max_tokens,
            deadline_s=run.left_s,
        )
        result = stage.run(run.files, run.ledger)
    except BackendError as error:
        run.backend = None
        run.notes.append(f"{MODEL_UNUSABLE}: {error}")
        _leave_to_nobody(run, MODEL_UNUSABLE)
        return
    run.findings += result.findings
    run.refused += result.refused
    kept = [run.tools.keep_answer(one.raw_answer) for one in result.contexts if one.raw_answer]
    run.notes += [
        f"an answer that was not understood whole is kept in {path}" for path in kept if path
    ]
    run.prompt_revision = result.prompt_revision
    run.stats = Stats(
        prompt_tokens=result.usage.prompt_tokens,
        completion_tokens=result.usage.completion_tokens,
        model_seconds=result.usage.seconds,
        device=run.backend.device,
        model=run.backend.model,
        cache_hits=result.usage.cache_hits,
        cache_misses=result.usage.cache_misses,
    )


def _leave_to_nobody(run: _Review, reason: str) -> None:
    for file in run.files:
        run.ledger.left_out(file.patch.path, reason)


def _gate(run: _Review) -> None:
    """Drop what is answered, contradicted or too mild; prove every suggestion."""
    sandbox = run.tools.sandbox
    floor = run.config.min_severity.rank
    severe = [
        one
        for one in run.findings
        if one.severity.rank >= floor and one.rule not in run.config.disable
    ]
    scoped = with_scopes(severe, run.files, sandbox)
    kept, ignored, notes = suppress(scoped, {file.path: file.text for file in run.files})
    kept, repeated = distinct(kept)
    kept, contradicted = check_evidence(kept, run.change, run.files, sandbox)
    run.notes += notes
    run.refused += [*ignored, *repeated, *contradicted]
    settings = RepairSettings(
        max_rounds=run.config.max_rounds, deadline_s=run.left_s, namespace="diff"
    )
    with run.tools.progress.phase("repair"):
        result = repair(
            kept, run.files, sandbox, run.backend, settings, run.tools.cache, run.change.head
        )
    run.findings = list(result.findings)
    run.refused += result.refused
    run.stats = replace(
        run.stats,
        prompt_tokens=run.stats.prompt_tokens + result.usage.prompt_tokens,
        completion_tokens=run.stats.completion_tokens + result.usage.completion_tokens,
        model_seconds=run.stats.model_seconds + result.usage.seconds,
        cache_hits=run.stats.cache_hits + result.usage.cache_hits,
        cache_misses=run.stats.cache_misses + result.usage.cache_misses,
        repair_rounds=result.rounds - 1,
    )


def _status(rows: Sequence[Coverage]) -> Status:
    wanted = [row for row in rows if not row.is_excluded]
    if not any(row.is_gap for row in wanted):
        return Status.COMPLETE
    return Status.PARTIAL if any(row.reviewers for row in wanted) else Status.FAILED


def _notes_on_settings(change: Change) -> Iterable[str]:
    """A change to what steers the review is told, and takes effect once it is merged."""
    for patch in change.patch.files:
        steers = patch.path in (".dsreview.toml", IGNORE_FILE) or patch.path.startswith(
            ".dsreview/rules/"
        )
        if steers:
            yield f"{patch.path} is changed here; this review used its old state"
