"""Which scope a name belongs to where it is used."""

from collections import defaultdict
from dataclasses import dataclass, field

from dsreview.symbols.facts import (
    Binding,
    BindingKind,
    FileSymbols,
    Import,
    Receiver,
    Reference,
    ScopeKind,
)


@dataclass(slots=True)
class Scoping:
    """Looks names up in one file."""

    facts: FileSymbols
    _bindings: dict[tuple[int, str], list[Binding]] = field(init=False)
    _references: dict[str, list[Reference]] = field(init=False)
    _shared: dict[str, list[int]] = field(init=False)

    def __post_init__(self) -> None:
        self._bindings = defaultdict(list)
        self._shared = defaultdict(list)
        for binding in self.facts.bindings:
            self._bindings[binding.scope, binding.name].append(binding)
            if binding.kind is BindingKind.OUTER:
                self._shared[binding.name].append(binding.scope)
        self._references = defaultdict(list)
        for reference in self.facts.references:
            self._references[reference.name].append(reference)

    def references(self, name: str) -> tuple[Reference, ...]:
        """Every use of `name` in the file, plain or behind a dot."""
        return tuple(self._references.get(name, ()))

    def plain_references(self, name: str, scope: int) -> tuple[Reference, ...]:
        """Uses of `name` with nothing before it, in `scope` and what it encloses."""
        return tuple(
            one
            for one in self._references.get(name, ())
            if one.receiver is Receiver.NONE and self.is_inside(one.scope, scope)
        )

    def bound_in(self, scope: int, name: str) -> tuple[Binding, ...]:
        return tuple(self._bindings.get((scope, name), ()))

    def shared_in(self, name: str) -> tuple[int, ...]:
        """Scopes that declare `name` as belonging further out (`global`, `nonlocal`)."""
        return tuple(self._shared.get(name, ()))

    def owner(self, name: str, scope: int) -> int | None:
        """The scope whose `name` is meant in `scope`; None where no scope binds it.

        In Python the names of a class are not seen from the functions in it.
        """
        hides_classes = self.facts.language == "python"
        current: int | None = scope
        while current is not None:
            row = self.facts.scopes[current]
            is_seen = current == scope or not (hides_classes and row.kind is ScopeKind.CLASS)
            bound = self._bindings.get((current, name), ()) if is_seen else ()
            if any(binding.kind is not BindingKind.OUTER for binding in bound):
                return current
            current = row.parent
        return None

    def enclosing_class(self, scope: int) -> int | None:
        """The innermost class around `scope`, itself included."""
        current: int | None = scope
        while current is not None and self.facts.scopes[current].kind is not ScopeKind.CLASS:
            current = self.facts.scopes[current].parent
        return current

    def is_inside(self, scope: int, outer: int) -> bool:
        """Whether `scope` is `outer` or lies in it."""
        current: int | None = scope
        while current is not None and current != outer:
            current = self.facts.scopes[current].parent
        return current is not None

    def only_import(self, name: str, scope: int) -> Import | None:
        """The import that alone gives `name` its meaning in `scope`, if one does."""
        if self.owner(name, scope) != 0:
            return None
        bound = self.bound_in(0, name)
        if len(bound) != 1 or bound[0].kind is not BindingKind.IMPORT:
            return None
        named = [fact for fact in self.facts.imports if fact.alias == name and not fact.is_reexport]
        return named[0] if len(named) == 1 else None

    def is_only_definition(self, name: str) -> bool:
        """Whether the file binds `name` at its top level once, and to a definition."""
        bound = self.bound_in(0, name)
        kinds = (BindingKind.DEFINITION, BindingKind.ASSIGNED)
        return len(bound) == 1 and bound[0].kind in kinds and not bound[0].is_conditional
