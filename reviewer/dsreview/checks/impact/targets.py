"""Which references certainly mean one definition.

Certain means: nothing else in the files that were read can give the name another
meaning. Wherever there is a second possibility, there is no match.
"""

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass

from dsreview.checks.impact.program import SCRIPTS, Program
from dsreview.symbols import (
    Definition,
    DefinitionKind,
    FileSymbols,
    Import,
    Receiver,
    Reference,
    ScopeKind,
    Site,
)


@dataclass(frozen=True, slots=True)
class Target:
    """A function, method or class of the head."""

    path: str
    facts: FileSymbols
    definition: Definition

    @property
    def owner(self) -> Definition | None:
        """The class of a method."""
        if self.definition.kind is not DefinitionKind.METHOD:
            return None
        scope = self.definition.scope
        return next((one for one in self.facts.definitions if one.body == scope), None)


def calls_of(program: Program, target: Target) -> Iterator[Site[Reference]]:
    """Every call in the head that certainly reaches `target`."""
    if not is_sole(program, target):
        return
    name = target.definition.name
    for path, facts in program.index.files.items():
        if facts.has_errors:
            continue
        names = {name, *(found.alias for found in facts.imports if found.name == name)}
        scoping = program.scoping(facts)
        for reference in [one for each in sorted(names) for one in scoping.references(each)]:
            site = Site(path, reference)
            is_plain_call = reference.call is not None and not reference.is_guarded
            if is_plain_call and means(program, site, target):
                yield site


def is_sole(program: Program, target: Target) -> bool:
    """Whether no other definition can be meant where the name of `target` is used."""
    definition = target.definition
    same = [
        site
        for site in program.index.definitions(definition.name)
        if not (site.path == target.path and site.fact == definition)
    ]
    if definition.kind is DefinitionKind.METHOD:
        uses = program.scoping(target.facts).references(definition.name)
        is_assigned = any(one.receiver is Receiver.SELF and one.call is None for one in uses)
        # an override anywhere, or an attribute of that name, may be what is called
        return not same and not is_assigned
    return not any(
        site.path == target.path and site.fact.scope == definition.scope for site in same
    )


def means(program: Program, site: Site[Reference], target: Target) -> bool:
    """Whether this use certainly is one of `target`, under its own name or an alias."""
    is_method = target.definition.kind is DefinitionKind.METHOD
    if site.fact.name != target.definition.name and is_method:
        return False
    if target.facts.language == "go":
        return _means_in_go(program, site, target)
    if target.definition.kind is DefinitionKind.METHOD:
        return _means_method(program, site, target)
    if target.facts.language == "java":
        return False
    return _means_name(program, site, target)


def _means_name(program: Program, site: Site[Reference], target: Target) -> bool:
    """A function or class of Python, JavaScript or TypeScript."""
    facts = program.index.files[site.path]
    reference, scoping = site.fact, program.scoping(facts)
    name = target.definition.name
    goal = (target.path, name)
    if reference.receiver is Receiver.NONE:
        owner = scoping.owner(reference.name, reference.scope)
        if site.path == target.path and reference.name == name:
            bound = scoping.bound_in(target.definition.scope, name)
            return owner == target.definition.scope and len(bound) == 1
        found = scoping.only_import(reference.name, reference.scope)
        return (
            found is not None
            and not found.is_guarded
            and program.origin_of_import(site.path, found) == goal
        )
    if reference.receiver is not Receiver.NAME or target.definition.scope != 0:
        return False
    if reference.name != name:
        return False
    module = module_behind(program, site.path, reference)
    return module is not None and program.origin(module, reference.name) == goal


def module_behind(program: Program, path: str, reference: Reference) -> str | None:
    """The file that the receiver of a reference, `module` or `package.module`, names."""
    facts = program.facts(path)
    if facts is None:
        return None
    root, _, rest = reference.receiver_text.partition(".")
    found = program.scoping(facts).only_import(root, reference.scope)
    if found is None or found.is_guarded or found.is_star:
        return None
    if facts.language in SCRIPTS:
        is_namespace = not found.name and not rest
        return program.resolve(program.head, path, found.module) if is_namespace else None
    if facts.language != "python":
        return None
    return program.resolve(program.head, path, _python_module(found, reference.receiver_text))


def _python_module(found: Import, receiver: str) -> str:
    """The module that `receiver` spells, given the import that binds its first name."""
    _, _, rest = receiver.partition(".")
    if found.name:  # from a import b
        joint = "" if found.module.endswith(".") else "."
        base = f"{found.module}{joint}{found.name}"
    elif found.alias == found.module.split(".")[0]:  # import a.b: the receiver is the path
        return receiver if receiver == found.module else f"{found.module}.?"
    else:  # import a.b as m
        base = found.module
    return f"{base}.{rest}" if rest else base


def _means_method(program: Program, site: Site[Reference], target: Target) -> bool:
    """A call on the object itself, in the class that defines the method."""
    owner = target.owner
    if owner is None or owner.body is None:
        return False
    if target.facts.language == "java":
        if not inherits_nothing(target.facts, owner):
            return False  # perhaps an overload is inherited
        if site.fact.receiver is Receiver.NAME and "static" in target.definition.decorators:
            return means_java_class(program, site, target.path, owner.name)
    if site.path != target.path:
        return False
    facts = program.index.files[site.path]
    scoping = program.scoping(facts)
    enclosing = scoping.enclosing_class(site.fact.scope)
    if enclosing != owner.body:
        return False
    if site.fact.receiver is Receiver.SELF:
        return True
    is_java = target.facts.language == "java"
    return is_java and site.fact.receiver is Receiver.NONE


def inherits_nothing(facts: FileSymbols, owner: Definition) -> bool:
    """Whether all members of a class stand in its body."""
    members = {one.name for one in facts.definitions if one.scope == owner.body}
    if members & {"__getattr__", "__getattribute__"} or owner.kind is not DefinitionKind.CLASS:
        return False
    if facts.language == "python":
        return not owner.decorators and all(base == "object" for base in owner.bases)
    if facts.language == "java":
        return owner.bases == ("class_declaration",) and owner.scope == 0
    return not owner.bases


def means_java_class(program: Program, site: Site[Reference], path: str, name: str) -> bool:
    """Whether the receiver of `Name.member` is the class that `path` defines."""
    facts = program.index.files[site.path]
    target = program.facts(path)
    if site.fact.receiver_text != name or target is None:
        return False
    owner = program.scoping(facts).owner(name, site.fact.scope)
    if owner is None:
        is_near = posixpath.dirname(site.path) == posixpath.dirname(path)
        return is_near and facts.package == target.package and bool(facts.package)
    found = program.scoping(facts).only_import(name, site.fact.scope)
    return found is not None and program.head.java(f"{found.module}.{found.name}") == path


def _means_in_go(program: Program, site: Site[Reference], target: Target) -> bool:
    facts = program.index.files[site.path]
    reference, folder = site.fact, posixpath.dirname(target.path)
    if facts.is_open or target.facts.is_open or facts.language != "go":
        return False
    if target.definition.kind is DefinitionKind.METHOD:
        method = _go_method_around(facts, reference.scope)
        is_own = method is not None and method.bases == target.definition.bases
        is_near = posixpath.dirname(site.path) == folder
        return reference.receiver is Receiver.SELF and is_own and is_near
    scoping = program.scoping(facts)
    if reference.receiver is Receiver.NONE:
        owner = scoping.owner(reference.name, reference.scope)
        is_near = posixpath.dirname(site.path) == folder and facts.package == target.facts.package
        return is_near and owner == (0 if site.path == target.path else None)
    if reference.receiver is not Receiver.NAME:
        return False
    return go_folder_behind(program, facts, reference) == folder


def go_folder_behind(program: Program, facts: FileSymbols, reference: Reference) -> str | None:
    """The folder of the package that stands before the dot."""
    name = reference.receiver_text
    owner = program.scoping(facts).owner(name, reference.scope)
    named = [
        found
        for found in facts.imports
        if found.alias == name or (not found.alias and posixpath.basename(found.module) == name)
    ]
    if len(named) != 1 or owner not in (0, None) or (owner == 0 and not named[0].alias):
        return None
    return program.head.go_folder(named[0].module)


def _go_method_around(facts: FileSymbols, scope: int) -> Definition | None:
    current: int | None = scope
    while current is not None:
        found = next((one for one in facts.definitions if one.body == current), None)
        if found is not None or facts.scopes[current].kind is ScopeKind.MODULE:
            return found
        current = facts.scopes[current].parent
    return None
