"""What one file says about names: scopes, bindings, definitions, references, imports.

Facts are read from the syntax alone, so they depend on the content of the file and
not on its path: that is why they can be cached by it. Lines are 1-based. A scope is
named by its position in `FileSymbols.scopes`; scope 0 is the file itself.
"""

from dataclasses import dataclass
from enum import StrEnum


class ScopeKind(StrEnum):
    MODULE = "module"
    CLASS = "class"
    FUNCTION = "function"
    COMPREHENSION = "comprehension"


class BindingKind(StrEnum):
    """How a name comes to stand for something in its scope."""

    ASSIGNED = "assigned"
    """One plain name on the left, one value on the right."""
    DECLARED = "declared"
    """A declaration without a value."""
    AUGMENTED = "augmented"
    UNPACKED = "unpacked"
    """One of several targets, or of a pattern."""
    LOOP = "loop"
    RESOURCE = "resource"
    """Python's `with ... as`, Java's `try (...)`."""
    CAUGHT = "caught"
    PARAMETER = "parameter"
    IMPORT = "import"
    DEFINITION = "definition"
    OUTER = "outer"
    """Python's `global` and `nonlocal`: the name belongs to a scope further out."""
    TYPE_PARAMETER = "type parameter"


class ParameterKind(StrEnum):
    POSITIONAL_ONLY = "positional only"
    POSITIONAL = "positional"
    KEYWORD_ONLY = "keyword only"
    VARIADIC = "variadic"
    KEYWORDS = "keywords"
    """Python's `**kwargs`."""


class DefinitionKind(StrEnum):
    FUNCTION = "function"
    METHOD = "method"
    CLASS = "class"
    TYPE = "type"
    """An interface or alias: no value of that name exists at run time."""
    VARIABLE = "variable"


class Receiver(StrEnum):
    """What stands before the dot."""

    NONE = "none"
    SELF = "self"
    """`self`, `cls` or `this` in a method, also Go's receiver variable."""
    SUPER = "super"
    NAME = "name"
    """A name, perhaps dotted: `Reference.receiver_text` has it."""
    OTHER = "other"


class ReferenceKind(StrEnum):
    VALUE = "value"
    TYPE = "type"
    """In a place where only types can stand."""
    ELEMENT = "element"
    """A JSX element."""


@dataclass(frozen=True, slots=True)
class Scope:
    parent: int | None
    """None for the file itself."""
    kind: ScopeKind
    name: str
    """Qualified, for example `Server.start`; empty for the file and for unnamed ones."""
    start: int
    stop: int
    """First line after it."""
    is_open: bool = False
    """True where names may be read or made in ways the syntax does not show."""


@dataclass(frozen=True, slots=True)
class Parameter:
    name: str
    kind: ParameterKind
    has_default: bool
    line: int


@dataclass(frozen=True, slots=True)
class Definition:
    name: str
    qualified_name: str
    kind: DefinitionKind
    scope: int
    """The scope that the name is bound in."""
    body: int | None
    """The scope that it opens; None for a variable or a bodiless one."""
    line: int
    """Of its name."""
    start: int
    stop: int
    parameters: tuple[Parameter, ...] | None = None
    """None where it takes none by its nature, or where they could not be read."""
    decorators: tuple[str, ...] = ()
    """Decorators, annotations or modifiers, as written, without `@`."""
    bases: tuple[str, ...] = ()
    """Of a class: what it extends or implements; of a Go method: its receiver's type."""
    is_conditional: bool = False
    """Under an `if`, `try`, loop or the like."""
    is_stub: bool = False
    """Its body does nothing, only raises, or is not there."""
    is_exported: bool = False
    """As the language says it: `export`, an upper-case name, `public`."""


@dataclass(frozen=True, slots=True)
class Binding:
    name: str
    scope: int
    kind: BindingKind
    line: int
    is_conditional: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    num_positional: int
    keywords: tuple[str, ...] = ()
    has_spread: bool = False
    """`*args`, `**kwargs` or `...rest`: the real counts are unknown."""
    is_new: bool = False
    """`new X(...)` of JavaScript, TypeScript and Java."""


@dataclass(frozen=True, slots=True)
class Reference:
    """One use of a name. In `a.b.c(x)` there are two: the name `a` and the member `c`
    with the receiver `a.b` (the members between are left out)."""

    name: str
    scope: int
    line: int
    receiver: Receiver = Receiver.NONE
    receiver_text: str = ""
    kind: ReferenceKind = ReferenceKind.VALUE
    call: Call | None = None
    """The arguments where it is called."""
    is_guarded: bool = False
    """Where a failure is expected: under `try` with a handler, `pytest.raises`,
    `typeof x`."""
    is_write: bool = False
    """The name is assigned to, and not read."""


@dataclass(frozen=True, slots=True)
class Import:
    module: str
    """As written: `a.b`, `..x`, `./util`, `example.org/mod/pkg`, `java.util`."""
    name: str
    """The imported member; empty where the module itself is imported."""
    alias: str
    """The name it gets in the file; empty for a star or a bare import."""
    line: int
    is_star: bool = False
    is_guarded: bool = False
    is_type_only: bool = False
    """No such import happens at run time."""
    is_reexport: bool = False
    """`export ... from`: the file gives it on as `alias`, and binds nothing."""


@dataclass(frozen=True, slots=True)
class Export:
    """A name other files can import, in JavaScript and TypeScript."""

    name: str
    local_name: str
    """What it is called in the file; empty for an expression."""
    line: int


@dataclass(frozen=True, slots=True)
class FileSymbols:
    language: str
    package: str
    """Go's and Java's package clause; empty elsewhere."""
    scopes: tuple[Scope, ...]
    definitions: tuple[Definition, ...]
    bindings: tuple[Binding, ...]
    references: tuple[Reference, ...]
    imports: tuple[Import, ...]
    exports: tuple[Export, ...]
    has_errors: bool
    """The parser could not read all of it: what is missing here proves nothing."""
    is_open: bool
    """The file may bind names at its top level in ways the syntax does not show: a
    star import, `exec`, `eval`, a module's `__getattr__`, cgo, a build constraint."""
    has_open_exports: bool
    """It may give out names that `exports` does not list: `export *`, `module.exports`.
    In Python every top-level binding can be imported, and `is_open` says this too."""
