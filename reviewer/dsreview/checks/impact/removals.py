"""Names that a change took away from a file, or together with it."""

from collections.abc import Iterator
from dataclasses import dataclass

from dsreview.checks.impact.program import SCRIPTS, ChangedFacts
from dsreview.symbols import BindingKind, Definition, DefinitionKind, FileSymbols


@dataclass(frozen=True, slots=True)
class Removal:
    """A name that the old file gave out and the new one does not."""

    changed: ChangedFacts
    name: str
    old_line: int
    definition: Definition | None = None
    """Of a method and of a type of Java, with the scope of the old file."""
    is_given_out: bool = True
    """False where other files could not use it before, or still may."""

    @property
    def method(self) -> Definition | None:
        is_method = self.definition and self.definition.kind is DefinitionKind.METHOD
        return self.definition if is_method else None


@dataclass(frozen=True, slots=True)
class Use:
    path: str
    line: int
    kind: str
    """`import` or `use`."""


def removals(changed: ChangedFacts) -> Iterator[Removal]:
    """What the change took away; all of it where the new side is empty."""
    if changed.old is None or changed.old.has_errors or changed.new.has_errors:
        return
    if changed.is_copy or changed.new.is_open or changed.old.language != changed.new.language:
        return
    if changed.old.language == "java":
        yield from _removed_types(changed, changed.old)
    else:
        yield from _removed_names(changed, changed.old)
    yield from _removed_methods(changed, changed.old)


def _removed_names(changed: ChangedFacts, old: FileSymbols) -> Iterator[Removal]:
    is_script = old.language in SCRIPTS
    if is_script and not changed.new.has_open_exports:
        kept_exports = {one.name for one in changed.new.exports} | {"default"}
        for export in old.exports:
            if export.name not in kept_exports:
                yield Removal(changed, export.name, export.line)
    seen = {binding.name for binding in changed.new.bindings if binding.scope == 0} | {"_"}
    exported = {export.name for export in old.exports} - {
        export.name for export in changed.new.exports
    }
    for one in old.bindings:
        if one.scope == 0 and one.name not in seen:
            seen.add(one.name)
            # in Go an import names something for its own file alone
            is_own = is_script or (old.language == "go" and one.kind is BindingKind.IMPORT)
            if not (is_script and one.name in exported and not changed.new.has_open_exports):
                yield Removal(changed, one.name, one.line, is_given_out=not is_own)


def _removed_types(changed: ChangedFacts, old: FileSymbols) -> Iterator[Removal]:
    kept = {one.qualified_name for one in changed.new.definitions}
    for one in old.definitions:
        if one.kind is DefinitionKind.CLASS and one.qualified_name not in kept:
            yield Removal(changed, one.name, one.line, one, is_given_out=one.scope == 0)


def _removed_methods(changed: ChangedFacts, old: FileSymbols) -> Iterator[Removal]:
    if old.language == "go":
        return  # an embedded field may provide a method of the same name
    kept = {one.qualified_name for one in changed.new.definitions}
    for one in old.definitions:
        if one.kind is DefinitionKind.METHOD and one.qualified_name not in kept:
            yield Removal(changed, one.name, one.line, one)
