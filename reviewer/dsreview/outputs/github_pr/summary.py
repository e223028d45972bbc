"""The one comment that every run edits: verdict, coverage, and what no line carries.

It also keeps, in its marker, what the next run must know. "Nothing found" is one line; what
was not reviewed is never left out, however short the rest is.
"""

from collections import Counter
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, replace

from dsreview import __version__
from dsreview.outputs import markdown
from dsreview.outputs.github_pr.marker import LastReview, foot_marker, state_marker
from dsreview.outputs.github_pr.sticky import Entry, Summary
from dsreview.outputs.github_pr.values import RunFacts
from dsreview.outputs.markdown import cell
from dsreview.report import (
    ESTIMATED_TOKENS,
    NO_MODEL,
    CoverageState,
    Report,
    Status,
    count_of,
    short_name,
)
from dsreview.sanitize import markdown_code, markdown_safe

MAX_GAPS = 40
MAX_REFUSALS = 10
MAX_NOTES = 10
MAX_WORDS_BYTES = 300
"""With the numbers above, all of them together leave a third of a body to the findings."""
HOW_TO_SILENCE = "Answer, resolve, hide or 👎 a comment, and its finding is not told again."


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the findings of this run and of earlier ones."""

    on_code: int = 0
    """Comments of this run on lines and files."""
    silent: tuple[tuple[str, int], ...] = ()
    """Findings that are not told again: why, and how many."""
    num_open: int = 0
    """Comments of earlier runs whose findings this run did not find, and nobody dealt with."""
    num_kept: int = 0
    """Entries of the summary before, of files that this run did not read."""


def summary(
    report: Report,
    run: RunFacts,
    last: LastReview,
    counts: Counts,
    entries: Sequence[Entry],
) -> Summary:
    """`report` must be masked; `last` is what the next run will read."""
    clauses = tuple(_clauses(counts))
    if is_all_well(report, counts, entries):
        line = "; ".join((f"**dsreview:** {report.verdict}", *clauses))
        text = f"{state_marker(last)}\n{line}. {_range(run)} {_cost(report)}"
        return Summary(text, (), foot_marker())
    head = [f"{state_marker(last)}\n### dsreview: {report.verdict}"]
    if report.status is not Status.COMPLETE:
        head.append(f"**{_NOT_ALL[report.status]}**")
    return Summary(
        head="\n\n".join((*head, _range(run))),
        entries=tuple(entries),
        foot="\n\n".join(_foot(report, counts)),
        num_comments=counts.on_code,
        clauses=clauses,
    )


_NOT_ALL = {
    Status.PARTIAL: "Not everything was reviewed.",
    Status.FAILED: "The review failed: nothing can be said of what it did not read.",
}


def is_all_well(report: Report, counts: Counts, entries: Sequence[Entry]) -> bool:
    """Everything was read and there is nothing to say of it: one line, or none."""
    return _says_only({ESTIMATED_TOKENS}, report, counts, entries)


def is_no_news(report: Report, counts: Counts, entries: Sequence[Entry]) -> bool:
    """The same where no model is installed, which is said where nobody wants quiet."""
    return _says_only({ESTIMATED_TOKENS, NO_MODEL}, report, counts, entries)


def _says_only(notes: Set[str], report: Report, counts: Counts, entries: Sequence[Entry]) -> bool:
    is_silent = not (report.findings or entries or counts.silent or report.refused)
    says_nothing = set(report.notes) <= notes
    return report.status is Status.COMPLETE and is_silent and says_nothing and not report.gaps


def _range(run: RunFacts) -> str:
    """Which commits were read."""
    head = markdown_code(short_name(run.head_sha))
    if run.since:
        return f"Reviewed what changed from {markdown_code(short_name(run.since))} to {head}."
    base = markdown_code(short_name(run.base_sha))
    text = f"Reviewed the whole pull request, {base} to {head}"
    return f"{text}, because {markdown_safe(run.why_whole)}." if run.why_whole else f"{text}."


def _clauses(counts: Counts) -> Iterator[str]:
    if counts.num_kept:
        yield f"{counts.num_kept} of them kept from an earlier review"
    num_silent = sum(num for _, num in counts.silent)
    if num_silent:
        reasons = ", ".join(f"{num} {why}" for why, num in counts.silent)
        yield f"{num_silent} not told again ({reasons})"
    if counts.num_open:
        yield f"{count_of(counts.num_open, 'earlier comment')} still open"


def _foot(report: Report, counts: Counts) -> Iterator[str]:
    yield f"{foot_marker()}\n#### Coverage"
    yield _coverage(report)
    yield from _gaps(report)
    if report.notes:
        rows = [f"- {_words(note)}" for note in report.notes[:MAX_NOTES]]
        if len(report.notes) > len(rows):
            rows.append(f"- {count_of(len(report.notes) - len(rows), 'more note')}")
        yield "\n".join(rows)
    if report.refused:
        yield from _refusals(report)
    if counts.on_code:
        yield HOW_TO_SILENCE
    yield _cost(report)


def _gaps(report: Report) -> Iterator[str]:
    gaps = report.gaps
    rows = [(row.state.value, cell(row.path), _words(row.reason)) for row in gaps[:MAX_GAPS]]
    if rows:
        yield markdown.table(("Not reviewed", "File", "Why"), rows)
    if len(gaps) > len(rows):
        yield f"{count_of(len(gaps) - len(rows), 'more file')} not reviewed."


def _coverage(report: Report) -> str:
    num_by_state = Counter(row.state for row in report.coverage if not row.is_excluded)
    num_wanted = sum(num_by_state.values())
    text = f"{num_by_state[CoverageState.REVIEWED]} of {count_of(num_wanted, 'file')} reviewed"
    if num_by_state[CoverageState.PARTIAL]:
        text += f", {num_by_state[CoverageState.PARTIAL]} partly"
    reasons = Counter(row.reason for row in report.coverage if row.is_excluded)
    if reasons:
        shown = [f"{num:,} {_words(why)}" for why, num in reasons.most_common(MAX_NOTES)]
        num_others = reasons.total() - sum(num for _, num in reasons.most_common(MAX_NOTES))
        shown += [f"{num_others:,} for other reasons"] if num_others else []
        text += f"; {reasons.total()} excluded ({', '.join(shown)})"
    return f"{text}."


def _refusals(report: Report) -> Iterator[str]:
    """What was found and not told, and which gate refused it; folded."""
    num = len(report.refused)
    yield f"<details><summary>{num:,} refused, or answered in the code</summary>"
    rows = [
        f"- {cell(one.path)} {cell(one.rule)}, {_words(one.reason)}: {_words(one.message)}"
        for one in report.refused[:MAX_REFUSALS]
    ]
    if num > len(rows):
        rows.append(f"- {num - len(rows):,} more")
    yield "\n".join(rows)
    yield "</details>"


def _cost(report: Report) -> str:
    """The revisions are told before."""
    cost = markdown.stats_line(replace(report, base_name="", head_name=""))
    return f"{cost} · dsreview {__version__}"


def _words(text: str) -> str:
    return markdown.prose(text, MAX_WORDS_BYTES)
