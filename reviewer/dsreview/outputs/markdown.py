"""The report as Markdown, for a job summary or a comment.

Text from outside is prose without Markdown, a code span or a fenced block; nothing of it
can be a link, an image, HTML or a mention.
"""

from collections.abc import Iterator, Sequence

from dsreview import languages
from dsreview.finding import Edit, Finding
from dsreview.outputs.base import CodeView
from dsreview.patch import Span
from dsreview.report import CoverageState, Report, Stats, count_of, short_name
from dsreview.sanitize import (
    markdown_code,
    markdown_fence,
    markdown_prose,
    terminal_line,
    utf8,
)

MAX_ROWS = 100
MAX_CODE_LINES = 20
MAX_LINE_LENGTH = 400
MAX_CODE_BYTES = 6_000
MAX_CELL_BYTES = 400
MAX_ROW_BYTES = 2_000
MAX_MESSAGE_BYTES = 12_000
MAX_SCENARIO_BYTES = 8_000
CUT = " ... (cut)"


def render(report: Report, code: CodeView) -> str:
    blocks = [f"## dsreview: {report.verdict}", *_findings(report, code), *_footer(report)]
    return "\n\n".join(blocks) + "\n"


def _findings(report: Report, code: CodeView) -> Iterator[str]:
    if report.findings:
        rows = [
            (
                finding.severity.label,
                place_of(finding),
                rule_of(finding),
                prose(finding.message, MAX_ROW_BYTES),
            )
            for finding in report.findings[:MAX_ROWS]
        ]
        yield table(("Severity", "Where", "Rule", "Finding"), rows)
        yield from _more(len(report.findings) - len(rows), "finding")
    for finding in report.findings[: report.max_findings]:
        yield from details(finding, code.lines(finding.path))


def details(finding: Finding, lines: list[str]) -> Iterator[str]:
    """The blocks that tell one finding in full; `lines` are those of its file."""
    yield f"### {finding.severity.label}: {rule_of(finding)} at {place_of(finding)}"
    yield from explanation(finding)
    yield from code_and_suggestion(finding, lines)


def code_and_suggestion(finding: Finding, lines: list[str]) -> Iterator[str]:
    """The code only where the suggestion does not show it anyway."""
    edited = finding.suggestion.edit.span if finding.suggestion else None
    span = finding.span
    is_shown = edited is not None and edited.start <= span.start and span.stop <= edited.stop
    shown = _lines_of(span, lines) or finding.quote.split("\n")
    if any(line.strip() for line in shown) and not (is_shown and span.num_lines):
        yield _code(shown, fence_language(finding.path))
    yield from suggestion(finding, lines)


def explanation(finding: Finding) -> Iterator[str]:
    """What is wrong, and when."""
    yield prose(finding.message, MAX_MESSAGE_BYTES)
    if finding.scenario:
        yield f"**Scenario:** {prose(finding.scenario, MAX_SCENARIO_BYTES)}"


def suggestion(finding: Finding, lines: list[str]) -> Iterator[str]:
    """The suggestion as a diff, and what is known of it."""
    if finding.suggestion:
        yield f"**Suggestion** ({finding.suggestion.proof.value}):"
        yield _code(_diff(finding.suggestion.edit, lines), "diff")


def prose(text: str, max_bytes: int) -> str:
    """`text` as safe Markdown of at most `max_bytes`; says so where it is cut."""
    if len(text) <= max_bytes:
        safe = markdown_prose(text)
        if len(safe.encode()) <= max_bytes:
            return safe
    num_kept = max_bytes - len(CUT)
    while True:
        safe = markdown_prose(text[:num_kept] + CUT)
        size = len(safe.encode())
        if size <= max_bytes:
            return safe
        num_kept = num_kept * max_bytes // size * 19 // 20


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
            cell(row.path),
            prose(row.reason, MAX_CELL_BYTES),
        )
        for row in sorted(report.coverage, key=lambda row: row.is_excluded)
        if row.state is not CoverageState.REVIEWED
    ]
    if rows:
        yield table(("State", "File", "Why"), rows[:MAX_ROWS])
        yield from _more(len(rows) - MAX_ROWS, "file")
    if report.refused:
        yield f"{len(report.refused)} findings or suggestions refused or answered in the code."
    if report.notes:
        yield "\n".join(f"- {prose(note, MAX_CELL_BYTES)}" for note in report.notes[:MAX_ROWS])
    yield stats_line(report)


def stats_line(report: Report) -> str:
    """Revisions, time, model, tokens."""
    stats: Stats = report.stats
    parts = [f"{stats.seconds:.1f} s"]
    if stats.model:
        parts.append(f"{cell(stats.model)} on {cell(stats.device)}")
        parts.append(f"{stats.prompt_tokens:,} tokens in, {stats.completion_tokens:,} out")
        parts.append(f"{stats.tokens_per_second:.1f} tok/s")
    if stats.cache_hits + stats.cache_misses:
        parts.append(f"cache {stats.cache_hits} of {stats.cache_hits + stats.cache_misses}")
    if stats.votes > 1:
        parts.append(count_of(stats.votes, "vote"))
    if stats.calibration:
        parts.append(cell(stats.calibration))
    sides = (report.base_name, report.head_name)
    names = [cell(short_name(name)) for name in sides if name]
    return " · ".join((" → ".join(names), *parts) if names else parts)


def table(heading: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [heading, ("---",) * len(heading), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _more(num: int, noun: str) -> Iterator[str]:
    if num > 0:
        yield f"{count_of(num, f'more {noun}')}, listed by `--format json`."


def rule_of(finding: Finding) -> str:
    """The rule as a code span."""
    return cell(finding.rule)


def place_of(finding: Finding) -> str:
    """Path and lines as a code span."""
    first, last = finding.span.start, finding.span.last
    lines = f"{first}" if first == last else f"{first}-{last}"
    return cell(f"{finding.path}:{lines}")


def cell(name: str) -> str:
    """A path or another name as a code span; of a long one the end."""
    shown = name[-MAX_CELL_BYTES:]
    code = markdown_code(name) if shown == name else markdown_code(f"...{shown}")
    while len(code.encode()) > MAX_CELL_BYTES:
        shown = shown[len(shown) // 4 + 1 :]
        code = markdown_code(f"...{shown}")
    return code


def _lines_of(span: Span, lines: list[str]) -> list[str]:
    return lines[span.start - 1 : span.stop - 1]


def _code(lines: list[str], language: str) -> str:
    shown: list[str] = []
    left_bytes = MAX_CODE_BYTES
    for line in lines[:MAX_CODE_LINES]:
        text = line.removesuffix("\r")[:MAX_LINE_LENGTH]
        left_bytes -= len(utf8(terminal_line(text))) + 1
        if left_bytes < 0:
            break
        shown.append(text)
    if len(lines) > len(shown):
        shown.append(f"... {count_of(len(lines) - len(shown), 'more line')}")
    return markdown_fence(shown, language)


def fence_language(path: str) -> str:
    """Only names of our own table: some make GitHub draw a diagram or a map of the code."""
    language = languages.detect(path)
    return language.name.replace("_", "") if language is not None else ""
