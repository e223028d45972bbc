"""`stale-caller`: the parameters changed, and a call elsewhere still passes the old ones.

A call counts only where it fitted the old parameters and does not fit the new ones, so
a call that is odd for its own reasons is never blamed on the change.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from dsreview.checks.impact.arguments import misfit
from dsreview.checks.impact.program import ChangedFacts, Program
from dsreview.checks.impact.targets import Target, calls_of
from dsreview.finding import Finding, Origin, Severity
from dsreview.patch import Span
from dsreview.symbols import (
    Call,
    Definition,
    DefinitionKind,
    FileSymbols,
    Parameter,
    Reference,
    Site,
)

_TRANSPARENT = frozenset(
    {"staticmethod", "classmethod", "abstractmethod", "abc.abstractmethod", "cache", "lru_cache"}
    | {"functools.cache", "functools.lru_cache", "contextmanager", "contextlib.contextmanager"}
    | {"asynccontextmanager", "contextlib.asynccontextmanager", "override", "typing.override"}
)
"""Python decorators that leave the parameters as they are written."""

_FAILURES = {
    "python": "raises TypeError",
    "javascript": "leaves the last argument unused, and the others reach the wrong parameters",
    "typescript": "does not compile, and without type checks gets the wrong arguments",
    "tsx": "does not compile, and without type checks gets the wrong arguments",
    "go": "does not compile",
    "java": "does not compile",
}


@dataclass(frozen=True, slots=True)
class SignatureChange:
    """A definition that both sides have, with other parameters."""

    changed: ChangedFacts
    old: Definition
    new: Definition
    called: Definition
    """What callers name: the definition itself, or the class of a constructor."""


def signature_changes(changed: ChangedFacts) -> Iterator[SignatureChange]:
    if changed.old is None or changed.old.has_errors or changed.new.has_errors or changed.is_copy:
        return
    for new in changed.new.definitions:
        old = _same(changed.old, new.qualified_name)
        if old is None or _same(changed.new, new.qualified_name) is None:
            continue
        if old.parameters is None or new.parameters is None or not _is_open_to_read(old, new):
            continue
        if _shape(old.parameters) == _shape(new.parameters):
            continue
        called = _called(changed.new, new)
        if called is not None:
            yield SignatureChange(changed, old, new, called)


def _same(facts: FileSymbols, qualified_name: str) -> Definition | None:
    """The only definition of that name; None where there are two, as with overloads."""
    found = [one for one in facts.definitions if one.qualified_name == qualified_name]
    return found[0] if len(found) == 1 and not found[0].is_conditional else None


def _is_open_to_read(old: Definition, new: Definition) -> bool:
    """Whether what is written is what callers see."""
    kinds = (DefinitionKind.FUNCTION, DefinitionKind.METHOD)
    return old.kind is new.kind and new.kind in kinds


def _shape(parameters: Iterable[Parameter]) -> list[tuple[object, ...]]:
    return [(one.name, one.kind, one.has_default) for one in parameters]


def _called(facts: FileSymbols, definition: Definition) -> Definition | None:
    """What a caller writes; None where decorators, bases or operators get between."""
    if facts.language == "python":
        return _called_in_python(facts, definition)
    if facts.language == "go":
        return definition
    if definition.name == "constructor":
        owner = next((one for one in facts.definitions if one.body == definition.scope), None)
        is_class = owner is not None and owner.kind is DefinitionKind.CLASS
        return owner if is_class else None
    if any(word in ("get", "set", "Override") for word in definition.decorators):
        return None
    return definition


def _called_in_python(facts: FileSymbols, definition: Definition) -> Definition | None:
    names = {text.split("(")[0] for text in definition.decorators}
    if not names <= _TRANSPARENT:
        return None
    if definition.name != "__init__":
        is_special = definition.name.startswith("__") and definition.name.endswith("__")
        return None if is_special else definition
    owner = next((one for one in facts.definitions if one.body == definition.scope), None)
    if owner is None or owner.decorators:
        return None
    others = {one.name for one in facts.definitions if one.scope == owner.body}
    odd_bases = ("=", "Enum", "Flag", "Meta", "type", "NamedTuple", "TypedDict")
    if "__new__" in others or any(word in base for base in owner.bases for word in odd_bases):
        return None
    return owner


def find_stale_callers(program: Program, changes: Sequence[SignatureChange]) -> Iterator[Finding]:
    for change in program.budget.each(changes):
        stale = list(_stale_calls(program, change))
        if stale:
            finding = _describe(program, change, stale)
            if finding is not None:
                yield finding


def _stale_calls(
    program: Program, change: SignatureChange
) -> Iterator[tuple[Site[Reference], str]]:
    facts = change.changed.new
    target = Target(change.changed.path, facts, change.called)
    old, new = _filled(facts, change.old), _filled(facts, change.new)
    for site in calls_of(program, target):
        call = site.fact.call
        language = program.index.files[site.path].language
        if call is None or not _is_comparable(change, call):
            continue
        checks_missing = language != "javascript" and facts.language != "javascript"
        if misfit(old, call, checks_missing=checks_missing) is not None:
            continue
        problem = misfit(new, call, checks_missing=checks_missing)
        if problem is not None:
            yield site, problem


def _is_comparable(change: SignatureChange, call: Call) -> bool:
    """JavaScript: a call with fewer arguments than before says nothing."""
    if change.changed.new.language != "javascript":
        return True
    reads_arguments = any(
        reference.name == "arguments"
        and change.changed.new.scopes[reference.scope].name.startswith(change.new.qualified_name)
        for reference in change.changed.new.references
    )
    return not reads_arguments and call.num_positional == len(change.old.parameters or ())


def _filled(facts: FileSymbols, definition: Definition) -> tuple[Parameter, ...]:
    """The parameters that the caller fills: without `self` and `cls`."""
    parameters = definition.parameters or ()
    is_method = definition.kind is DefinitionKind.METHOD
    takes_self = facts.language == "python" and is_method
    if takes_self and "staticmethod" not in definition.decorators:
        return parameters[1:]
    return parameters


def _describe(
    program: Program, change: SignatureChange, stale: Sequence[tuple[Site[Reference], str]]
) -> Finding | None:
    site, problem = stale[0]
    name = change.called.name
    where = _place(program, change, site)
    if where is None:
        return None
    path, span = where
    others = f" and {len(stale) - 1} more" if len(stale) > 1 else ""
    caller = f"{site.path}:{site.fact.line}"
    failure = _FAILURES[change.changed.new.language]
    return Finding(
        rule="stale-caller",
        severity=_severity(change),
        path=path,
        span=span,
        quote=program.changed[path].quote(span),
        message=(
            f"`{name}` changed its parameters, but the call at {caller}{others} "
            f"still passes the old ones: `{name}` now {problem}."
        ),
        scenario=f"The call of `{name}` at {caller} {failure}: `{name}` {problem}.",
        confidence=0.9,
        origin=Origin.IMPACT,
    )


def _severity(change: SignatureChange) -> Severity:
    return Severity.MEDIUM if change.changed.new.language == "javascript" else Severity.HIGH


def _place(
    program: Program, change: SignatureChange, site: Site[Reference]
) -> tuple[str, Span] | None:
    """The call where it stands on an added line, else the changed signature."""
    caller = program.changed.get(site.path)
    if caller is not None and site.fact.line in caller.added_lines:
        return site.path, Span(site.fact.line, site.fact.line + 1)
    span = _signature_span(change)
    return None if span is None else (change.changed.path, span)


def _signature_span(change: SignatureChange) -> Span | None:
    new = change.new
    last = max([new.line, *(one.line for one in new.parameters or ())])
    added = [line for line in change.changed.added_lines if new.line <= line <= last]
    if added:
        return Span(min(added), min(added) + 1)
    kept = {one.name for one in new.parameters or ()}
    for one in change.old.parameters or ():
        if one.name not in kept:
            return change.changed.place_of_removed(one.line)
    return change.changed.place_of_removed(change.old.line)
