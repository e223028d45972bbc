"""What earlier runs said on a pull request, and what became of it.

Only comments of our own login count; anybody can write a marker.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from enum import StrEnum

from dsreview.finding import Finding, Origin, Sameness, fingerprint, sameness
from dsreview.outputs.github_pr.marker import (
    KnownEntry,
    KnownFinding,
    LastReview,
    digest,
    known_entries,
    known_finding,
    last_review,
)
from dsreview.outputs.github_pr.values import (
    ExistingComment,
    PullFile,
    PullState,
    RunFacts,
)
from dsreview.report import Coverage, CoverageState, Report, Status

OUTDATED = "outdated"
DUPLICATE = "duplicate"
_MAX_GONE = 50
"""Of findings that were the same as one that is left, and had smaller numbers."""


class Silence(StrEnum):
    """Why a finding is not told again, as the summary says it."""

    ANSWERED = "answered"
    HIDDEN = "hidden"
    DISLIKED = "disliked"
    RESOLVED = "resolved"
    COMMENTED = "commented before"


@dataclass(frozen=True, slots=True)
class Told:
    """A comment of ours on a finding."""

    known: KnownFinding
    comment: ExistingComment
    silence: Silence | None
    """None where we have hidden it ourselves: it does not count as there any more."""

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(filter(None, (self.known.fingerprint, self.known.fix)))


def told(comments: Iterable[ExistingComment]) -> tuple[Told, ...]:
    """Those that count as there, oldest first."""
    return tuple(one for one in _all_told(comments) if one.silence is not None)


def withdrawn(comments: Iterable[ExistingComment]) -> tuple[Told, ...]:
    """Those that do not: their finding was gone, or an older one says the same."""
    return tuple(one for one in _all_told(comments) if one.silence is None)


def _all_told(comments: Iterable[ExistingComment]) -> Iterator[Told]:
    seen: set[tuple[str, str]] = set()
    for comment in sorted(comments, key=lambda comment: comment.id):
        known = known_finding(comment.body) if comment.is_ours else None
        if known is None:
            continue
        name = (known.fingerprint, known.head_sha)
        yield Told(known, comment, _silence(comment, is_repeat=name in seen))
        seen.add(name)


def _silence(comment: ExistingComment, *, is_repeat: bool = False) -> Silence | None:
    """None for a comment that was hidden because its finding was gone: it may come back.

    Args:
        is_repeat: an older one says the same; people alone call any other one a duplicate.
    """
    if comment.has_replies:
        return Silence.ANSWERED
    if comment.is_minimized:
        reason = comment.minimized_reason.lower()
        is_by_us = reason == OUTDATED or (reason == DUPLICATE and is_repeat)
        return None if is_by_us else Silence.HIDDEN
    if comment.is_disliked:
        return Silence.DISLIKED
    return Silence.RESOLVED if comment.is_resolved else Silence.COMMENTED


def silences(comments: Iterable[ExistingComment]) -> dict[str, Silence]:
    """By fingerprint, and by the name of the fix: the findings that were told before."""
    found: dict[str, Silence] = {}
    for one in told(comments):
        for name in one.names:
            if one.silence is not None:
                found.setdefault(name, one.silence)
    return found


def is_open(comment: ExistingComment) -> bool:
    """Whether it is ours and nobody, we included, has dealt with it."""
    is_finding = comment.is_ours and known_finding(comment.body) is not None
    return is_finding and _silence(comment) is Silence.COMMENTED


def num_open(comments: Iterable[ExistingComment], names: Set[str]) -> int:
    """Comments that wait for an answer, but for those on findings of `names`."""
    return sum(
        is_open(one)
        and (known := known_finding(one.body)) is not None
        and names.isdisjoint((known.fingerprint, known.fix))
        for one in comments
    )


Standing = tuple[str, int]
"""A name that a comment of ours has, and the line where this comment stands now."""


def standing(comments: Iterable[ExistingComment]) -> tuple[Standing, ...]:
    """Of those that silence something, and whose line is known."""
    return tuple(
        (name, one.comment.line)
        for one in told(comments)
        if one.comment.line is not None
        for name in one.names
    )


def names_by_place(
    findings: Sequence[Finding], lines: Sequence[int | None], held: Sequence[Standing]
) -> list[str]:
    """The fingerprints, by which of findings that are the same each keeps the name it had.

    Who has the line of a comment is what that comment is about; the others are numbered in
    order. So a line that is added above its like does not pass for it.

    Args:
        lines: where a comment on each finding would stand; None: on no line.
        held: the names that are in use, and where.
    """
    members: dict[Sameness, list[int]] = {}
    for index, finding in enumerate(findings):
        members.setdefault(sameness(finding), []).append(index)
    names = [""] * len(findings)
    for same, indices in members.items():
        chosen = _share_out(same, [lines[index] for index in indices], held)
        for index, name in zip(indices, chosen, strict=True):
            names[index] = name
    return names


def _share_out(
    same: Sameness, lines: Sequence[int | None], held: Sequence[Standing]
) -> Iterator[str]:
    num_names = len(lines) + (_MAX_GONE if held else 0)
    free = dict.fromkeys(fingerprint(same, number + 1) for number in range(num_names))
    on_line: dict[int | None, list[str]] = {}
    for name, line in dict.fromkeys(held):
        if name in free:
            on_line.setdefault(line, []).append(name)
    kept = [found.pop(0) if (found := on_line.get(line)) else None for line in lines]
    taken = set(kept)
    rest = iter([name for name in free if name not in taken])
    return (name or next(rest) for name in kept)


def earlier_names(
    findings: Sequence[Finding],
    files: Iterable[PullFile],
    lines: Sequence[int | None],
    held: Sequence[Standing],
) -> list[str]:
    """The fingerprints that the findings had before their files were renamed."""
    old_paths = {file.path: file.old_path for file in files}
    before = [_with_path(one, old_paths.get(one.path, one.path)) for one in findings]
    return names_by_place(before, lines, held)


def fix_names(
    findings: Sequence[Finding], lines: Sequence[int | None], held: Sequence[Standing]
) -> list[str]:
    """The same for the same code and suggestion under other rules and in other words.

    Empty where nothing is suggested; the second of the same ones has another name.
    """
    fixes = [replace(one, rule="", quote=_fix(one)) for one in findings]
    fixed = [index for index, one in enumerate(fixes) if one.quote]
    names = names_by_place(
        [fixes[index] for index in fixed], [lines[index] for index in fixed], held
    )
    by_index = dict(zip(fixed, names, strict=True))
    return [by_index.get(index, "") for index in range(len(fixes))]


def _fix(finding: Finding) -> str:
    if finding.suggestion is None or not finding.quote.strip():
        return ""
    return "\n".join((finding.quote, "=>", *finding.suggestion.edit.lines))


def _with_path(finding: Finding, path: str) -> Finding:
    return finding if finding.path == path else replace(finding, path=path)


def last_review_of(state: PullState) -> LastReview | None:
    """What our summary remembers; None where there is none, or it is not ours."""
    if state.summary is None or not state.summary.is_ours:
        return None
    return last_review(state.summary.body)


def is_overfull(state: PullState, report: Report, run: RunFacts) -> bool:
    """Whether the same review of this head had more findings than its summary has room for.

    Then what is in no comment and no entry is not new.
    """
    last = last_review_of(state)
    if last is None or not last.num_left_out:
        return False
    before = (last.head_sha, last.base_sha, last.config_digest, last.status)
    return before == (run.head_sha, run.base_sha, run.config_digest, report.status)


def told_entries(state: PullState) -> tuple[KnownEntry, ...]:
    """The findings that our summary lists now."""
    if state.summary is None or not state.summary.is_ours:
        return ()
    return known_entries(state.summary.body)


def still_open(
    told: Iterable[KnownEntry], report: Report, *, is_incremental: bool, names: Set[str]
) -> Iterator[KnownEntry]:
    """Entries that nobody could have found again: nobody knows that they are done with."""
    if report.status is Status.COMPLETE and not is_incremental:
        return
    rows = {digest(row.path): row for row in report.coverage}
    for entry in told:
        is_settled = _is_read(rows.get(entry.path_digest)) or _is_checked(entry, rows)
        if not is_settled and entry.fingerprint not in names:
            yield entry


def _is_read(row: Coverage | None) -> bool:
    return row is not None and not row.is_gap


def _is_checked(entry: KnownEntry, rows: Mapping[str, Coverage]) -> bool:
    """Whether the check that found it has looked there again.

    The checks read all files in every run, and what they could not read has a row.
    """
    if entry.origin == Origin.IMPACT:  # from anywhere in the change
        return all("impact" in row.reviewers for row in rows.values() if row.is_gap)
    if entry.origin != Origin.RULE:
        return False
    row = rows.get(entry.path_digest)
    is_notebook = row is not None and row.path.endswith(".ipynb")  # each cell on its own
    return row is None or ("rules" in row.reviewers and not is_notebook)


def gone(state: PullState, report: Report, names: Set[str]) -> Iterator[ExistingComment]:
    """Our comments whose lines are gone, whose finding a whole run did not find again.

    Nobody answered them, and the files they are about were read, or left the pull request.
    """
    if report.status is not Status.COMPLETE:
        return
    read = {row.path for row in report.coverage if row.state is CoverageState.REVIEWED}
    pulled = {path for file in state.files for path in (file.path, file.old_path)}
    for comment in state.comments:
        known = known_finding(comment.body) if comment.is_ours else None
        if known is None or not comment.is_outdated or {known.fingerprint, known.fix} & names:
            continue
        was_read = comment.path in read or comment.path not in pulled
        if was_read and not comment.has_replies:
            yield comment
