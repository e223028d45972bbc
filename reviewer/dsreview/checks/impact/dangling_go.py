"""Uses in Go of what a file of the package no longer defines."""

import posixpath
import re
from collections.abc import Iterator

from dsreview.checks.impact.known_names import GO_BUILTINS
from dsreview.checks.impact.program import Program
from dsreview.checks.impact.removals import Removal, Use
from dsreview.checks.impact.targets import go_folder_behind
from dsreview.symbols import FileSymbols, Receiver, Reference

_SEPARATORS = re.compile(r"[-._]")


def uses_in_go(program: Program, removal: Removal) -> Iterator[Use]:
    folder = posixpath.dirname(removal.changed.path)
    near = [
        facts
        for path, facts in program.index.files.items()
        if posixpath.dirname(path) == folder and facts.language == "go"
    ]
    if any(one.scope == 0 and one.name == removal.name for facts in near for one in facts.bindings):
        return  # moved within its package
    if removal.name in GO_BUILTINS or any(facts.is_open or facts.has_errors for facts in near):
        return
    for path, facts in program.index.files.items():
        if facts.is_open or facts.has_errors or facts.language != "go":
            continue
        if not removal.is_given_out and path != removal.changed.path:
            continue
        for one in program.scoping(facts).references(removal.name):
            if _means_removed(program, path, facts, one, removal):
                yield Use(path, one.line, "use")


def _means_removed(
    program: Program, path: str, facts: FileSymbols, reference: Reference, removal: Removal
) -> bool:
    folder = posixpath.dirname(removal.changed.path)
    if reference.receiver is Receiver.NONE:
        is_near = posixpath.dirname(path) == folder
        is_near = is_near and facts.package == removal.changed.new.package
        if removal.name in _imported_words(facts):
            return False
        return is_near and program.scoping(facts).owner(reference.name, reference.scope) is None
    is_member = reference.receiver is Receiver.NAME
    return is_member and go_folder_behind(program, facts, reference) == folder


def _imported_words(facts: FileSymbols) -> set[str]:
    """Names that imports without one of their own may bind: `a/go-yaml.v2` binds `yaml`."""
    return {
        word
        for found in facts.imports
        if not found.alias
        for part in found.module.split("/")[-2:]
        for word in _SEPARATORS.split(part)
    }


def imports_of_package(program: Program, folder: str) -> Iterator[Use]:
    """Imports of a package of which no file is left; nothing where one is."""
    if program.head.has_go(folder):
        return
    for path, facts in program.index.files.items():
        if facts.language != "go" or facts.is_open or facts.has_errors:
            continue
        for found in facts.imports:
            if program.base.go_folder(found.module) == folder and _is_own(program, found.module):
                yield Use(path, found.line, "import")


def _is_own(program: Program, module: str) -> bool:
    """Whether only this repository can have the package: no `go.mod` asks for it."""
    prefixes = [
        prefix for prefix in program.head.go_modules if f"{module}/".startswith(f"{prefix}/")
    ]
    if not prefixes:
        return False
    longer = module
    while len(longer) > len(prefixes[0]):
        for path in program.head.paths:
            if posixpath.basename(path) == "go.mod" and _names(program, path, longer):
                return False
        longer = posixpath.dirname(longer)
    return True


def _names(program: Program, path: str, module: str) -> bool:
    content = program.change.head.read(path) or b""
    return module.encode("utf-8", "surrogateescape") in content
