"""Which finding is told where: silent, on lines, on a file, or in the summary."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from dsreview.outputs.github_pr import comments, history
from dsreview.outputs.github_pr.comments import PlacedFinding
from dsreview.outputs.github_pr.history import Silence
from dsreview.outputs.github_pr.placement import OnFile, OnLines
from dsreview.outputs.github_pr.sticky import Entry
from dsreview.outputs.github_pr.values import ExistingComment, PullState, RunFacts
from dsreview.report import Report


@dataclass(slots=True)
class Sorted:
    """Each finding in exactly one of the four."""

    on_lines: list[tuple[PlacedFinding, OnLines]] = field(default_factory=list)
    on_files: list[PlacedFinding] = field(default_factory=list)
    in_summary: list[Entry] = field(default_factory=list)
    """Those of this run, and of earlier ones what this run did not read."""
    silent: Counter[Silence] = field(default_factory=Counter)
    gone: tuple[ExistingComment, ...] = ()
    """Comments whose findings are no more."""
    num_open: int = 0
    """Other comments of ours that nobody dealt with and this run has not found again."""
    num_kept: int = 0
    """Those in the summary that earlier runs found."""

    @property
    def num_comments(self) -> int:
        return len(self.on_lines) + len(self.on_files)


def sort_out(
    found: Sequence[PlacedFinding], report: Report, state: PullState, run: RunFacts
) -> Sorted:
    """The most severe first, as far as the comments of one run go."""
    silences = history.silences(state.comments)
    told = history.told_entries(state)
    told_names = {entry.fingerprint for entry in told}
    max_comments = 0 if history.is_overfull(state, report, run) else run.max_comments
    result = Sorted()
    for one in sorted(found, key=lambda one: -one.finding.severity.rank):
        silence = next((silences[name] for name in one.names if name in silences), None)
        has_room = result.num_comments < max_comments and told_names.isdisjoint(one.names)
        if silence is not None:
            result.silent[silence] += 1
        elif has_room and isinstance(one.place, OnLines):
            result.on_lines.append((one, one.place))
        elif has_room and isinstance(one.place, OnFile):
            result.on_files.append(one)
        else:
            result.in_summary.append(comments.entry(one))
    names = {name for one in found for name in one.names}
    kept = tuple(history.still_open(told, report, is_incremental=bool(run.since), names=names))
    result.in_summary += [
        Entry(entry.fingerprint, entry.text, entry.text, entry.rank) for entry in kept
    ]
    result.num_kept = len(kept)
    result.gone = tuple(history.gone(state, report, names))
    result.num_open = history.num_open(state.comments, names) - sum(
        history.is_open(one) for one in result.gone
    )
    return result
