"""What a reviewer found, and what it would write instead."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from dsreview.patch import Span
from dsreview.severity import Severity as Severity


class Origin(StrEnum):
    MODEL = "model"
    RULE = "rule"
    IMPACT = "impact"


class Basis(StrEnum):
    """What a confidence rests on."""

    STATED = "stated"
    """The word of whoever found it: a model's own, or that of a rule's author."""
    LOGITS = "logits"
    """The probability that the model gave to there being a finding."""
    VOTES = "votes"
    """The share of several answers that found it."""


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace the lines of `span` by `lines`.

    An empty `span` inserts, empty `lines` delete. Lines carry no line end; where the
    edited file uses "\\r\\n", applying the edit adds the "\\r".
    """

    span: Span
    lines: tuple[str, ...]


class Proof(StrEnum):
    """What is known of a suggestion."""

    NONE = "not checked"
    VERIFIED = "applied and parsed"
    DOUBTFUL = "parsed, place or names not verifiable"
    """Nothing speaks against it; but it may stand beside the code that it should replace, take
    a line too many, or use a name that comes from a file that nobody read."""
    PARSE_NOT_VERIFIABLE = "parse not verifiable"
    """Everything held, but the scope already had a syntax error before, or only hunks of the
    file are known."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    edit: Edit
    proof: Proof = Proof.NONE
    repair_round: int = 1
    """1: as first proposed; n: as re-asked in round n."""


@dataclass(frozen=True, slots=True)
class Finding:
    rule: str
    """Kebab-case name, stable over versions, for example `mutable-default`."""
    severity: Severity
    path: str
    span: Span
    """Lines of the new file. An empty span is the gap that removed lines left."""
    quote: str
    """The code that it is about, as it stands in the file."""
    message: str
    """One paragraph: what is wrong."""
    scenario: str
    """A concrete input or situation and what then goes wrong."""
    confidence: float
    """0 to 1."""
    origin: Origin
    scope: str = ""
    """Qualified name of the innermost enclosing scope; empty at top level."""
    suggestion: Suggestion | None = None
    basis: Basis = Basis.STATED
    raw_confidence: float | None = None
    """Before calibration; None where it was not calibrated."""

    def __post_init__(self) -> None:
        if not 0 <= self.confidence <= 1:
            raise ValueError(f"confidence is no probability: {self.confidence}")


@dataclass(frozen=True, slots=True)
class Refusal:
    """A suggestion or finding that was not shown, and why."""

    path: str
    rule: str
    reason: str
    """The constraint or gate that refused it, for example `parses`."""
    message: str


ANSWERED_BY_CHANGE = "answered in the code by this change"
"""The reason of a refusal: the author of the change says why it is none."""


def fingerprints(findings: Iterable[Finding]) -> list[str]:
    """One name per finding that survives moved lines, in the order given."""
    seen: dict[Sameness, int] = {}
    names: list[str] = []
    for finding in findings:
        key = sameness(finding)
        seen[key] = seen.get(key, 0) + 1
        names.append(fingerprint(key, seen[key]))
    return names


Sameness = tuple[str, str, str, str]


def sameness(finding: Finding) -> Sameness:
    """Rule, path, scope and the quoted text without white space.

    No line numbers, so that code that moves keeps its name.
    """
    return (finding.rule, finding.path, finding.scope, "".join(finding.quote.split()))


def fingerprint(same: Sameness, number: int) -> str:
    """Names one of the findings that are the same; `number` counts them from 1."""
    text = json.dumps((*same, number))  # ASCII, whatever the parts are
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:20]
