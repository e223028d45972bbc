"""`dangling-reference`: something was removed or renamed, and is still used."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from dsreview.checks.impact.ambient import has_meaning_elsewhere
from dsreview.checks.impact.dangling_go import uses_in_go
from dsreview.checks.impact.dangling_java import uses_of_java_type
from dsreview.checks.impact.known_names import EVERYWHERE
from dsreview.checks.impact.program import SCRIPTS, ChangedFacts, Program
from dsreview.checks.impact.removals import Removal, Use
from dsreview.checks.impact.targets import inherits_nothing, means_java_class, module_behind
from dsreview.finding import Finding, Origin, Severity
from dsreview.patch import Span
from dsreview.symbols import (
    FileSymbols,
    Import,
    Receiver,
    Reference,
    ReferenceKind,
)

_FAILURES = {
    "python": {"import": "raises ImportError", "use": "raises AttributeError or NameError"},
    "javascript": {"import": "imports something that is not there", "use": "throws"},
    "typescript": {"import": "does not compile", "use": "does not compile"},
    "tsx": {"import": "does not compile", "use": "does not compile"},
    "go": {"import": "does not compile", "use": "does not compile"},
    "java": {"import": "does not compile", "use": "does not compile"},
}


def find_dangling(program: Program, removed: Sequence[Removal]) -> Iterator[Finding]:
    for removal in program.budget.each(removed):
        uses = list(uses_of(program, removal))
        place = removal.changed.place_of_removed(removal.old_line)
        if uses and place is not None:
            yield _describe(removal.changed, removal.name, place, uses)


def uses_of(program: Program, removal: Removal) -> Iterator[Use]:
    if removal.method is not None:
        yield from _uses_of_method(program, removal)
        return
    language = removal.changed.new.language
    if language == "go":
        yield from uses_in_go(program, removal)
        return
    if language == "java":
        yield from uses_of_java_type(program, removal)
        return
    yield from _uses_in_file(program, removal)
    if not removal.is_given_out:
        return
    path = removal.changed.path
    if language == "python" and program.head.has_python_submodule(path, removal.name):
        return
    for other, facts in program.index.files.items():
        if facts.has_errors or other == path:
            continue
        for found in facts.imports:
            if _imports(program, other, found, removal):
                yield Use(other, found.line, "import")
        yield from _uses_behind_module(program, other, facts, removal)


def _imports(program: Program, importer: str, found: Import, removal: Removal) -> bool:
    if found.name != removal.name or found.is_guarded or found.is_star:
        return False
    # an import under `if TYPE_CHECKING` or in a function still names what is gone
    return program.resolve(program.head, importer, found.module) == removal.changed.path


def _uses_behind_module(
    program: Program, other: str, facts: FileSymbols, removal: Removal
) -> Iterator[Use]:
    if facts.language != "python":
        return  # a namespace object of JavaScript may be extended at run time
    for reference in program.scoping(facts).references(removal.name):
        if reference.receiver is not Receiver.NAME or reference.is_guarded:
            continue
        if module_behind(program, other, reference) == removal.changed.path:
            yield Use(other, reference.line, "use")


def _uses_in_file(program: Program, removal: Removal) -> Iterator[Use]:
    """Names that had a meaning before and have none now, on lines that stayed."""
    changed, old, name = removal.changed, removal.changed.old, removal.name
    if old is None or name in EVERYWHERE:
        return  # what was shadowed is there again
    before, now = program.scoping(old), program.scoping(changed.new)
    meant = {
        old.scopes[one.scope].name
        for one in before.plain_references(name, 0)
        if before.owner(name, one.scope) == 0
    }
    left = [
        one
        for one in now.plain_references(name, 0)
        if now.owner(name, one.scope) is None and changed.new.scopes[one.scope].name in meant
    ]
    if changed.new.language in SCRIPTS:
        left = [one for one in left if one.kind is not ReferenceKind.TYPE]
        if left and has_meaning_elsewhere(program, changed, name):
            return
    for one in left:
        # `undefined-name` speaks about added lines
        if one.line not in changed.added_lines and not one.is_guarded and not one.is_write:
            yield Use(changed.path, one.line, "use")


def _uses_of_method(program: Program, removal: Removal) -> Iterator[Use]:
    """Calls on the object itself, where its class inherits nothing."""
    changed, method = removal.changed, removal.method
    if method is None or program.index.definitions(removal.name):
        return
    owner_name = method.qualified_name.rpartition(".")[0]
    owners = [one for one in changed.new.definitions if one.qualified_name == owner_name]
    if len(owners) != 1 or owners[0].body is None or not inherits_nothing(changed.new, owners[0]):
        return
    own = list(_on_self(program, removal, owners[0].body))
    if any(one.call is None for one in own):
        return  # perhaps an attribute that is assigned
    for one in own:
        if not one.is_guarded:
            yield Use(changed.path, one.line, "use")
    if changed.new.language == "java" and "static" in method.decorators:
        yield from _uses_of_static(program, removal, owners[0].name)


def _on_self(program: Program, removal: Removal, body: int) -> Iterator[Reference]:
    facts = removal.changed.new
    scoping = program.scoping(facts)
    is_imported = any(found.is_star or found.alias == removal.name for found in facts.imports)
    is_bare_enough = facts.language == "java" and not is_imported
    for one in scoping.references(removal.name):
        if scoping.enclosing_class(one.scope) != body:
            continue
        is_bare = one.receiver is Receiver.NONE and one.call is not None and is_bare_enough
        if one.receiver is Receiver.SELF or is_bare:
            yield one


def _uses_of_static(program: Program, removal: Removal, owner: str) -> Iterator[Use]:
    path = removal.changed.path
    for site in program.index.references(removal.name):
        if site.fact.receiver is Receiver.NAME and means_java_class(program, site, path, owner):
            yield Use(site.path, site.fact.line, "use")


def _describe(changed: ChangedFacts, name: str, place: Span, uses: Sequence[Use]) -> Finding:
    event = f"`{name}` is gone from {changed.path}"
    finding = finding_of(changed.path, place, event, uses, changed.new)
    return replace(finding, quote=changed.quote(place))


def finding_of(
    path: str, place: Span, event: str, uses: Sequence[Use], facts: FileSymbols
) -> Finding:
    """`event` says what happened; `facts` are of a file in the language of the uses."""
    first = uses[0]
    where = f"{first.path}:{first.line}"
    others = f" (and {len(uses) - 1} more)" if len(uses) > 1 else ""
    does = "imports" if first.kind == "import" else "uses"
    failure = _FAILURES[facts.language][first.kind]
    return Finding(
        rule="dangling-reference",
        severity=Severity.HIGH,
        path=path,
        span=place,
        quote="",
        message=f"{event}, but {where}{others} still {does} it.",
        scenario=f"{where} {failure}, because {event}.",
        confidence=0.9,
        origin=Origin.IMPACT,
    )
