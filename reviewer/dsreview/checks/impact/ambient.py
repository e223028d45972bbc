"""Signs that a name comes from somewhere that no import shows."""

import posixpath
import re

from dsreview.checks.impact.program import SCRIPTS, ChangedFacts, Program, is_declaration
from dsreview.symbols import FileSymbols, Receiver, Reference
from dsreview.symbols.index import has_word

_GLOBALS = re.compile(r"/\*\s*(?:globals?|exported)\b[^*]{0,4000}\*/")
_CONFIGURATION = re.compile(
    r"\.eslintrc.*|eslint\.config\..*|\.jshintrc|\.oxlintrc\.json|package\.json|biome\.jsonc?"
    r"|(?:vite|vitest|webpack|rollup|jest|karma|nuxt)\.conf(?:ig)?\..*"
)
_AUTO_IMPORT = re.compile(rb"unplugin-auto-import|\"nuxt3?\"|\"@nuxt/|\"wxt\"|import-globals")


def unbound_names(program: Program, facts: FileSymbols) -> frozenset[str]:
    """Names that a file uses and neither binds nor imports."""
    return frozenset(one.name for one in facts.references if is_unbound(program, facts, one))


def is_unbound(program: Program, facts: FileSymbols, reference: Reference) -> bool:
    if reference.receiver is not Receiver.NONE or reference.is_guarded:
        return False
    if program.scoping(facts).owner(reference.name, reference.scope) is not None:
        return False
    imported = {found.alias for found in facts.imports}
    if facts.language == "go":
        imported |= {posixpath.basename(found.module) for found in facts.imports}
    return reference.name not in imported


def has_meaning_elsewhere(program: Program, changed: ChangedFacts, name: str) -> bool:
    """Whether other files show that `name` comes from outside.

    `program.index` must have been built for `name` too.
    """
    language = changed.new.language
    if language == "python":
        return False
    folder = posixpath.dirname(changed.path)
    for path, facts in program.index.files.items():
        if path == changed.path:
            continue
        if language in ("go", "java"):
            is_near = posixpath.dirname(path) == folder
            if is_near and program.scoping(facts).bound_in(0, name):
                return True
        elif facts.language in SCRIPTS and _is_global_in(program, path, facts, name):
            return True
    return language in SCRIPTS and _is_configured(program, changed.file.text, name)


def _is_global_in(program: Program, path: str, facts: FileSymbols, name: str) -> bool:
    """Whether a script uses the name as a global, or may be where it is declared."""
    if is_declaration(path) or facts.is_open or not (facts.imports or facts.exports):
        return True
    uses = program.scoping(facts).references(name)
    return any(is_unbound(program, facts, one) for one in uses)


def _is_configured(program: Program, text: str, name: str) -> bool:
    """Whether a linter's configuration, or a comment in `text`, names a global."""
    for comment in _GLOBALS.finditer(text):
        if name in re.split(r"[^\w$]+", comment[0]):
            return True
    word = name.encode("utf-8", "surrogateescape")
    for path in program.head.paths:
        if _CONFIGURATION.fullmatch(posixpath.basename(path)):
            content = program.change.head.read(path) or b""
            if has_word(content, word) or _AUTO_IMPORT.search(content):
                return True
    return False
