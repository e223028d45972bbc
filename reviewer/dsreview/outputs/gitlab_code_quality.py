"""Findings as a Code Quality artifact, which GitLab shows in a merge request."""

from dsreview.finding import Finding, Severity, fingerprints
from dsreview.outputs.base import CodeView, inclusive
from dsreview.report import Report
from dsreview.sanitize import ascii_json, terminal_safe

SEVERITIES = {
    Severity.LOW: "minor",
    Severity.MEDIUM: "major",
    Severity.HIGH: "critical",
    Severity.CRITICAL: "blocker",
}


def render(report: Report, code: CodeView) -> str:
    files = code.files(report.findings)
    names = fingerprints(report.findings)
    return (
        ascii_json(
            [
                _issue(finding, name, len(files[finding.path]))
                for finding, name in zip(report.findings, names, strict=True)
            ]
        )
        + "\n"
    )


def _issue(finding: Finding, fingerprint: str, num_lines: int) -> dict[str, object]:
    first, last = inclusive(finding.span, num_lines)
    return {
        "description": terminal_safe(" ".join(finding.message.split())),
        "check_name": finding.rule,
        "fingerprint": fingerprint,
        "severity": SEVERITIES[finding.severity],
        "location": {"path": finding.path, "lines": {"begin": first, "end": last}},
    }
