"""The report as Markdown, for a job summary or a comment.

Text from outside is prose without Markdown, a code span or a fenced block; nothing of it
can be a link, an image, HTML or a mention.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from dsreview.finding import Edit, Finding
from dsreview.outputs.base import CodeView
from dsreview.patch import Span
from dsreview.report import CoverageState, Report, Stats, count_of, short_name
from dsreview.sanitize import markdown_code, markdown_fence, markdown_safe

MAX_ROWS = 100
MAX_CODE_LINES = 20
MAX_LINE_LENGTH = 400


def render(report: Report, code: CodeView) -> str:
    blocks = [f"## dsreview: {report.verdict}", *_findings(report, code), *_footer(report)]
    return "\n\n".join(blocks) + "\n"


def _findings(report: Report, code: CodeView) -> Iterator[str]:
    if report.findings:
        rows = [
            (
                finding.severity.label,
                _place(finding),
                markdown_code(finding.rule),
                markdown_safe(finding.message),
            )
            for finding in report.findings[:MAX_ROWS]
        ]
        yield _table(("Severity", "Where", "Rule", "Finding"), rows)
        yield from _more(len(report.findings) - len(rows), "finding")
    for finding in report.findings[: report.max_findings]:
        yield from _details(finding, code.lines(finding.path))


def _details(finding: Finding, lines: list[str]) -> Iterator[str]:
    severity = finding.severity
    yield f"### {severity.label}: {markdown_code(finding.rule)} at {_place(finding)}"
    yield markdown_safe(finding.message)
    if finding.scenario:
        yield f"**Scenario:** {markdown_safe(finding.scenario)}"
    shown = _lines_of(finding.span, lines) or finding.quote.split("\n")
    if any(line.strip() for line in shown):
        yield _code(shown, _language(finding.path))
    if finding.suggestion:
        yield f"**Suggestion** ({finding.suggestion.proof.value}):"
        yield _code(_diff(finding.suggestion.edit, lines), "diff")


def _diff(edit: Edit, lines: list[str]) -> list[str]:
    """An insertion stands behind the line that it follows."""
    before = lines[edit.span.start - 2 : edit.span.start - 1] if edit.span.start > 1 else []
    context = [] if edit.span.num_lines else [f" {line}" for line in before]
    removed = [f"-{line}" for line in _lines_of(edit.span, lines)]
    return context + removed + [f"+{line}" for line in edit.lines]


def _footer(report: Report) -> Iterator[str]:
    num_reviewed = sum(row.state is CoverageState.REVIEWED for row in report.coverage)
    yield "### Coverage"
    num_wanted = sum(not row.is_excluded for row in report.coverage)
    yield f"{num_reviewed} of {count_of(num_wanted, 'file')} reviewed."
    rows = [
        (
            "excluded" if row.is_excluded else row.state.value,
            markdown_code(row.path),
            markdown_safe(row.reason),
        )
        for row in sorted(report.coverage, key=lambda row: row.is_excluded)
        if row.state is not CoverageState.REVIEWED
    ]
    if rows:
        yield _table(("State", "File", "Why"), rows[:MAX_ROWS])
        yield from _more(len(rows) - MAX_ROWS, "file")
    if report.refused:
        yield f"{len(report.refused)} findings or suggestions refused or answered in the code."
    if report.notes:
        yield "\n".join(f"- {markdown_safe(note)}" for note in report.notes)
    yield _stats(report)


def _stats(report: Report) -> str:
    stats: Stats = report.stats
    parts = [f"{stats.seconds:.1f} s"]
    if stats.model:
        parts.append(f"{markdown_code(stats.model)} on {markdown_code(stats.device)}")
        parts.append(f"{stats.prompt_tokens:,} tokens in, {stats.completion_tokens:,} out")
        parts.append(f"{stats.tokens_per_second:.1f} tok/s")
    if stats.cache_hits + stats.cache_misses:
        parts.append(f"cache {stats.cache_hits} of {stats.cache_hits + stats.cache_misses}")
    sides = (report.base_name, report.head_name)
    names = [markdown_code(short_name(name)) for name in sides if name]
    return " · ".join((" → ".join(names), *parts) if names else parts)


def _table(heading: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [heading, ("---",) * len(heading), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _more(num: int, noun: str) -> Iterator[str]:
    if num > 0:
        yield f"{count_of(num, f'more {noun}')}, listed by `--format json`."


def _place(finding: Finding) -> str:
    first, last = finding.span.start, finding.span.last
    lines = f"{first}" if first == last else f"{first}-{last}"
    return markdown_code(f"{finding.path}:{lines}")


def _lines_of(span: Span, lines: list[str]) -> list[str]:
    return lines[span.start - 1 : span.stop - 1]


def _code(lines: list[str], language: str) -> str:
    shown = [line.removesuffix("\r")[:MAX_LINE_LENGTH] for line in lines[:MAX_CODE_LINES]]
    if len(lines) > MAX_CODE_LINES:
        shown.append(f"... {len(lines) - MAX_CODE_LINES} more lines")
    return markdown_fence(shown, language)


def _language(path: str) -> str:
    """GitHub knows languages by their extensions, too."""
    suffix = PurePosixPath(path).suffix.removeprefix(".")
    return suffix if re.fullmatch(r"[A-Za-z0-9]{1,8}", suffix) else ""
