"""What a change does to code that it did not touch, found over names alone.

Four checks: `stale-caller`, `dangling-reference`, `undefined-name` and
`unused-after-change`. Each stays silent wherever something that the syntax does not
show (star imports, decorators, inheritance, generated code) may be the explanation.
"""

from collections.abc import Iterator, Sequence

from dsreview.cache import Cache
from dsreview.change import Change, ChangedFile
from dsreview.checks.base import CheckResult, Failure
from dsreview.checks.impact.callers import find_stale_callers, signature_changes
from dsreview.checks.impact.dangling import find_dangling, removals
from dsreview.checks.impact.gone_files import find_uses_of_gone_files, gone_files, gone_names
from dsreview.checks.impact.program import ChangedFacts, Program
from dsreview.checks.impact.undefined import (
    find_missing_members,
    find_undefined,
    undefined_references,
)
from dsreview.checks.impact.unused import find_unused, find_unused_parameters
from dsreview.errors import TaskFailed
from dsreview.finding import Finding
from dsreview.patch import FileKind
from dsreview.sandbox import Sandbox
from dsreview.symbols import LANGUAGES, FactReader, FileSymbols, build_index

__all__ = ["find_impacts"]


def find_impacts(
    change: Change, files: Sequence[ChangedFile], sandbox: Sandbox, cache: Cache | None
) -> CheckResult:
    """Findings on changed lines of `files`; failures for what could not be checked.

    Where only hunks are known (`change.is_whole` is False) nothing is checked: a name
    that the hunks do not show may be anywhere. Notebook cells are left out, because a
    cell shares its names with cells that ran before it.
    """
    if not change.is_whole:
        return CheckResult()
    reader = FactReader(sandbox, cache)
    failures: list[Failure] = []
    changed = {
        facts.path: facts
        for file in files
        if file.cell is None and file.language in LANGUAGES
        for facts in _read(file, change, reader, failures)
    }
    program = Program(change, reader, changed)
    findings = tuple(_checked(program, failures))
    return CheckResult(findings, tuple(failures))


def _read(
    file: ChangedFile, change: Change, reader: FactReader, failures: list[Failure]
) -> Iterator[ChangedFacts]:
    if file.patch.kind is not FileKind.REGULAR:
        return
    try:
        new = _facts(reader, file.language, file.text, change.head.identity(file.path))
        old = None
        if file.old_text is not None:
            identity = change.base.identity(file.patch.old_path)
            old = _facts(reader, file.language, file.old_text, identity)
    except TaskFailed as error:
        failures.append(Failure(file.path, str(error)))
        return
    yield ChangedFacts(file, old, new)


def _facts(reader: FactReader, language: str, text: str, identity: str | None) -> FileSymbols:
    return reader.read(language, text.encode("utf-8", "surrogateescape"), identity)


def _checked(program: Program, failures: list[Failure]) -> Iterator[Finding]:
    changed = list(program.changed.values())
    signatures = [one for facts in changed for one in signature_changes(facts)]
    removed = [one for facts in changed for one in removals(facts)]
    undefined = {facts.path: undefined_references(program, facts) for facts in changed}
    gone = gone_files(program.change)
    names = {one.called.name for one in signatures} | {one.name for one in removed}
    names |= gone_names(gone)
    names |= {one.name for listed in undefined.values() for one in listed}
    program.index = build_index(
        program.change.head, names, program.reader, near=program.changed.keys()
    )
    failures.extend(Failure(gap.path or "impact checks", gap.reason) for gap in program.index.gaps)
    yield from find_stale_callers(program, signatures)
    yield from find_dangling(program, removed)
    yield from find_uses_of_gone_files(program, gone)
    for facts in changed:
        yield from find_undefined(program, facts, undefined[facts.path])
        yield from find_missing_members(program, facts)
        yield from find_unused(program, facts)
        yield from find_unused_parameters(program, facts)
