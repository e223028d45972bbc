"""From a report and the state of a pull request to everything that is to be posted.

Each finding of the report is in exactly one place: told before and silent, a comment on
lines, a comment on a file, or an entry of the summary; and all of them are annotations.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from dsreview.finding import Severity
from dsreview.outputs import markdown
from dsreview.outputs.base import CodeView, inclusive
from dsreview.outputs.github_pr import history
from dsreview.outputs.github_pr.comments import (
    PlacedFinding,
    file_comment,
    inline_comment,
    line_of,
)
from dsreview.outputs.github_pr.marker import LastReview, digest, review_marker
from dsreview.outputs.github_pr.masking import Lines, MaskedSnapshot, masked_report
from dsreview.outputs.github_pr.placement import ShownFile, place, shown_file
from dsreview.outputs.github_pr.sorting import Sorted, sort_out
from dsreview.outputs.github_pr.sticky import Summary
from dsreview.outputs.github_pr.summary import Counts, is_no_news, summary
from dsreview.outputs.github_pr.values import (
    Annotation,
    ExistingComment,
    PostingPlan,
    PullFile,
    PullState,
    RunFacts,
)
from dsreview.patch import Patch
from dsreview.report import Report, short_name
from dsreview.sanitize import markdown_code, terminal_line, terminal_safe


def plan_posting(
    report: Report, code: CodeView, state: PullState, run: RunFacts, local: Patch | None = None
) -> PostingPlan:
    """What `report` adds to what `state` already shows.

    `local` is the diff of the whole pull request, for where GitHub's list of files is too
    long to have every patch; give it only then.
    """
    masked_code = CodeView(MaskedSnapshot(code.head), code.width)
    files, masked_files = code.files(report.findings), masked_code.files(report.findings)
    masked = masked_report(report, files, masked_files)
    shown = _Shown(state, local)
    placed = _placed(report, masked, files, masked_files, shown)
    found = _named(placed, state.comments, shown.renames)
    sorted_out = sort_out(found, report, state, run)
    key = _key(sorted_out, state, run)
    return PostingPlan(
        key=key,
        head_sha=run.head_sha,
        review_body=_review_body(key, run),
        inline=tuple(
            inline_comment(one, lines, key, run.head_sha) for one, lines in sorted_out.on_lines
        ),
        file_level=tuple(file_comment(one, key, run.head_sha) for one in sorted_out.on_files),
        summary=_summary(masked, found, sorted_out, state, run),
        minimize=tuple(one.node_id for one in sorted_out.gone if not one.is_minimized),
        resolve=tuple(_resolvable(sorted_out.gone)) if state.can_resolve else (),
        annotations=tuple(map(_annotation, found)),
        job_summary=markdown.render(masked, masked_code),
    )


class _Shown:
    """The files of the pull request as GitHub shows them."""

    def __init__(self, state: PullState, local: Patch | None) -> None:
        self._local = {file.path: file for file in local.files} if local is not None else {}
        self._files = {file.path: file for file in state.files}
        for path, file in self._local.items():
            listed = PullFile(path, file.old_path, file.status.value, None)
            self._files.setdefault(path, listed)
        self.renames = tuple(self._files.values())

    def file(self, path: str, lines: Sequence[str]) -> ShownFile | None:
        listed = self._files.get(path)
        if listed is None:
            return None
        return shown_file(listed, lines, self._local.get(path))


def _placed(
    report: Report, masked: Report, files: Lines, masked_files: Lines, shown: _Shown
) -> tuple[PlacedFinding, ...]:
    findings = report.findings
    masked_lines = {path: tuple(lines) for path, lines in masked_files.items()}
    shown_files = {path: shown.file(path, lines) for path, lines in files.items()}
    return tuple(
        PlacedFinding(
            finding=masked_finding,
            original=finding,
            place=place(finding, shown_files[finding.path]),
            file=shown_files[finding.path],
            lines=masked_lines[finding.path],
        )
        for masked_finding, finding in zip(masked.findings, findings, strict=True)
    )


def _named(
    placed: Sequence[PlacedFinding],
    comments: Sequence[ExistingComment],
    renames: Sequence[PullFile],
) -> tuple[PlacedFinding, ...]:
    findings = [one.original for one in placed]
    lines = [line_of(one) for one in placed]
    held = history.standing(comments)
    return tuple(
        replace(one, fingerprint=name, earlier_name=earlier_name, fix=fix)
        for one, name, earlier_name, fix in zip(
            placed,
            history.names_by_place(findings, lines, held),
            history.earlier_names(findings, renames, lines, held),
            history.fix_names(findings, lines, held),
            strict=True,
        )
    )


def _key(sorted_out: Sorted, state: PullState, run: RunFacts) -> str:
    """Of what is told again after it was hidden, it is not the key of the first time."""
    names = {one.fingerprint for one, _ in sorted_out.on_lines}
    names |= {one.fingerprint for one in sorted_out.on_files}
    hidden = [
        one.comment.node_id
        for one in history.withdrawn(state.comments)
        if one.known.fingerprint in names
    ]
    commits = (run.base_sha, run.head_sha, run.config_digest)
    return digest(state.pull.full_name, *commits, *sorted(names), *sorted(hidden))


def _review_body(key: str, run: RunFacts) -> str:
    head = markdown_code(short_name(run.head_sha))
    text = f"Comments of dsreview on {head}; the verdict and everything else are in its summary."
    return f"{text}\n\n{review_marker(key, run.head_sha)}"


def _summary(
    masked: Report,
    found: Sequence[PlacedFinding],
    sorted_out: Sorted,
    state: PullState,
    run: RunFacts,
) -> Summary | None:
    """None where it stands there already, or quiet is wanted and all is well."""
    counts = Counts(
        on_code=sorted_out.num_comments,
        silent=tuple((silence.value, num) for silence, num in sorted(sorted_out.silent.items())),
        num_open=sorted_out.num_open,
        num_kept=sorted_out.num_kept,
    )
    names = sorted(
        {
            *(one.fingerprint for one in found),
            *(entry.fingerprint for entry in sorted_out.in_summary),
        }
    )
    gaps = [f"{row.state} {row.path}" for row in masked.gaps]
    before = history.last_review_of(state)
    last = LastReview(
        head_sha=run.head_sha,
        base_sha=run.base_sha,
        config_digest=run.config_digest,
        status=masked.status,
        findings_digest=digest(*names, "", *gaps),
        worst=_worst(masked, before if run.since else None),
    )
    if not sorted_out.num_comments:
        if last == before:
            return None
        is_quiet = run.is_quiet and is_no_news(masked, counts, sorted_out.in_summary)
        if is_quiet and state.summary is None:
            return None
    return summary(masked, run, last, counts, sorted_out.in_summary)


def _worst(report: Report, before: LastReview | None) -> Severity | None:
    """Of what is known now; `before` where files were left as an earlier run found them."""
    known = [finding.severity for finding in report.findings]
    if before is not None and before.worst is not None:
        known.append(before.worst)
    return max(known, key=lambda severity: severity.rank, default=None)


def _resolvable(gone: Iterable[ExistingComment]) -> Iterator[str]:
    for comment in gone:
        if comment.thread_id is not None and not comment.is_resolved:
            yield comment.thread_id


def _annotation(one: PlacedFinding) -> Annotation:
    finding = one.finding
    first, last = inclusive(finding.span, len(one.lines))
    scenario = f"\n\nScenario: {finding.scenario}" if finding.scenario else ""
    return Annotation(
        fingerprint=one.fingerprint,
        severity=finding.severity,
        path=terminal_line(finding.path),
        line=first,
        end_line=last,
        title=terminal_line(f"{finding.rule} ({finding.severity.label})"),
        message=terminal_safe(f"{finding.message}{scenario}"),
    )
