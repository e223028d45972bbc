"""What a change does to code that it did not touch, found over names alone.

Four checks: `stale-caller`, `dangling-reference`, `undefined-name` and
`unused-after-change`. Each stays silent wherever something that the syntax does not
show (star imports, decorators, inheritance, generated code) may be the explanation.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from dsreview.cache import Cache
from dsreview.change import Change, ChangedFile
from dsreview.checks.base import OUT_OF_TIME, CheckResult, Failure, never
from dsreview.checks.impact.budget import Budget
from dsreview.checks.impact.callers import (
    SignatureChange,
    find_stale_callers,
    signature_changes,
)
from dsreview.checks.impact.dangling import find_dangling
from dsreview.checks.impact.gone_files import (
    BY_PACKAGE,
    find_uses_of_gone_files,
    gone_files,
    with_removals,
)
from dsreview.checks.impact.program import ChangedFacts, Program
from dsreview.checks.impact.removals import Removal, removals
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
from dsreview.symbols import LANGUAGES, FactReader, FileSymbols, Reference, build_index

__all__ = ["find_impacts"]


def find_impacts(
    change: Change,
    files: Sequence[ChangedFile],
    sandbox: Sandbox,
    cache: Cache | None,
    is_over: Callable[[], bool] = never,
) -> CheckResult:
    """Findings on changed lines of `files`; failures for what could not be checked.

    Where only hunks are known (`change.is_whole` is False) nothing is checked: a name
    that the hunks do not show may be anywhere. Notebook cells are left out, because a
    cell shares its names with cells that ran before it.

    Args:
        is_over: asked between files and names; from when it says so, the changed and
            deleted files that are not finished become failures.
    """
    if not change.is_whole:
        return CheckResult()
    reader, budget = FactReader(sandbox, cache), Budget(is_over)
    failures: list[Failure] = []
    changed = {
        facts.path: facts
        for file in files
        if file.cell is None and file.language in LANGUAGES
        for facts in _read(file, change, reader, budget, failures)
    }
    program = Program(change, reader, changed, budget)
    findings = tuple(_checked(program, failures))
    return CheckResult(findings, tuple(dict.fromkeys(failures)))


def _read(
    file: ChangedFile, change: Change, reader: FactReader, budget: Budget, failures: list[Failure]
) -> Iterator[ChangedFacts]:
    if file.patch.kind is not FileKind.REGULAR:
        return
    if budget.ask():
        failures.append(Failure(file.path, OUT_OF_TIME))
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
    budget, listed = program.budget, gone_files(program.change)
    gone = tuple(with_removals(listed, program.change, program.reader, budget, failures))
    paths = {file.path for file in gone}
    work = [_work_of(program, facts, paths) for facts in budget.each(program.changed.values())]
    names = {name for one in work for name in one.names}
    names |= {name for one in gone for name in one.names}
    if not budget.is_used_up:
        program.index = build_index(
            program.change.head, names, program.reader, near=program.changed, is_over=budget.ask
        )
    if budget.is_used_up:  # half an index would take what it lacks for absent
        unfinished = [*program.changed, *(file.patch.path for file in gone)]
        failures.extend(Failure(path, OUT_OF_TIME) for path in unfinished)
        return
    failures.extend(Failure(gap.path or "impact checks", gap.reason) for gap in program.index.gaps)
    yield from find_uses_of_gone_files(program, gone)
    if budget.is_used_up:
        failures.extend(Failure(file.patch.path, OUT_OF_TIME) for file in gone)
    for one in work:
        if not budget.ask():
            yield from _found(program, one)
        if budget.is_used_up:
            failures.append(Failure(one.facts.path, OUT_OF_TIME))


@dataclass(frozen=True, slots=True)
class _Work:
    """What is to be looked up for one changed file."""

    facts: ChangedFacts
    signatures: tuple[SignatureChange, ...]
    removed: tuple[Removal, ...]
    undefined: tuple[Reference, ...]

    @property
    def names(self) -> set[str]:
        words = {one.called.name for one in self.signatures} | {one.name for one in self.removed}
        return words | {one.name for one in self.undefined}


def _work_of(program: Program, facts: ChangedFacts, gone: Collection[str]) -> _Work:
    """`gone` are old paths of files whose removals are looked up with the whole file."""
    is_gone = facts.new.language in BY_PACKAGE and facts.file.patch.old_path in gone
    return _Work(
        facts,
        tuple(signature_changes(facts)),
        () if is_gone else tuple(removals(facts)),
        undefined_references(program, facts),
    )


def _found(program: Program, work: _Work) -> Iterator[Finding]:
    facts = work.facts
    yield from find_stale_callers(program, work.signatures)
    yield from find_dangling(program, work.removed)
    yield from find_undefined(program, facts, work.undefined)
    yield from find_missing_members(program, facts)
    yield from find_unused(program, facts)
    yield from find_unused_parameters(program, facts)
