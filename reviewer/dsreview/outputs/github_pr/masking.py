"""A report without the secrets that its texts and the code hold.

What is posted is made from the masked report and the masked code alone, so that no part of
a comment can forget to ask.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from dsreview.change import Snapshot
from dsreview.finding import Finding
from dsreview.report import Report
from dsreview.secrets_mask import mask_secrets


@dataclass(frozen=True, slots=True)
class MaskedSnapshot:
    """Files with their secrets masked; lines keep their numbers."""

    files: Snapshot

    def paths(self) -> Sequence[str]:
        return self.files.paths()

    def read(self, path: str) -> bytes | None:
        content = self.files.read(path)
        if content is None:
            return None
        text = content.decode("utf-8", "surrogateescape")
        return mask_secrets(text).encode("utf-8", "surrogateescape")

    def identity(self, path: str) -> str | None:
        return None

    def size_bytes(self, path: str) -> int | None:
        return self.files.size_bytes(path)


def masked_report(report: Report) -> Report:
    return replace(
        report,
        findings=tuple(map(masked_finding, report.findings)),
        coverage=tuple(
            replace(row, path=mask_secrets(row.path), reason=mask_secrets(row.reason))
            for row in report.coverage
        ),
        refused=tuple(
            replace(one, path=mask_secrets(one.path), message=mask_secrets(one.message))
            for one in report.refused
        ),
        notes=tuple(map(mask_secrets, report.notes)),
        base_name=mask_secrets(report.base_name),
        head_name=mask_secrets(report.head_name),
    )


def masked_finding(finding: Finding) -> Finding:
    """The path stays: it is looked up, not shown, by whoever gets the finding."""
    suggestion = finding.suggestion
    if suggestion is not None:
        lines = tuple(masked_lines(suggestion.edit.lines))
        suggestion = replace(suggestion, edit=replace(suggestion.edit, lines=lines))
    return replace(
        finding,
        rule=mask_secrets(finding.rule),
        quote=mask_secrets(finding.quote),
        message=mask_secrets(finding.message),
        scenario=mask_secrets(finding.scenario),
        scope=mask_secrets(finding.scope),
        suggestion=suggestion,
    )


def masked_lines(lines: Sequence[str]) -> Iterator[str]:
    """Together, since a key goes over several lines."""
    return iter(mask_secrets("\n".join(lines)).split("\n") if lines else ())
