"""A report without the secrets that its texts and the code hold.

What is posted is made from the masked report and the masked code alone, so that no part of
a comment can forget to ask.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from dsreview.change import Snapshot
from dsreview.finding import Finding
from dsreview.report import Report
from dsreview.secrets_mask import MASK, mask_secrets

_MIN_LENGTH = 12
"""Of a line that is looked for in other texts; a shorter one may be any word."""


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


Lines = Mapping[str, Sequence[str]]
"""Of files, by path."""


def masked_report(report: Report, files: Lines, masked_files: Lines) -> Report:
    """
    Args:
        files: those that have findings, as they are.
        masked_files: the same with their secrets masked.
    """
    hidden = {path: _hidden(files[path], masked_files[path]) for path in files}
    return replace(
        report,
        findings=tuple(_masked_finding(one, hidden[one.path]) for one in report.findings),
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


def _hidden(lines: Sequence[str], masked: Sequence[str]) -> Sequence[str]:
    """Lines that are a secret only together with others, as those of a key."""
    pairs = zip(lines, masked, strict=True)
    changed = dict.fromkeys(line.strip() for line, safe in pairs if line != safe)
    return [line for line in changed if len(line) >= _MIN_LENGTH and mask_secrets(line) == line]


def _masked_finding(finding: Finding, hidden: Sequence[str]) -> Finding:
    """The path stays: it is looked up, not shown, by whoever gets the finding."""
    suggestion = finding.suggestion
    if suggestion is not None and suggestion.edit.lines:
        lines = tuple(_masked("\n".join(suggestion.edit.lines), hidden).split("\n"))
        suggestion = replace(suggestion, edit=replace(suggestion.edit, lines=lines))
    return replace(
        finding,
        rule=_masked(finding.rule, hidden),
        quote=_masked(finding.quote, hidden),
        message=_masked(finding.message, hidden),
        scenario=_masked(finding.scenario, hidden),
        scope=_masked(finding.scope, hidden),
        suggestion=suggestion,
    )


def _masked(text: str, hidden: Sequence[str]) -> str:
    for line in hidden:
        text = text.replace(line, MASK)
    return mask_secrets(text)
