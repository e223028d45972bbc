"""The report as JSON; `docs/report.md` documents every key, `report.schema.json` checks it.

Lines are 1-based and inclusive: an empty range, which is the gap before line n, has
`start_line` n and `end_line` n - 1.
"""

from dsreview import __version__
from dsreview.finding import Finding, Proof, Refusal, Severity, Suggestion, fingerprints
from dsreview.outputs.base import CodeView
from dsreview.patch import Span
from dsreview.report import Coverage, Report, Stats
from dsreview.sanitize import ascii_json

SCHEMA_VERSION = 1
"""Grows when a key goes or changes its meaning; a new key leaves it as it is."""

_Object = dict[str, object]


def render(report: Report, _code: CodeView) -> str:
    names = fingerprints(report.findings)
    return (
        ascii_json(
            {
                "schema_version": SCHEMA_VERSION,
                "tool": {"name": "dsreview", "version": __version__},
                "status": report.status.value,
                "base": report.base_name,
                "head": report.head_name,
                "prompt_revision": report.prompt_revision,
                "verdict": _verdict(report),
                "findings": [
                    _finding(finding, name)
                    for finding, name in zip(report.findings, names, strict=True)
                ],
                "coverage": [_coverage(row) for row in report.coverage],
                "refused": [_refusal(refusal) for refusal in report.refused],
                "notes": list(report.notes),
                "stats": _stats(report.stats),
            }
        )
        + "\n"
    )


def _verdict(report: Report) -> _Object:
    counts = report.num_by_severity
    return {
        "summary": report.verdict,
        "findings": len(report.findings),
        **{severity.label: counts[severity] for severity in reversed(Severity)},
        "files": len(report.coverage),
        "files_not_fully_reviewed": len(report.gaps),
    }


def _range(span: Span) -> _Object:
    return {"start_line": span.start, "end_line": span.stop - 1}


def _finding(finding: Finding, fingerprint: str) -> _Object:
    return {
        "rule": finding.rule,
        "severity": finding.severity.label,
        "path": finding.path,
        **_range(finding.span),
        "message": finding.message,
        "scenario": finding.scenario,
        "confidence": finding.confidence,
        "confidence_basis": finding.basis.value,
        "raw_confidence": finding.raw_confidence,
        "origin": finding.origin.value,
        "fingerprint": fingerprint,
        "scope": finding.scope,
        "quote": finding.quote,
        "suggestion": _suggestion(finding.suggestion) if finding.suggestion else None,
    }


def _suggestion(suggestion: Suggestion) -> _Object:
    return {
        **_range(suggestion.edit.span),
        "replacement": "".join(f"{line}\n" for line in suggestion.edit.lines),
        "verified": suggestion.proof is Proof.VERIFIED,
        "proof": suggestion.proof.value,
        "repair_round": suggestion.repair_round,
    }


def _coverage(row: Coverage) -> _Object:
    return {
        "path": row.path,
        "state": row.state.value,
        "reason": row.reason,
        "excluded": row.is_excluded,
        "reviewers": list(row.reviewers),
    }


def _refusal(refusal: Refusal) -> _Object:
    return {
        "path": refusal.path,
        "rule": refusal.rule,
        "reason": refusal.reason,
        "message": refusal.message,
    }


def _stats(stats: Stats) -> _Object:
    return {
        "prompt_tokens": stats.prompt_tokens,
        "completion_tokens": stats.completion_tokens,
        "seconds": round(stats.seconds, 3),
        "model_seconds": round(stats.model_seconds, 3),
        "tokens_per_second": round(stats.tokens_per_second, 1),
        "device": stats.device,
        "model": stats.model,
        "cache_hits": stats.cache_hits,
        "cache_misses": stats.cache_misses,
        "repair_rounds": stats.repair_rounds,
        "votes": stats.votes,
        "calibration": stats.calibration,
    }
