"""Uses in Java of a type that its file, or the whole file, no longer has."""

import posixpath
import re
from collections.abc import Iterator

from dsreview.checks.impact.known_names import JAVA_LANG, JAVA_NESTED
from dsreview.checks.impact.program import MAX_FILE_BYTES, Program
from dsreview.checks.impact.removals import Removal, Use
from dsreview.symbols import Definition, DefinitionKind, FileSymbols, Receiver, ReferenceKind
from dsreview.symbols.index import has_word

_MAX_BASES = 20
_OTHER_SOURCES = (
    *(".kt", ".scala", ".groovy", ".clj", ".aj", ".proto", ".thrift", ".g4", ".avsc", ".avdl"),
    *(".xsd", ".wsdl", ".fbs", ".vm", ".ftl", ".jj", ".jjt", ".y", ".mustache", ".graphqls"),
)
"""What else defines classes, or what they are generated from."""


def uses_of_java_type(program: Program, removal: Removal) -> Iterator[Use]:
    old = removal.changed.old
    if old is None or removal.name in JAVA_LANG or _may_be_defined(program, removal, old.package):
        return
    uses: list[Use] = []
    for path, facts in program.index.files.items():
        if facts.language != "java" or facts.has_errors:
            continue
        if removal.is_given_out and old.package:
            uses += _imports(path, facts, f"{old.package}.{removal.name}")
        if _is_in_reach(removal, old.package, path, facts):
            uses += _plain_uses(program, path, facts, removal.name)
    if uses and not _may_come_from_elsewhere(program, removal.name):
        yield from uses


def _is_in_reach(removal: Removal, package: str, path: str, facts: FileSymbols) -> bool:
    """Whether the plain name may have meant the type there."""
    if not removal.is_given_out:
        return path == removal.changed.path
    if facts.package != package:
        return False
    is_near = posixpath.dirname(path) == posixpath.dirname(removal.changed.path)
    return bool(facts.package) or is_near


def _may_be_defined(program: Program, removal: Removal, package: str) -> bool:
    """Whether the head may have a type of that name that the old uses mean now."""
    if any(not gap.path or gap.path.endswith(".java") for gap in program.index.gaps):
        return True
    for site in program.index.definitions(removal.name):
        facts = program.index.files[site.path]
        if facts.language != "java" or site.fact.kind is not DefinitionKind.CLASS:
            continue
        if site.fact.scope != 0 or facts.package == package or not removal.is_given_out:
            return True
    return False


def _may_come_from_elsewhere(program: Program, name: str) -> bool:
    """Whether a file of another kind is called so, or what is generated may have it."""
    word = name.encode("utf-8", "surrogateescape")
    for path in program.head.paths:
        stem, _, suffix = posixpath.basename(path).partition(".")
        if stem == name and suffix != "java":
            return True
        if path.endswith(_OTHER_SOURCES) and _has_word(program, path, word):
            return True
    return False


def _has_word(program: Program, path: str, word: bytes) -> bool:
    """True also where there is no time, or the file is too large, to look."""
    size = program.change.head.size_bytes(path) or 0
    if size > MAX_FILE_BYTES or program.budget.ask():
        return True
    return has_word(program.change.head.read(path) or b"", word)


def _imports(path: str, facts: FileSymbols, full_name: str) -> Iterator[Use]:
    for found in facts.imports:
        named = found.module if found.is_star else f"{found.module}.{found.name}"
        if f"{named}.".startswith(f"{full_name}."):
            yield Use(path, found.line, "import")


def _plain_uses(program: Program, path: str, facts: FileSymbols, name: str) -> Iterator[Use]:
    if any(found.is_star and _may_bring(program, found.module, name) for found in facts.imports):
        return
    scoping = program.scoping(facts)
    for one in scoping.references(name):
        is_free = one.receiver is Receiver.NONE and scoping.owner(name, one.scope) is None
        is_type = one.kind is ReferenceKind.TYPE or _stands_before_dot(facts, name, one.line)
        is_type = is_type and (one.call is None or one.call.is_new)
        if is_free and is_type and not _may_inherit(program, facts, one.scope, name):
            yield Use(path, one.line, "use")


def _stands_before_dot(facts: FileSymbols, name: str, line: int) -> bool:
    return any(
        one.line == line and f"{one.receiver_text}.".startswith(f"{name}.")
        for one in facts.references
    )


def _may_bring(program: Program, module: str, name: str) -> bool:
    """Whether `import module.*` may be where `name` comes from now."""
    if module.rpartition(".")[2][:1].isupper():
        return False  # the members of one class
    folder = "/" + module.replace(".", "/") + "/"
    is_own = any(folder in f"/{path}" for path in program.head.paths if path.endswith(".java"))
    return not is_own or program.head.java(f"{module}.{name}") is not None


def _may_inherit(program: Program, facts: FileSymbols, scope: int, name: str) -> bool:
    """Whether a class around `scope` may get a type of that name from its supertypes."""
    current: int | None = scope
    pending: list[tuple[FileSymbols, Definition]] = []
    while current is not None:
        if facts.scopes[current].is_open:
            return True  # an unnamed class
        pending += [(facts, one) for one in facts.definitions if one.body == current and one.bases]
        current = facts.scopes[current].parent
    num_read = 0
    while pending:
        where, definition = pending.pop()
        for base in _names_of_bases(definition):
            known = _class_of(program, where, base, name)
            num_read += 1
            if known is None or num_read > _MAX_BASES:
                return True
            pending += known
    return False


_ARGUMENTS = re.compile(r"<[^<>]*>")


def _names_of_bases(definition: Definition) -> Iterator[str]:
    """`A` and `b.C` of `extends A<X>` and `implements b.C`."""
    for text in definition.bases[1:]:
        written = text.split(None, 1)[-1]
        while _ARGUMENTS.search(written):
            written = _ARGUMENTS.sub("", written)
        yield from (part.split()[-1] for part in written.split(",") if part.strip())


def _class_of(
    program: Program, facts: FileSymbols, base: str, removed: str
) -> list[tuple[FileSymbols, Definition]] | None:
    """The class that `base` names; empty for a known outer one, None for an unknown one."""
    if base == removed:
        return []
    own = [one for one in facts.definitions if one.name == base and one.scope == 0]
    if own:
        return [(facts, own[0])]
    found = [one for one in facts.imports if one.alias == base]
    module = found[0].module if len(found) == 1 else facts.package
    if module.startswith("java.") or (not found and base in JAVA_LANG):
        return None if removed in JAVA_NESTED else []
    path = program.head.java(f"{module}.{base}") if module else None
    target = None if path is None else program.facts(path)
    if target is None or target.has_errors:
        return None
    return [(target, one) for one in target.definitions if one.name == base and one.scope == 0]
