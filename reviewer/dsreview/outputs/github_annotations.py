"""Findings as workflow commands of GitHub Actions, which shows them beside the lines.

The runner shows ten annotations of each level for a step and drops the rest without a
word, so the rest is counted in a notice. No line of this output can be any other command.
"""

from collections.abc import Sequence

from dsreview.finding import Finding, Severity
from dsreview.outputs.base import CodeView, inclusive
from dsreview.report import Report, count_of
from dsreview.sanitize import command_data, command_property

MAX_PER_LEVEL = 10
LEVELS = {
    Severity.LOW: "notice",
    Severity.MEDIUM: "warning",
    Severity.HIGH: "error",
    Severity.CRITICAL: "error",
}


def render(report: Report, code: CodeView) -> str:
    files = code.files(report.findings)
    lines: list[str] = []
    num_hidden = 0
    for level, num_reserved in (("error", 0), ("warning", 1), ("notice", 1)):
        findings = [finding for finding in report.findings if LEVELS[finding.severity] == level]
        num_shown = MAX_PER_LEVEL - num_reserved
        lines.extend(
            _annotation(level, finding, len(files[finding.path]))
            for finding in findings[:num_shown]
        )
        num_hidden += max(0, len(findings) - num_shown)
    if report.gaps:
        lines.append(
            workflow_command(
                "warning", {"title": "dsreview: not everything was reviewed"}, _gaps(report)
            )
        )
    if num_hidden:
        text = f"{count_of(num_hidden, 'more finding')} than GitHub shows; see the full report"
        lines.append(workflow_command("notice", {"title": "dsreview"}, text))
    lines.append(f"dsreview: {report.verdict}")
    return "\n".join(lines) + "\n"


def _annotation(level: str, finding: Finding, num_lines: int) -> str:
    first, last = inclusive(finding.span, num_lines)
    properties = {
        "file": finding.path,
        "line": str(first),
        "endLine": str(last),
        "title": f"{finding.rule} ({finding.severity.label})",
    }
    text = finding.message
    if finding.scenario:
        text += f"\n\nScenario: {finding.scenario}"
    return workflow_command(level, properties, text)


def _gaps(report: Report) -> str:
    shown: Sequence[str] = [f"{gap.path}: {gap.reason}" for gap in report.gaps[:MAX_PER_LEVEL]]
    if len(report.gaps) > len(shown):
        shown = [*shown, f"{len(report.gaps) - len(shown)} more"]
    return "\n".join(shown)


def workflow_command(level: str, properties: dict[str, str], text: str) -> str:
    """A line that the runner obeys; no part of it can end it, or begin another."""
    listed = ",".join(f"{name}={command_property(value)}" for name, value in properties.items())
    return f"::{level} {listed}::{command_data(text)}"
