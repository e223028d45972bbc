"""An item through the whole pipeline: as the change that it is, and a bug also as its own fix.

The change is made in memory from the two texts: no git, nothing on disk, and nothing of an
item is ever executed here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dsreview.benchmark.items import Item, reversed_item
from dsreview.benchmark.results import Found, Outcome, RefusedOne, Side, SuggestionOutcome, Time
from dsreview.change import Change
from dsreview.config import Config
from dsreview.edits import apply_edit
from dsreview.errors import BackendError
from dsreview.finding import Finding
from dsreview.line_diff import diff_hunks
from dsreview.patch import FilePatch, FileStatus, Patch, Span
from dsreview.report import Report
from dsreview.review import MODEL_UNUSABLE, Tools, review
from dsreview.sources.snapshots import MemorySnapshot

_REGULAR = 0o100644
MAX_MESSAGE = 300

PassesTest = Callable[[Item, str], bool | None]
"""Whether the item's own test passes on a text of its file; None where it has none. Code of a
set is executed only where a person asked for it."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """All reviews of one item."""

    outcomes: tuple[Outcome, ...]
    times: tuple[Time, ...]
    prompt_revision: str


@dataclass(frozen=True, slots=True)
class SideReview:
    """One of them."""

    outcome: Outcome
    time: Time
    prompt_revision: str


def sides_of(item: Item) -> tuple[Side, ...]:
    """The reviews of an item: of a bug there and back, of a benign change there."""
    return (Side.BUG, Side.FIX) if item.is_bug else (Side.BENIGN,)


def change_of(item: Item) -> Change:
    """The change from `before_text` to `after_text`, as git would show it."""
    patch = FilePatch(
        path=item.path,
        old_path=item.path,
        status=FileStatus.MODIFIED,
        old_mode=_REGULAR,
        new_mode=_REGULAR,
        hunks=diff_hunks(item.before_text, item.after_text),
    )
    return Change(
        patch=Patch((patch,)),
        base=MemorySnapshot({item.path: item.before_text.encode()}),
        head=MemorySnapshot({item.path: item.after_text.encode()}),
        base_name="before",
        head_name="after",
    )


def replay(
    item: Item, config: Config, tools: Tools, passes_test: PassesTest | None = None
) -> Replayed:
    """Review every side of `item`.

    Raises:
        BackendError: the model could not be used: that is no outcome of the item.
    """
    return joined([review_side(item, side, config, tools, passes_test) for side in sides_of(item)])


def review_side(
    item: Item, side: Side, config: Config, tools: Tools, passes_test: PassesTest | None = None
) -> SideReview:
    """One review.

    Raises:
        BackendError: the model could not be used.
    """
    report = review(change_of(reversed_item(item) if side is Side.FIX else item), config, tools)
    for note in report.notes:
        if note.startswith(MODEL_UNUSABLE):
            raise BackendError(f"{item.id}: {note}")
    time = Time(item.id, side, report.stats.seconds, report.stats.model_seconds)
    return SideReview(outcome_of(item, side, report, passes_test), time, report.prompt_revision)


def joined(sides: Sequence[SideReview]) -> Replayed:
    """The reviews of one item together."""
    return Replayed(
        tuple(one.outcome for one in sides),
        tuple(one.time for one in sides),
        max(one.prompt_revision for one in sides),
    )


def outcome_of(
    item: Item, side: Side, report: Report, passes_test: PassesTest | None = None
) -> Outcome:
    """What is kept of a report on a side of `item`."""
    return Outcome(
        item=item.id,
        side=side,
        language=item.language,
        kind=item.kind,
        neutral=item.neutral,
        status=report.status.value,
        gaps=tuple(row.reason for row in report.gaps),
        findings=tuple(_found(item, side, one, passes_test) for one in report.findings),
        refused=tuple(RefusedOne(one.rule, one.reason) for one in report.refused),
        prompt_tokens=report.stats.prompt_tokens,
        completion_tokens=report.stats.completion_tokens,
        repair_rounds=report.stats.repair_rounds,
    )


def _found(item: Item, side: Side, finding: Finding, passes_test: PassesTest | None) -> Found:
    return Found(
        rule=finding.rule,
        severity=finding.severity.label,
        start=finding.span.start,
        stop=finding.span.stop,
        confidence=finding.confidence,
        raw_confidence=finding.confidence
        if finding.raw_confidence is None
        else finding.raw_confidence,
        basis=finding.basis.value,
        origin=finding.origin.value,
        hits_bug=side is Side.BUG and hits(finding.span, item.bug_lines),
        message=finding.message[:MAX_MESSAGE],
        suggestion=_suggestion(item, side, finding, passes_test),
    )


def hits(span: Span, bug_lines: tuple[int, ...]) -> bool:
    """Whether a finding stands on a line of the bug; a gap, beside one."""
    touched = span if span.num_lines else Span(max(1, span.start - 1), span.start + 1)
    return any(line in touched for line in bug_lines)


def _suggestion(
    item: Item, side: Side, finding: Finding, passes_test: PassesTest | None
) -> SuggestionOutcome | None:
    if finding.suggestion is None:
        return None
    is_bug = side is Side.BUG
    edited = apply_edit(item.after_text if is_bug else item.before_text, finding.suggestion.edit)
    return SuggestionOutcome(
        proof=finding.suggestion.proof.value,
        repair_round=finding.suggestion.repair_round,
        equals_fix=is_bug and _without_line_ends(edited) == _without_line_ends(item.before_text),
        passes_test=passes_test(item, edited) if is_bug and passes_test else None,
    )


def _without_line_ends(text: str) -> list[str]:
    return [line.rstrip() for line in text.rstrip().split("\n")]
