"""The pipeline: from a change to a report. The only module that knows every stage.

The stages of the model and of the proofs are imported where there is something for them to
do: that is a third of the time of a hook that has only checks to run and finds nothing.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from dsreview.cache import Cache
from dsreview.calibration import FindCalibration, no_calibration
from dsreview.change import Change, ChangedFile
from dsreview.check_stage import CheckStage
from dsreview.checks.base import OUT_OF_TIME
from dsreview.checks.rules import TEAM_FOLDER
from dsreview.config import Config
from dsreview.coverage import CoverageLedger
from dsreview.errors import BackendError
from dsreview.finding import Finding, Refusal
from dsreview.gathering import (
    comment_finder,
    distinct,
    in_order,
    on_disk,
    refusals_on_disk,
    sure_enough,
    with_scopes,
)
from dsreview.progress import Progress
from dsreview.prompt import Backend
from dsreview.report import ESTIMATED_TOKENS, NO_MODEL, Coverage, Report, Stats, Status
from dsreview.sandbox import Sandbox
from dsreview.selection import IGNORE_FILE, ignores, select
from dsreview.suppression import suppress

MODEL_UNUSABLE = "the model could not be used"


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
    find_calibration: FindCalibration = no_calibration
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
    def left_tokens(self) -> int | None:
        """Tokens left of their budget; None where there is none."""
        if not self.config.max_tokens:
            return None
        used = self.stats.prompt_tokens + self.stats.completion_tokens
        return max(0, self.config.max_tokens - used)

    def is_in_focus(self, path: str) -> bool:
        return self.change.focus is None or path in self.change.focus

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
    run.notes += [*change.notes, *notes_on_settings(change)]
    _select(run)
    _check(run)
    with ExitStack() as stack:
        _ask_model(run, stack)
        _gate(run)
        if run.backend is not None and run.backend.counts_are_estimated:
            run.notes.append(ESTIMATED_TOKENS)
    # the checks read every file, also where the model is asked about what is new alone
    rows = tuple(
        row for row in ledger.rows() if run.is_in_focus(row.path) or ledger.is_failed(row.path)
    )
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
    ignored = ignores(run.change.settings, run.config.exclude)
    selection = select(run.change, ignored, has_model=run.tools.open_backend is not None)
    for row in selection.left_out:
        run.ledger.settle(row)
    run.files = selection.files


def _check(run: _Review) -> None:
    tools = run.tools
    stage = CheckStage(tools.sandbox, tools.cache, tools.progress, lambda: run.is_out_of_time)
    checked = stage.run(run.change, run.files, run.ledger)
    run.findings += checked.findings
    run.notes += checked.notes


def _ask_model(run: _Review, stack: ExitStack) -> None:
    """Let the model read every file, as far as time and tokens go."""
    if run.tools.open_backend is None:
        run.notes.append(NO_MODEL)
        return
    files = [file for file in run.files if run.is_in_focus(file.patch.path)]
    if not files:
        return
    if run.is_out_of_time:
        _leave_to_nobody(run, OUT_OF_TIME)
        return
    from dsreview.context import ContextMode
    from dsreview.model_stage import ModelStage, stats_of

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
            votes=run.config.votes,
            has_examples=run.config.examples,
            find_calibration=run.tools.find_calibration,
        )
        result = stage.run(files, run.ledger)
    except BackendError as error:
        run.backend = None
        run.notes.append(f"{MODEL_UNUSABLE}: {error}")
        _leave_to_nobody(run, MODEL_UNUSABLE)
        return
    run.stats = stats_of(result, run.backend, run.config.votes)
    run.findings += result.findings
    run.refused += result.refused
    kept = [run.tools.keep_answer(one.raw_answer) for one in result.contexts if one.raw_answer]
    run.notes += [
        f"an answer that was not understood whole is kept in {path}" for path in kept if path
    ]
    run.prompt_revision = result.prompt_revision


def _leave_to_nobody(run: _Review, reason: str) -> None:
    for file in run.files:
        if run.is_in_focus(file.patch.path):
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
    sure, unsure = sure_enough(severe, run.config.min_confidence)
    scoped = with_scopes(sure, run.files, sandbox)
    texts = {file.path: file.text for file in run.files}
    kept, ignored, notes = suppress(
        scoped, texts, comment_finder(run.files, sandbox), _added_by_another(run)
    )
    kept, repeated = distinct(kept)
    run.notes = [*notes, *run.notes]  # nothing else may push them out of a short list
    run.refused += [*unsure, *ignored, *repeated]
    run.findings = list(kept)
    if kept:
        _prove(run)


def _added_by_another(run: _Review) -> dict[str, frozenset[int]] | None:
    """The lines of a change whose own settings are not obeyed; None for one that is."""
    if run.change.trusted is None:
        return None
    return {file.path: file.patch.added_lines for file in run.files}


def _prove(run: _Review) -> None:
    """Drop what the files contradict; apply and parse each suggestion, ask again for wrong ones."""
    from dsreview.evidence import check_evidence
    from dsreview.repair import RepairSettings, repair

    sandbox = run.tools.sandbox
    kept, contradicted = check_evidence(run.findings, run.change, run.files, sandbox)
    with run.tools.progress.phase("repair"):
        result = repair(
            kept,
            run.files,
            sandbox,
            run.backend,
            RepairSettings(
                max_rounds=run.config.max_rounds,
                deadline_s=run.left_s,
                namespace="diff",
                max_tokens=run.left_tokens,
            ),
            run.tools.cache,
            run.change.head,
            unseen=_unseen(run),
        )
    run.findings = list(result.findings)
    run.refused += [*contradicted, *result.refused]
    run.stats = replace(
        run.stats,
        prompt_tokens=run.stats.prompt_tokens + result.usage.prompt_tokens,
        completion_tokens=run.stats.completion_tokens + result.usage.completion_tokens,
        model_seconds=run.stats.model_seconds + result.usage.seconds,
        cache_hits=run.stats.cache_hits + result.usage.cache_hits,
        cache_misses=run.stats.cache_misses + result.usage.cache_misses,
        repair_rounds=result.rounds - 1,
    )


def _unseen(run: _Review) -> frozenset[str]:
    """Files of which only hunks are known: no suggestion can be verified there."""
    if run.change.is_whole:
        return frozenset()
    head = run.change.head
    return frozenset(one.path for one in run.files if head.read(one.patch.path) is None)


def _status(rows: Sequence[Coverage]) -> Status:
    wanted = [row for row in rows if not row.is_excluded]
    if not any(row.is_gap for row in wanted):
        return Status.COMPLETE
    return Status.PARTIAL if any(row.reviewers for row in wanted) else Status.FAILED


def notes_on_settings(change: Change) -> Iterable[str]:
    """A change to what steers the review is told, and takes effect once it is merged."""
    for patch in change.patch.files:
        for path in dict.fromkeys((patch.path, patch.old_path)):
            if _steers(path, change):
                yield f"{path} is changed here; this review used its old state"


def _steers(path: str, change: Change) -> bool:
    if path == "pyproject.toml":
        sides = (change.base, change.head)
        return any(b"[tool.dsreview]" in (side.read(path) or b"") for side in sides)
    return path in (".dsreview.toml", IGNORE_FILE) or path.startswith(TEAM_FOLDER)
