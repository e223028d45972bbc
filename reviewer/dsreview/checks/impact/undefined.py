"""`undefined-name`: an added line uses a name that nothing defines or imports.

A name that the old file already used in the same way without defining it comes from
somewhere that this check cannot see, and is left alone.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from dsreview.checks.impact.ambient import has_meaning_elsewhere, is_unbound, unbound_names
from dsreview.checks.impact.known_names import GO_PACKAGES, JAVA_CLASSES, PYTHON, SCRIPT
from dsreview.checks.impact.program import SCRIPTS, ChangedFacts, Program, is_declaration
from dsreview.checks.impact.spelling import meant_name, respell
from dsreview.finding import Finding, Origin, Severity
from dsreview.patch import Span
from dsreview.symbols import (
    FileSymbols,
    Import,
    Reference,
    ReferenceKind,
)

_GENERATED = re.compile(r"^_[a-z0-9_]+$|version|_pb2|_grpc|generated")
_TEMPLATE = re.compile(r"\{\{|\{%|<%|\$\{\{")
"""The file is a template: what stands on this line is filled in before it runs."""

MAX_UNSEEN = 2
"""A Python file that used more undefined names before gets names in a way that cannot be seen
here: a decorator, say, that puts tables among a test's globals."""

_FAILURES = {
    "python": "raises NameError",
    "javascript": "throws ReferenceError",
    "typescript": "does not compile",
    "tsx": "does not compile",
    "go": "does not compile",
    "java": "does not compile",
}


def undefined_references(program: Program, changed: ChangedFacts) -> tuple[Reference, ...]:
    """First use of each name on added lines that the file itself gives no meaning."""
    facts = changed.new
    if facts.has_errors or (changed.old is not None and changed.old.has_errors):
        return ()
    if facts.is_open or not _is_closed(facts) or is_declaration(changed.path):
        return ()
    known_before = frozenset[str]() if changed.old is None else unbound_names(program, changed.old)
    if facts.language == "python" and len(known_before - PYTHON) > MAX_UNSEEN:
        return ()
    added = changed.added_lines
    first: dict[str, Reference] = {}
    for reference in facts.references:
        if reference.line not in added or reference.name in known_before:
            continue
        if _may_be_reported(facts, reference) and is_unbound(program, facts, reference):
            first.setdefault(reference.name, reference)
    return tuple(first.values())


def _is_closed(facts: FileSymbols) -> bool:
    """Whether a name that the file does not bind can only come from outside it.

    A script that is no module shares its names with other scripts of a page.
    """
    if facts.language in SCRIPTS:
        return bool(facts.imports or facts.exports)
    if facts.language == "java":
        return not any(found.is_star for found in facts.imports)
    return True


def _may_be_reported(facts: FileSymbols, reference: Reference) -> bool:
    name = reference.name
    if facts.language == "python":
        return name not in PYTHON and not facts.scopes[reference.scope].is_open
    if facts.language in SCRIPTS:
        is_used = reference.call is not None or reference.kind is ReferenceKind.ELEMENT
        return is_used and name not in SCRIPT and reference.kind is not ReferenceKind.TYPE
    if facts.language == "go":
        return name in GO_PACKAGES and _is_package_use(facts, reference)
    return name in JAVA_CLASSES and reference.kind is ReferenceKind.TYPE


def _is_package_use(facts: FileSymbols, reference: Reference) -> bool:
    """Whether the name stands before a dot that an exported name follows."""
    return any(
        other.receiver_text == reference.name
        and other.line == reference.line
        and other.name[:1].isupper()
        for other in facts.references
    )


def find_undefined(
    program: Program, changed: ChangedFacts, references: Iterable[Reference]
) -> Iterator[Finding]:
    """`program.index` must have been built for the names of `references` too."""
    for reference in program.budget.each(references):
        if _TEMPLATE.search(changed.lines[reference.line - 1]):
            continue
        if has_meaning_elsewhere(program, changed, reference.name):
            continue
        yield _undefined(program, changed, reference)


def _undefined(program: Program, changed: ChangedFacts, reference: Reference) -> Finding:
    name, failure = reference.name, _FAILURES[changed.new.language]
    meant = meant_name(program, changed, reference)
    question = f" Is `{meant}` meant?" if meant is not None else ""
    finding = _finding(
        changed,
        reference.line,
        f"`{name}` is used here, but nothing in this file defines or imports it.{question}",
        f"Line {reference.line} {failure} when it is reached: `{name}` is not defined.",
    )
    if meant is None:
        return finding
    return replace(finding, suggestion=respell(changed, reference, meant))


def find_missing_members(program: Program, changed: ChangedFacts) -> Iterator[Finding]:
    """Added imports of a member that a module of this repository does not have."""
    if changed.new.has_errors:
        return
    for found in program.budget.each(changed.new.imports):
        if found.line in changed.added_lines and _is_missing(program, changed.path, found):
            language = changed.new.language
            failure = "raises ImportError" if language == "python" else _FAILURES[language]
            yield _finding(
                changed,
                found.line,
                f"`{found.module}` has no `{found.name}`.",
                f"Importing {changed.path} {failure}: "
                f"there is no `{found.name}` in `{found.module}`.",
            )


def _is_missing(program: Program, importer: str, found: Import) -> bool:
    if not found.name or found.is_star or found.is_guarded or importer.endswith(".java"):
        return False
    if is_declaration(importer):
        return False
    module = program.resolve(program.head, importer, found.module)
    if module is None or module == importer:
        return False
    facts = program.facts(module)
    if facts is None or facts.has_errors or facts.is_open:
        return False
    if facts.language in SCRIPTS:
        is_module = bool(facts.exports)
        if facts.language == "javascript" and not importer.endswith((".js", ".jsx", ".mjs")):
            return False  # types that its comments declare
        names = {export.name for export in facts.exports}
        return is_module and not facts.has_open_exports and found.name not in names
    if facts.language != "python" or program.head.has_python_submodule(module, found.name):
        return False
    if module.endswith("__init__.py") and _may_be_built(program, found.name):
        return False
    bound = program.scoping(facts).bound_in(0, found.name)
    return not bound and found.name not in PYTHON


def _may_be_built(program: Program, name: str) -> bool:
    """Whether it may be a submodule that only the project's build makes."""
    return _GENERATED.search(name) is not None or program.is_made_by_build(name)


def _finding(changed: ChangedFacts, line: int, message: str, scenario: str) -> Finding:
    span = Span(line, line + 1)
    return Finding(
        rule="undefined-name",
        severity=Severity.HIGH,
        path=changed.path,
        span=span,
        quote=changed.quote(span),
        message=message,
        scenario=scenario,
        confidence=0.9,
        origin=Origin.IMPACT,
    )
