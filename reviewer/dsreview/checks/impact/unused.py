"""`unused-after-change`: a local variable or parameter that the change left without use.

Either the change added the assignment and nothing reads it, or it removed the last use
and left the assignment. Any occurrence of the name in the function counts as a use, so
only names that stand there once and for nothing are reported.
"""

import re
from collections.abc import Iterator

from dsreview.checks.impact.program import (
    SCRIPTS,
    ChangedFacts,
    Program,
    is_declaration,
    is_test,
)
from dsreview.finding import Finding, Origin, Severity
from dsreview.patch import LineKind, Span
from dsreview.symbols import (
    Binding,
    BindingKind,
    Definition,
    DefinitionKind,
    FileSymbols,
    ScopeKind,
)

_EXEMPT = re.compile(
    r"noqa|type:\s*ignore|pylint|pragma|eslint|@ts-|NOSONAR|SuppressWarnings|noinspection"
)
_SAYS_UNUSED = re.compile(r"_|unused|ignore|dummy|discard|whatever", re.IGNORECASE)
_COMPATIBLE = re.compile(r"deprecat|unused|ignored|compat|reserved|no[- ]?op|legacy", re.IGNORECASE)


def find_unused(program: Program, changed: ChangedFacts) -> Iterator[Finding]:
    facts = changed.new
    if facts.language == "go" or facts.has_errors:
        return  # Go's compiler refuses unused variables
    if is_test(changed.path) or is_declaration(changed.path):
        return  # there an assignment alone may be what is tested or shown
    for binding in program.budget.each(facts.bindings):
        if binding.kind is not BindingKind.ASSIGNED or not _is_local(facts, binding.scope):
            continue
        if _SAYS_UNUSED.match(binding.name) or _occurs(program, facts, binding):
            continue
        if _is_named_in_text(changed, binding):
            continue
        line = _line_to_report(program, changed, binding)
        text = changed.lines[binding.line - 1]
        if line is not None and not _EXEMPT.search(text):
            yield _finding(changed, binding, line)


def _is_local(facts: FileSymbols, scope: int) -> bool:
    """In a function, and not where names may be read unseen."""
    row = facts.scopes[scope]
    return row.kind is ScopeKind.FUNCTION and not row.is_open


def _occurs(program: Program, facts: FileSymbols, binding: Binding) -> bool:
    """Whether the name is used, or bound once more, in its function or inside it."""
    scoping = program.scoping(facts)
    if len(scoping.bound_in(binding.scope, binding.name)) > 1:
        return True
    if any(scoping.is_inside(scope, binding.scope) for scope in scoping.shared_in(binding.name)):
        return True
    return bool(scoping.plain_references(binding.name, binding.scope))


def _is_named_in_text(changed: ChangedFacts, binding: Binding) -> bool:
    """Whether a template or query may read it by name: `{total}`, `@total`, `%(total)s`."""
    row = changed.new.scopes[binding.scope]
    text = "\n".join(changed.lines[row.start - 1 : row.stop - 1])
    return re.search(rf"[@{{$:(\[]{re.escape(binding.name)}\b", text) is not None


def _line_to_report(program: Program, changed: ChangedFacts, binding: Binding) -> Span | None:
    if binding.line in changed.added_lines and not _was_there(changed, binding.line):
        return Span(binding.line, binding.line + 1)
    return _removed_use(program, changed, binding.scope, binding.name)


def _was_there(changed: ChangedFacts, line: int) -> bool:
    """Whether an added line only moved: it stood elsewhere, or indented otherwise."""
    text = changed.lines[line - 1].strip()
    return any(
        one.kind is LineKind.REMOVED and one.text.strip() == text
        for hunk in changed.file.patch.hunks
        for one in hunk.lines
    )


def _removed_use(program: Program, changed: ChangedFacts, scope: int, name: str) -> Span | None:
    """Where the change took away the last use in the function of `scope`."""
    old = changed.old
    qualified = changed.new.scopes[scope].name
    if old is None or old.has_errors or not qualified:
        return None
    same = [number for number, row in enumerate(old.scopes) if row.name == qualified]
    if not same or sum(row.name == qualified for row in changed.new.scopes) != len(same):
        return None
    scoping = program.scoping(old)
    removed = _removed_lines(changed)
    lines = [one.line for one in scoping.plain_references(name, same[0])]
    if not lines or not all(line in removed for line in lines):
        return None
    return changed.place_of_removed(lines[-1])


def _removed_lines(changed: ChangedFacts) -> frozenset[int]:
    return frozenset(
        line.old_number
        for hunk in changed.file.patch.hunks
        for line in hunk.lines
        if line.kind is LineKind.REMOVED and line.old_number is not None
    )


def find_unused_parameters(program: Program, changed: ChangedFacts) -> Iterator[Finding]:
    """Parameters whose last use the change removed, where no caller dictates them."""
    for definition in changed.new.definitions:
        if not _is_own_signature(program, changed, definition):
            continue
        for parameter in definition.parameters or ():
            finding = _unused_parameter(program, changed, definition, parameter.name)
            if finding is not None:
                yield finding


def _unused_parameter(
    program: Program, changed: ChangedFacts, definition: Definition, name: str
) -> Finding | None:
    facts, body = changed.new, definition.body
    if body is None or not name or _SAYS_UNUSED.match(name):
        return None
    if facts.scopes[body].is_open:
        return None
    bound = program.scoping(facts).bound_in(body, name)
    if len(bound) != 1 or _occurs(program, facts, bound[0]):
        return None
    place = _removed_use(program, changed, body, name)
    text = "\n".join(changed.lines[definition.start - 1 : definition.stop - 1])
    if place is None or _COMPATIBLE.search(text) or _EXEMPT.search(text):
        return None
    return _finding(changed, bound[0], place, f"parameter of `{definition.name}`")


def _is_own_signature(program: Program, changed: ChangedFacts, definition: Definition) -> bool:
    """Whether the function is private and only ever called, never handed around."""
    facts = changed.new
    if definition.is_stub or not _is_private(facts, definition):
        return False
    if not set(definition.decorators) <= {"private", "static", "final", "synchronized"}:
        return False
    if definition.kind not in (DefinitionKind.FUNCTION, DefinitionKind.METHOD):
        return False
    uses = program.scoping(facts).references(definition.name)
    return all(reference.call is not None for reference in uses)


def _is_private(facts: FileSymbols, definition: Definition) -> bool:
    if facts.language == "python":
        is_dunder = definition.name.endswith("__")
        is_function = definition.kind is DefinitionKind.FUNCTION
        return is_function and definition.name.startswith("_") and not is_dunder
    if facts.language in SCRIPTS:
        exported = {export.local_name for export in facts.exports}
        is_function = definition.kind is DefinitionKind.FUNCTION and definition.scope == 0
        return is_function and not facts.has_open_exports and definition.name not in exported
    return "private" in definition.decorators


def _finding(
    changed: ChangedFacts, binding: Binding, place: Span, what: str = "variable"
) -> Finding:
    name = binding.name
    is_new = binding.line in changed.added_lines and place.start == binding.line
    since = "is assigned here and never used" if is_new else "is no longer used after this change"
    where = f" (line {binding.line})" if place.start != binding.line else ""
    return Finding(
        rule="unused-after-change",
        severity=Severity.LOW,
        path=changed.path,
        span=place,
        quote=changed.quote(place),
        message=f"The {what} `{name}`{where} {since}.",
        scenario=(
            f"Whoever reads or calls this expects `{name}` to have an effect; its value at "
            f"line {binding.line} is thrown away."
        ),
        confidence=0.8,
        origin=Origin.IMPACT,
    )
