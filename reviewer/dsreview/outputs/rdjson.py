"""Findings in the Reviewdog Diagnostic Format, suggestions included.

Columns are 1-based and count bytes of UTF-8; the end of a range is exclusive. Reviewdog
takes messages for Markdown, so they are neutralised, and posts a suggestion only where
its range has the same lines as the finding's.
"""

from dsreview import __version__
from dsreview.finding import Edit, Finding, Severity
from dsreview.outputs.base import CodeView, line_end_of
from dsreview.patch import Span
from dsreview.report import Report
from dsreview.sanitize import ascii_json, markdown_prose, utf8

SEVERITIES = {
    Severity.LOW: "INFO",
    Severity.MEDIUM: "WARNING",
    Severity.HIGH: "ERROR",
    Severity.CRITICAL: "ERROR",
}
_Object = dict[str, object]


def render(report: Report, code: CodeView) -> str:
    files = code.files(report.findings)
    diagnostics = [_diagnostic(finding, files[finding.path]) for finding in report.findings]
    return (
        ascii_json({"source": {"name": f"dsreview {__version__}"}, "diagnostics": diagnostics})
        + "\n"
    )


def _diagnostic(finding: Finding, lines: list[str]) -> _Object:
    text = markdown_prose(finding.message)
    if finding.scenario:
        text += f"\n\nScenario: {markdown_prose(finding.scenario)}"
    diagnostic: _Object = {
        "message": text,
        "location": {"path": finding.path, "range": _range(finding.span, lines)},
        "severity": SEVERITIES[finding.severity],
        "code": {"value": finding.rule},
    }
    if finding.suggestion:
        diagnostic["suggestions"] = [_suggestion(finding.suggestion.edit, lines)]
    return diagnostic


def _suggestion(edit: Edit, lines: list[str]) -> _Object:
    """Whole lines; the text ends where its range ends."""
    if not edit.lines:
        return {"range": _line_starts(edit.span), "text": ""}
    line_end = line_end_of(lines)
    text = line_end.join(edit.lines)
    if not _has_known_end(edit.span, lines):
        text += line_end
    return {"range": _range(edit.span, lines), "text": text}


def _range(span: Span, lines: list[str]) -> _Object:
    """From the start of the first line to the end of the last; of a gap, no width."""
    if not _has_known_end(span, lines):
        return _line_starts(span)
    last = lines[span.last - 1].removesuffix("\r")
    return {
        "start": {"line": span.start, "column": 1},
        "end": {"line": span.last, "column": len(utf8(last)) + 1},
    }


def _line_starts(span: Span) -> _Object:
    return {
        "start": {"line": span.start, "column": 1},
        "end": {"line": span.stop, "column": 1},
    }


def _has_known_end(span: Span, lines: list[str]) -> bool:
    return span.num_lines > 0 and span.last <= len(lines)
