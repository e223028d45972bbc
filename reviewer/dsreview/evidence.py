"""Findings of the model whose claims the repository contradicts are dropped.

A model sees a piece of a file and is sometimes sure of what it cannot see. Each claim
that a name is undefined, absent, unused or defined twice is looked up with the parser;
what cannot be looked up is believed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from dsreview import languages
from dsreview.change import Change, ChangedFile
from dsreview.claims import Claim, ClaimKind, claims
from dsreview.constraints.builtin_names import BUILTIN_NAMES
from dsreview.errors import TaskFailed
from dsreview.finding import Finding, Origin, Refusal
from dsreview.languages.names import Name, NameRole
from dsreview.languages.tasks import NAMES, SCOPES, NamesRequest, ScopesRequest
from dsreview.patch import Span
from dsreview.sandbox import Sandbox

_BRINGS = (NameRole.DEFINITION, NameRole.IMPORT)
_USES = (NameRole.REFERENCE, NameRole.MEMBER)
MAX_FILES_SEARCHED = 200
"""Files that hold the name and are parsed, before a claim is believed."""


def check_evidence(
    findings: Sequence[Finding], change: Change, files: Sequence[ChangedFile], sandbox: Sandbox
) -> tuple[tuple[Finding, ...], tuple[Refusal, ...]]:
    """The findings that stand, and those that the repository contradicts."""
    by_path = {file.path: file for file in files}
    kept: list[Finding] = []
    refused: list[Refusal] = []
    for finding in findings:
        contradiction = ""
        if finding.origin is Origin.MODEL:
            contradiction = _contradiction(finding, by_path[finding.path], change, sandbox)
        if contradiction:
            refused.append(Refusal(finding.path, finding.rule, "evidence", contradiction))
        else:
            kept.append(finding)
    return tuple(kept), tuple(refused)


def _contradiction(finding: Finding, file: ChangedFile, change: Change, sandbox: Sandbox) -> str:
    """What speaks against the finding; "" where nothing does."""
    made = tuple(claims(f"{finding.message}\n{finding.scenario}"))
    if not made or file.language not in BUILTIN_NAMES:
        return ""
    try:
        facts = _Facts.read(file, finding.span, {claim.name for claim in made}, sandbox)
        for claim in made:
            found = _look_up(claim, facts, file, finding, change, sandbox)
            if found:
                return f"`{claim.name}` is not {claim.kind}: {found}"
    except TaskFailed:
        return ""  # what cannot be parsed speaks against nothing
    return ""


@dataclass(frozen=True, slots=True)
class _Facts:
    """Where a file has the names that are claimed about."""

    names: tuple[Name, ...]
    visible: Span | None
    """The outermost function around the finding; None at top level."""
    hidden: frozenset[tuple[str, int]]
    """Name and line of those inside functions that the finding is not in."""

    @classmethod
    def read(cls, file: ChangedFile, span: Span, wanted: set[str], sandbox: Sandbox) -> "_Facts":
        source = file.source
        reply = sandbox.call(NAMES, NamesRequest(file.language, source))
        names = tuple(name for name in reply.names if name.text.lstrip("$@") in wanted)
        lines = tuple(sorted({span.start, *(name.line for name in names)}))
        chains = dict(
            zip(
                lines,
                sandbox.call(SCOPES, ScopesRequest(file.language, source, lines)).chains,
                strict=True,
            )
        )
        here = [scope for scope in chains[span.start] if scope.kind.is_function_like]
        hidden = {
            (name.text, name.line)
            for name in names
            for scope in chains[name.line]
            if scope.kind.is_function_like
            and scope not in here
            # a function's own name stands in its header but belongs outside
            and scope.name.rpartition(".")[2] != name.text
        }
        return cls(names, here[0].span if here else None, frozenset(hidden))

    def lines(self, name: str, roles: tuple[NameRole, ...]) -> list[int]:
        return [
            one.line for one in self.names if one.text.lstrip("$@") == name and one.role in roles
        ]


def _look_up(
    claim: Claim,
    facts: _Facts,
    file: ChangedFile,
    finding: Finding,
    change: Change,
    sandbox: Sandbox,
) -> str:
    """Where the repository contradicts `claim`; "" where it does not."""
    brought = facts.lines(claim.name, _BRINGS)
    if claim.kind is ClaimKind.UNUSED:
        return _use_of(claim.name, facts, finding)
    if claim.kind is ClaimKind.DUPLICATE:
        is_single = len(set(brought)) == 1 and len(brought) == 1
        if not is_single or _defined_elsewhere(claim.name, file, change, sandbox):
            return ""
        return f"line {brought[0]} is its only definition"
    if claim.name in BUILTIN_NAMES[file.language]:
        return f"{languages.by_name(file.language).title} brings it"
    seen = [line for line in brought if (claim.name, line) not in facts.hidden]
    if claim.kind is ClaimKind.ABSENT:
        seen = brought
    if seen:
        return f"line {seen[0]} defines or imports it"
    if claim.kind is ClaimKind.ABSENT:
        where = _defined_elsewhere(claim.name, file, change, sandbox)
        return f"{where} defines it" if where else ""
    return ""


def _use_of(name: str, facts: _Facts, finding: Finding) -> str:
    """A use that the claim overlooks; earlier uses say nothing about a later assignment."""
    defined = set(facts.lines(name, _BRINGS))
    for line in facts.lines(name, _USES):
        is_local = facts.visible is None or line in facts.visible
        if line in defined or line in finding.span or not is_local:
            continue
        if line > finding.span.last:
            return f"line {line} uses it"
    return ""


def _defined_elsewhere(name: str, file: ChangedFile, change: Change, sandbox: Sandbox) -> str:
    """The first other file of the language that defines `name`; "" where none does."""
    word = name.encode()
    searched = 0
    for path in change.head.paths():
        if path == file.patch.path or searched >= MAX_FILES_SEARCHED:
            continue
        language = languages.detect(path)
        if language is None or language.name != file.language:
            continue
        source = change.head.read(path)
        if source is None or word not in source:
            continue
        searched += 1
        try:
            names = sandbox.call(NAMES, NamesRequest(language.name, source)).names
        except TaskFailed:
            continue
        if any(one.text == name and one.role is NameRole.DEFINITION for one in names):
            return path
    return ""
