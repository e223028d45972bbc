"""Findings with their code, then what was seen and at what cost; the verdict comes last.

Whatever comes from outside passes `terminal_safe`, and is
only ever put into a `Text`, which knows no markup.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from io import StringIO

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from dsreview import __version__
from dsreview.finding import Finding, Origin, Proof, Severity, Suggestion
from dsreview.outputs.base import CodeView
from dsreview.outputs.code_frame import MAX_LINES, diff, frame, gutter_for
from dsreview.report import CoverageState, Report, Stats, Status, count_of, short_name
from dsreview.sanitize import terminal_line

SEVERITY_STYLES = {
    Severity.CRITICAL: "bold white on red",
    Severity.HIGH: "bold red",
    Severity.MEDIUM: "bold yellow",
    Severity.LOW: "bold cyan",
}
PROOF_WORDS = {
    Proof.VERIFIED: ("verified: applied and parsed", "green"),
    Proof.DOUBTFUL: ("parsed, place or names not verifiable", "yellow"),
    Proof.PARSE_NOT_VERIFIABLE: ("parse not verifiable", "yellow"),
    Proof.NONE: ("not checked", "yellow"),
}
MAX_PROSE_WIDTH = 92
"""Longer lines of prose are hard to follow, however wide the window."""
MAX_COVERAGE_ROWS = 20
MIN_MESSAGE_WIDTH = 24
"""A shorter piece of a message says nothing."""
_LABEL_WIDTH = 12


def page(report: Report, code: CodeView) -> str:
    return printed(code, lambda console: _lines(report, code, console))


def printed(code: CodeView, lines: Callable[[Console], Iterable[Text]]) -> str:
    """Lines as they are written to the reader that `code` tells of."""
    console = Console(
        file=StringIO(),
        width=code.width,
        color_system="standard" if code.is_colored else None,
        force_terminal=code.is_colored,
        legacy_windows=False,
        markup=False,
        emoji=False,
        highlight=False,
        _environ={},
    )
    with console.capture() as capture:
        for line in lines(console):
            line.rstrip()
            console.print(_no_log_command(line), soft_wrap=True)
    return capture.get()


def _lines(report: Report, code: CodeView, console: Console) -> Iterator[Text]:
    yield heading_line(report)
    yield Text()
    for finding in report.findings[: report.max_findings]:
        yield from finding_lines(finding, code, console)
        yield Text()
    rest = report.findings[report.max_findings :]
    if rest:
        yield from _rest(rest, code.width)
        yield Text()
    yield from coverage_lines(report, code, console)
    yield Text()
    yield from Text(report.verdict, _verdict_style(report)).wrap(console, code.width)


def coverage_lines(report: Report, code: CodeView, console: Console) -> Iterator[Text]:
    """What was seen, refused and noted, and what it cost."""
    for label, text, style in _footer(report):
        yield from _labelled(label, Text(text, style), console, code.width)
        if label == "Coverage":
            yield from _coverage_rows(report, console, code.width)


def heading_line(report: Report) -> Text:
    """Program and change."""
    line = Text.assemble(("dsreview", "bold"), (f" {__version__}", "dim"))
    if report.base_name or report.head_name:
        names = (short_name(name) for name in (report.base_name, report.head_name) if name)
        line.append("  " + " → ".join(map(terminal_line, names)))
    return line


def finding_lines(finding: Finding, code: CodeView, console: Console) -> Iterator[Text]:
    """One finding: title, prose, code, suggestion."""
    yield from _title(finding, code)
    yield from wrapped(Text(_prose(finding.message)), console, code.width, indent=2)
    if finding.scenario:
        yield from _labelled("Scenario", Text(_prose(finding.scenario)), console, code.width, 2)
    suggestion = finding.suggestion
    lines = code.lines(finding.path)
    last = max(finding.span.stop, suggestion.edit.span.stop if suggestion else 0) + 1
    gutter = gutter_for(last, code.width)
    style = _text_style(finding.severity)
    shown = list(frame(lines, finding.span, gutter, style))
    if not shown:  # a file that is gone, or a patch without its repository
        quote = [line for line in finding.quote.split("\n") if line.strip()]
        for line in quote[:MAX_LINES]:
            shown.extend(gutter.marked_line(">", style, None, line))
    if shown:
        yield Text()
        yield from shown
    if suggestion:
        yield Text()
        yield from _labelled("Suggestion", _proof(suggestion), console, code.width, 2)
        yield from diff(lines, suggestion.edit, gutter)


def _title(finding: Finding, code: CodeView) -> Iterator[Text]:
    """Severity, place, rule, and who says so; what does not fit goes to the next line."""
    label = finding.severity.label.upper()
    is_block = code.is_colored and finding.severity is Severity.CRITICAL
    line = Text()
    line.append(f" {label} " if is_block else label, SEVERITY_STYLES[finding.severity])
    source = finding.origin.value
    if finding.origin is Origin.MODEL:
        basis = finding.basis.value + (", calibrated" if finding.raw_confidence is not None else "")
        source = f"model, {finding.confidence:.0%} sure ({basis})"
    for text, style in (
        (place_of(finding), "bold"),
        (terminal_line(finding.rule), ""),
        (source, "dim"),
    ):
        part = Text(text, style)
        if cell_len(line.plain) + 2 + cell_len(text) > code.width and line.plain.strip():
            yield line
            line = Text("  ") + part
        else:
            line = line + Text("  ") + part
    yield line


def _proof(suggestion: Suggestion) -> Text:
    words, style = PROOF_WORDS[suggestion.proof]
    text = Text()
    text.append(words, style)
    if suggestion.repair_round > 1:
        text.append(f", repaired in round {suggestion.repair_round}", "dim")
    return text


def _rest(findings: Sequence[Finding], width: int) -> Iterator[Text]:
    """One line each: the columns as wide as they need, the message in what is left."""
    counts = Counter(finding.severity for finding in findings)
    words = ", ".join(f"{counts[one]} {one.label}" for one in reversed(Severity) if counts[one])
    yield Text.assemble((count_of(len(findings), "more finding"), "bold"), (f": {words}", ""))
    places = [_cropped_left(place_of(finding), width // 2) for finding in findings]
    rules = [terminal_line(finding.rule) for finding in findings]
    place_width = max(map(cell_len, places))
    rule_width = max(map(cell_len, rules))
    has_room = 2 + 10 + place_width + 2 + rule_width + 2 + MIN_MESSAGE_WIDTH <= width
    for finding, place, rule in zip(findings, places, rules, strict=True):
        line = Text("  ")
        line.append(f"{finding.severity.label:<8}  ", _text_style(finding.severity))
        line.append(f"{_padded(place, place_width)}  {_padded(rule, rule_width)}")
        if has_room:
            line.append(f"  {_prose(finding.message)}", "dim")
        line.truncate(width, overflow="ellipsis")
        yield line


def _footer(report: Report) -> Iterator[tuple[str, str, str]]:
    yield "Coverage", _coverage_in_words(report), ""
    if report.refused:
        reasons = Counter(terminal_line(refusal.reason) for refusal in report.refused)
        listed = ", ".join(f"{reason} ({num})" for reason, num in reasons.most_common())
        yield "Refused", f"{len(report.refused)} findings or suggestions: {listed}", "dim"
    for note in report.notes:
        yield "Note", _prose(note), ""
    yield "Cost", cost_in_words(report.stats), "dim"


def _coverage_in_words(report: Report) -> str:
    num_reviewed = sum(row.state is CoverageState.REVIEWED for row in report.coverage)
    num_wanted = sum(not row.is_excluded for row in report.coverage)
    text = f"{num_reviewed} of {count_of(num_wanted, 'file')} reviewed"
    readers = Counter(terminal_line(who) for row in report.coverage for who in row.reviewers)
    if readers:
        text += "; read by " + ", ".join(f"{who} ({num})" for who, num in readers.items())
    num_excluded = len(report.coverage) - num_wanted
    return f"{text}; {num_excluded} excluded" if num_excluded else text


def _coverage_rows(report: Report, console: Console, width: int) -> Iterator[Text]:
    rows = [row for row in report.coverage if row.state is not CoverageState.REVIEWED]
    rows.sort(key=lambda row: row.is_excluded)  # gaps first, each in the order of the patch
    shown = rows[:MAX_COVERAGE_ROWS]
    paths = [_cropped_left(terminal_line(row.path), width // 2) for row in shown]
    path_width = max(map(cell_len, paths), default=0)
    for row, path in zip(shown, paths, strict=True):
        state = "excluded" if row.is_excluded else row.state.value
        line = Text("  ")
        line.append(f"{state:<{_LABEL_WIDTH - 2}}", "dim" if row.is_excluded else "yellow")
        line.append(_padded(path, path_width))
        reason = Text(f"  {_prose(row.reason)}", "dim")
        if row.is_gap and line.cell_len + reason.cell_len > width:
            yield line
            yield from _labelled("", Text(reason.plain.strip(), "dim"), console, width)
            continue
        line.append_text(reason)
        line.truncate(width, overflow="ellipsis")
        yield line
    if len(rows) > len(shown):
        yield Text(f"  {len(rows) - len(shown)} more, listed by --format json", "dim")


def cost_in_words(stats: Stats) -> str:
    parts = [f"{stats.seconds:.1f} s"]
    if stats.model:
        parts = [f"{terminal_line(stats.model)} on {terminal_line(stats.device) or 'unknown'}"]
        parts.append(
            f"{stats.prompt_tokens:,} tokens in, {stats.completion_tokens:,} out"
            f" ({stats.tokens_per_second:.1f} tok/s)"
        )
        parts.append(f"{stats.seconds:.1f} s, {stats.model_seconds:.1f} s of it the model")
    if stats.cache_hits + stats.cache_misses:
        parts.append(f"cache {stats.cache_hits} of {stats.cache_hits + stats.cache_misses}")
    if stats.votes > 1:
        parts.append(count_of(stats.votes, "vote"))
    if stats.calibration:
        parts.append(terminal_line(stats.calibration))
    if stats.repair_rounds:
        parts.append(count_of(stats.repair_rounds, "repair round"))
    return " · ".join(parts)


def _verdict_style(report: Report) -> str:
    if report.findings:
        worst = max((finding.severity for finding in report.findings), key=lambda one: one.rank)
        return _text_style(worst)
    return "bold green" if report.status is Status.COMPLETE else "bold yellow"


def _text_style(severity: Severity) -> str:
    """The style of a severity where a block of colour would shout."""
    return SEVERITY_STYLES[severity].replace("white on red", "red")


def place_of(finding: Finding) -> str:
    first, last = finding.span.start, finding.span.last
    lines = f"{first}" if first == last else f"{first}-{last}"
    return f"{terminal_line(finding.path)}:{lines}"


def _prose(text: str) -> str:
    return terminal_line(" ".join(text.split()))


def _labelled(
    label: str, text: Text, console: Console, width: int, indent: int = 0
) -> Iterator[Text]:
    """`label` in a column of its own, the wrapped text beside it."""
    hanging = indent + _LABEL_WIDTH
    lines = text.wrap(console, min(width, MAX_PROSE_WIDTH) - hanging) or [Text()]
    for number, line in enumerate(lines):
        head = Text(" " * indent) + Text(f"{label if number == 0 else '':<{_LABEL_WIDTH}}", "dim")
        yield head + line


def wrapped(text: Text, console: Console, width: int, indent: int = 0) -> Iterator[Text]:
    """A paragraph of prose."""
    for line in text.wrap(console, min(width, MAX_PROSE_WIDTH) - indent):
        yield Text(" " * indent) + line


def _padded(text: str, width: int) -> str:
    return text + " " * (width - cell_len(text))


def _cropped_left(text: str, width: int) -> str:
    """The end of a path says more than its start."""
    if cell_len(text) <= width:
        return text
    end = text[-width:]
    while cell_len(end) >= width:
        end = end[1:]
    return f"…{end}"


def _no_log_command(line: Text) -> Text:
    """A line that starts with `::` is an order to the runner of GitHub Actions."""
    code = line.plain.lstrip()
    if not code.startswith("::"):
        return line
    indent = len(line.plain) - len(code)
    return line[:indent] + Text("| ") + line[indent:]
