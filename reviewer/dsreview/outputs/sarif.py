"""Findings as SARIF 2.1.0, with what GitHub's code scanning wants of it.

GitHub takes one location for each result, tells findings apart by
`primaryLocationLineHash`, shows the first 5,000 results, and ignores `fixes`, which
other readers apply.
"""

from urllib.parse import quote

from dsreview import __version__
from dsreview.finding import Edit, Finding, Severity, fingerprints
from dsreview.outputs.base import CodeView, inclusive, line_end_of
from dsreview.report import Report, Status
from dsreview.sanitize import ascii_json, terminal_safe, utf8

MAX_RESULTS = 5_000
LEVELS = {
    Severity.LOW: "note",
    Severity.MEDIUM: "warning",
    Severity.HIGH: "error",
    Severity.CRITICAL: "error",
}
_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_Object = dict[str, object]


def render(report: Report, code: CodeView) -> str:
    findings = report.findings[:MAX_RESULTS]
    names = fingerprints(report.findings)[:MAX_RESULTS]
    files = code.files(findings)
    rules: dict[str, list[Finding]] = {}
    for finding in findings:
        rules.setdefault(finding.rule, []).append(finding)
    positions = {rule: position for position, rule in enumerate(rules)}
    run: _Object = {
        "tool": {
            "driver": {
                "name": "dsreview",
                "semanticVersion": __version__,
                "rules": [_rule(rule, found) for rule, found in rules.items()],
            }
        },
        "automationDetails": {"id": "dsreview/"},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(report)],
        "results": [
            _result(finding, positions[finding.rule], name, files[finding.path])
            for finding, name in zip(findings, names, strict=True)
        ],
    }
    return ascii_json({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}) + "\n"


def _rule(rule: str, found: list[Finding]) -> _Object:
    """What is always true of a rule; GitHub refuses one without description and help."""
    worst = max((finding.severity for finding in found), key=lambda one: one.rank)
    origins = sorted({finding.origin.value for finding in found})
    name = rule.replace("-", " ")
    return {
        "id": rule,
        "shortDescription": _message(name[:1].upper() + name[1:]),
        "fullDescription": _message(f"{name}: {worst.value}"),
        "help": _message(
            "The result says what is wrong and in which situation it fails. "
            f"A comment `dsreview: ignore[{rule}] reason` on its line silences it."
        ),
        "defaultConfiguration": {"level": LEVELS[worst]},
        "properties": {"tags": origins},
    }


def _result(finding: Finding, rule_index: int, fingerprint: str, lines: list[str]) -> _Object:
    text = finding.message
    if finding.scenario:
        text += f"\n\nScenario: {finding.scenario}"
    result: _Object = {
        "ruleId": finding.rule,
        "ruleIndex": rule_index,
        "level": LEVELS[finding.severity],
        "message": _message(text),
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": _file(finding.path),
                    "region": _region(finding, lines),
                }
            }
        ],
        "partialFingerprints": {"primaryLocationLineHash": f"{fingerprint}:1"},
        "rank": round(100 * finding.confidence, 1),
    }
    if finding.suggestion:
        result["fixes"] = [_fix(finding.path, finding.suggestion.edit, line_end_of(lines))]
    return result


def _region(finding: Finding, lines: list[str]) -> _Object:
    """Whole lines, the end column one behind the last character."""
    first, last = inclusive(finding.span, len(lines))
    known = lines[last - 1] if last <= len(lines) else finding.quote.split("\n")[-1]
    return {
        "startLine": first,
        "startColumn": 1,
        "endLine": last,
        "endColumn": len(known.removesuffix("\r")) + 1,
    }


def _fix(path: str, edit: Edit, line_end: str) -> _Object:
    deleted = {
        "startLine": edit.span.start,
        "startColumn": 1,
        "endLine": edit.span.stop,
        "endColumn": 1,
    }
    replacement: _Object = {"deletedRegion": deleted}
    if edit.lines:
        replacement["insertedContent"] = {
            "text": "".join(f"{line}{line_end}" for line in edit.lines)
        }
    return {"artifactChanges": [{"artifactLocation": _file(path), "replacements": [replacement]}]}


def _invocation(report: Report) -> _Object:
    """What was not seen is said here: results alone would read as "nothing else found"."""
    words = [report.verdict]
    words += [f"{gap.path}: {gap.state.value}: {gap.reason}" for gap in report.gaps]
    words += report.notes
    num_left_out = len(report.findings) - MAX_RESULTS
    if num_left_out > 0:
        words.append(f"{num_left_out} findings beyond the first {MAX_RESULTS} are left out")
    level = "note" if report.status is Status.COMPLETE else "warning"
    return {
        "executionSuccessful": report.status is not Status.FAILED,
        "toolExecutionNotifications": [
            {"level": level, "message": _message(text)} for text in words
        ],
    }


def _message(text: str) -> _Object:
    """SARIF makes a link of `[text](address)`; a zero-width space keeps it text."""
    return {"text": terminal_safe(text).replace("](", "]\u200b(") or "-"}


def _file(path: str) -> _Object:
    uri = quote(utf8(path), safe="/")
    return {"uri": uri, "uriBaseId": "%SRCROOT%"}
