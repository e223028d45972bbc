"""What a review means for the commit that waits for it, in an exit code and in words."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from dsreview.config import Config
from dsreview.finding import Proof
from dsreview.githook.events import PRE_PUSH
from dsreview.githook.standing import FAILED
from dsreview.report import NO_MODEL, Report, Status, count_of
from dsreview.selection import DELETED

FOUND = 1
NOUNS = {PRE_PUSH: "push", "pre-merge-commit": "merge"}
"""What waits for a hook of this name; a commit for the others."""


@dataclass(frozen=True, slots=True)
class Verdict:
    exit_code: int
    """0 lets git go on."""
    lines: tuple[str, ...]
    """What it comes to, and what to do."""


def verdict_on(
    report: Report,
    config: Config,
    event: str,
    *,
    goes_on: bool = False,
    is_index_kept: bool = True,
) -> Verdict:
    """Whether git goes on, and why.

    Args:
        is_index_kept: what was reviewed stays staged where git stops.
        goes_on: what was not reviewed is now being reviewed in the background.
    """
    code = _exit_code(report, config)
    noun = NOUNS.get(event, "commit")
    lines = [f"dsreview: {report.verdict}"]
    if code == FOUND:
        lines.append(
            f"the {noun} is stopped (mode block, fail-on {config.fail_on.label}): fix it, or "
            "answer a finding with a comment: dsreview: ignore[RULE] REASON"
        )
        lines += _ways_to_fix(report, event, is_index_kept=is_index_kept)
    elif code == FAILED:
        lines.append(f"the {noun} is stopped (strict): not everything was reviewed")
    elif report.findings:
        lines.append(f"the {noun} goes on; `dsreview last` shows this again")
    if goes_on:
        lines.append("the rest is reviewed in the background; the next hook shows what it finds")
    return Verdict(code, tuple(lines))


def _ways_to_fix(report: Report, event: str, *, is_index_kept: bool) -> list[str]:
    """What is pushed is committed: there it would be another commit."""
    num = sum(
        one.suggestion is not None and one.suggestion.proof is Proof.VERIFIED
        for one in report.findings
    )
    if not num or event == PRE_PUSH:
        return []
    command = "dsreview fix --staged" if is_index_kept else "dsreview fix"
    return [f"`{command}` applies {count_of(num, 'verified suggestion')}"]


def worth_showing(report: Report) -> Report:
    """Without the notes that say the same at every commit."""
    return replace(report, notes=tuple(note for note in report.notes if note != NO_MODEL))


def all_well(reports: Sequence[Report]) -> str:
    """One line for reviews that found nothing and left nothing out."""
    rows = [row for report in reports for row in report.coverage]
    num_deleted = sum(row.reason == DELETED for row in rows)
    num_files = sum(not row.is_excluded and row.reason != DELETED for row in rows)
    files = [count_of(num_files, "file")] if num_files or not num_deleted else []
    if num_deleted:
        files.append(count_of(num_deleted, "deleted file"))
    who = "" if any(report.stats.model for report in reports) else " (checks only)"
    return f"dsreview: no findings in {' and '.join(files)}{who}"


def is_clean(report: Report) -> bool:
    """Nothing found, everything reviewed."""
    return report.status is Status.COMPLETE and not report.findings


def _exit_code(report: Report, config: Config) -> int:
    code = report.exit_code(config.fail_on, partial_ok=config.partial_ok)
    if code == FOUND:
        return FOUND if config.mode == "block" else 0
    return code if config.strict else 0
