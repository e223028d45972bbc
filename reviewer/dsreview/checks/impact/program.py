"""What the impact checks know: the changed files on both sides, and the head around them."""

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from dsreview import languages
from dsreview.change import Change, ChangedFile, Snapshot
from dsreview.checks.impact.budget import Budget
from dsreview.checks.impact.modules import Modules
from dsreview.errors import TaskFailed
from dsreview.patch import FileStatus, LineKind, Span
from dsreview.symbols import LANGUAGES, FactReader, FileSymbols, Import, SymbolIndex
from dsreview.symbols.index import has_word
from dsreview.symbols.scoping import Scoping

MAX_FILE_BYTES = 600_000
_GO_MODULE = re.compile(rb"^module[ \t]+\"?([^\s\"]+)", re.MULTILINE)
_TEST = re.compile(
    r"(?:^|/)(?:tests?|specs?|__tests__|testing|testdata|fixtures?|examples?|samples?|docs?"
    r"|docs_src|demos?|bench(?:mark)?s?|type-?tests?|typings?)/"
    r"|(?:^|/)test_[^/]*$|(?:_test|_spec|[.-](?:test|spec|test-d|bench))\.\w+$|(?:test|tests|it)\.java$"
)
_MADE_BY = (
    *(".gitignore", "pyproject.toml", "setup.py", "setup.cfg", "package.json", "Makefile"),
    *("meson.build", "CMakeLists.txt", "MANIFEST.in"),
)
SCRIPTS = frozenset({"javascript", "typescript", "tsx"})


@dataclass(frozen=True, slots=True)
class ChangedFacts:
    """A changed file and what both its sides say about names."""

    file: ChangedFile
    old: FileSymbols | None
    """None where the file is new, or its old side could not be read."""
    new: FileSymbols

    @property
    def path(self) -> str:
        return self.file.path

    @property
    def added_lines(self) -> frozenset[int]:
        return self.file.patch.added_lines

    @property
    def is_copy(self) -> bool:
        """The old side is a file that is still there: nothing was taken from it."""
        return self.file.patch.status is FileStatus.COPIED

    @property
    def lines(self) -> list[str]:
        return self.file.text.split("\n")

    def quote(self, span: Span) -> str:
        """The lines of `span`; of a gap, the line behind it."""
        stop = max(span.stop, span.start + 1)
        return "\n".join(self.lines[span.start - 1 : stop - 1])

    def place_of_removed(self, old_line: int) -> Span | None:
        """Where a removed line of the old file stood: what replaced it, or its gap."""
        for hunk in self.file.patch.hunks:
            next_new, is_found = hunk.new.start, False
            for line in hunk.lines:
                if line.kind is LineKind.REMOVED:
                    is_found = is_found or line.old_number == old_line
                    continue
                if is_found and line.new_number is not None:
                    is_added = line.kind is LineKind.ADDED
                    return Span(line.new_number, line.new_number + is_added)
                next_new = (line.new_number or 0) + 1
            if is_found:
                return Span(next_new, next_new)
        return None


@dataclass(slots=True)
class Program:
    """The head of a change as far as its names reach."""

    change: Change
    reader: FactReader
    changed: Mapping[str, ChangedFacts]
    """By path."""
    budget: Budget = field(default_factory=Budget)
    index: SymbolIndex = field(default_factory=lambda: SymbolIndex(frozenset(), {}))
    head: Modules = field(init=False)
    base: Modules = field(init=False)
    _facts: dict[str, FileSymbols | None] = field(default_factory=dict)
    _scopings: dict[int, Scoping] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.head = _modules(self.change.head)
        self.base = _modules(self.change.base)

    def facts(self, path: str) -> FileSymbols | None:
        """Of a file of the head; None where it cannot be known."""
        if path in self.changed:
            return self.changed[path].new
        if path in self.index.files:
            return self.index.files[path]
        if path not in self._facts:
            self._facts[path] = self._read(path)
        return self._facts[path]

    def _read(self, path: str) -> FileSymbols | None:
        language = languages.detect(path)
        size = self.change.head.size_bytes(path)
        if language is None or language.name not in LANGUAGES or (size or 0) > MAX_FILE_BYTES:
            return None
        source = self.change.head.read(path)
        if source is None:
            return None
        try:
            return self.reader.read(language.name, source, self.change.head.identity(path))
        except TaskFailed:
            return None

    def scoping(self, facts: FileSymbols) -> Scoping:
        known = self._scopings.get(id(facts))
        if known is None:  # keeps `facts` alive, so that its id stays its own
            known = self._scopings[id(facts)] = Scoping(facts)
        return known

    def resolve(self, modules: Modules, importer: str, module: str) -> str | None:
        """The file that `importer` names by `module`, among the paths of one side."""
        if importer.endswith((".py", ".pyi")):
            return modules.python(importer, module)
        if importer.endswith(".java"):
            return modules.java(module)
        return modules.script(importer, module)

    def is_made_by_build(self, name: str) -> bool:
        """Whether a file that steers the build, or what git ignores, has the word `name`."""
        word = name.encode("utf-8", "surrogateescape")
        return any(has_word(self.change.head.read(path) or b"", word) for path in _MADE_BY)

    def origin_of_import(self, importer: str, found: Import) -> tuple[str, str] | None:
        """The file and name that an import of a member leads to."""
        module = self.resolve(self.head, importer, found.module)
        return None if module is None or not found.name else self.origin(module, found.name)

    def origin(self, path: str, name: str, max_steps: int = 4) -> tuple[str, str] | None:
        """The file and name that define what `path` gives out as `name`.

        Follows imports that give a name on; None wherever another meaning is possible.
        """
        for _ in range(max_steps):
            facts = self.facts(path)
            if facts is None or facts.is_open or facts.has_errors:
                return None
            local = _local_name(facts, name)
            scoping = self.scoping(facts)
            if local is not None and scoping.is_only_definition(local):
                return path, local
            given_on = [one for one in facts.imports if one.is_reexport and one.alias == name]
            found = given_on[0] if len(given_on) == 1 else scoping.only_import(local or name, 0)
            if found is None or not found.name or found.is_star:
                return None
            target = self.resolve(self.head, path, found.module)
            if target is None:
                return None
            path, name = target, found.name
        return None


def is_declaration(path: str) -> bool:
    """Whether the file only declares what others define, as a stub of Python does too."""
    return path.endswith((".d.ts", ".d.mts", ".d.cts", ".pyi"))


def is_test(path: str) -> bool:
    """Tests and examples, by the names that they usually have."""
    return _TEST.search(path.lower()) is not None


def _local_name(facts: FileSymbols, name: str) -> str | None:
    """What a module calls inside what it gives out as `name`."""
    if facts.language not in SCRIPTS:
        return name
    if facts.has_open_exports:
        return None
    named = [export.local_name for export in facts.exports if export.name == name]
    return named[0] if len(named) == 1 and named[0] else None


def _modules(snapshot: Snapshot) -> Modules:
    paths = frozenset(snapshot.paths())
    go_modules: dict[str, str] = {}
    for path in paths:
        if posixpath.basename(path) == "go.mod":
            found = _GO_MODULE.search(snapshot.read(path) or b"")
            if found:
                go_modules[found[1].decode("utf-8", "replace")] = posixpath.dirname(path)
    longest_first = sorted(go_modules.items(), key=lambda row: -len(row[0]))
    return Modules(paths, dict(longest_first))
