"""`dangling-reference` for whole files: a use of a file that the change removed."""

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from dsreview import languages
from dsreview.change import Change, ChangedFile
from dsreview.checks.base import OUT_OF_TIME, Failure
from dsreview.checks.impact.budget import Budget
from dsreview.checks.impact.dangling import finding_of, uses_of
from dsreview.checks.impact.dangling_go import imports_of_package
from dsreview.checks.impact.installed import may_be_installed_java, may_be_installed_python
from dsreview.checks.impact.program import MAX_FILE_BYTES, ChangedFacts, Program
from dsreview.checks.impact.removals import Removal, Use, removals
from dsreview.errors import TaskFailed
from dsreview.finding import Finding
from dsreview.patch import FileKind, FilePatch, FileStatus, Span
from dsreview.symbols import FactReader, FileSymbols, Import

BY_PACKAGE = frozenset({"go", "java"})
"""Languages in which a file is not imported itself, but what it defines is used."""

_MAX_FILES = 300
_MAX_BYTES = 2_000_000
_GENERATED = re.compile(r"code generated|@generated|do not edit|auto-?generated", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class GoneFile:
    """A file that was deleted or moved, and nothing in the head can stand for it."""

    patch: FilePatch
    removed: tuple[Removal, ...] = ()
    """What it defined; of a language of `BY_PACKAGE` only."""

    @property
    def path(self) -> str:
        return self.patch.old_path

    @property
    def names(self) -> set[str]:
        """Words that a file which uses it contains."""
        words = {one.name for one in self.removed}
        if self.path.endswith(".go"):
            return words | {posixpath.basename(posixpath.dirname(self.path))}
        return words or {posixpath.basename(_stem(self.path))}


def gone_files(change: Change) -> tuple[GoneFile, ...]:
    head = frozenset(change.head.paths())
    stems = _stems(head)
    gone: list[GoneFile] = []
    for file in change.patch.files:
        is_gone = file.status in (FileStatus.DELETED, FileStatus.RENAMED)
        if not is_gone or file.kind is not FileKind.REGULAR or file.old_path in head:
            continue
        if _is_by_package(file.old_path) or _stem(file.old_path) not in stems:
            gone.append(GoneFile(file))
    return tuple(gone)


def _is_by_package(path: str) -> bool:
    language = languages.detect(path)
    return language is not None and language.name in BY_PACKAGE


def _stem(path: str) -> str:
    """What imports call the file: a package or an index is called like its folder."""
    stem, _ = posixpath.splitext(path)
    folder, name = posixpath.split(stem)
    return folder if name in ("__init__", "index") else stem


def _stems(paths: frozenset[str]) -> frozenset[str]:
    """Every folder, and every file up to each dot of its name."""
    found: set[str] = set()
    for path in paths:
        folder, name = posixpath.split(path)
        parts = name.split(".")
        for number in range(1, len(parts)):
            found.add(posixpath.join(folder, ".".join(parts[:number])))
        while folder and folder not in found:
            found.add(folder)
            folder = posixpath.dirname(folder)
    return frozenset(found)


def with_removals(
    gone: Sequence[GoneFile],
    change: Change,
    reader: FactReader,
    budget: Budget,
    failures: list[Failure],
) -> Iterator[GoneFile]:
    """The same files with what they defined; those that cannot be read are left out."""
    num_files = num_bytes = 0
    for file in gone:
        if not _is_by_package(file.path):
            yield file
            continue
        if budget.ask():
            failures.append(Failure(file.patch.path, OUT_OF_TIME))
            continue
        source = change.base.read(file.path) or b""
        if not _is_read(file, source, reader):
            num_files, num_bytes = num_files + 1, num_bytes + len(source)
        if len(source) > MAX_FILE_BYTES or num_files > _MAX_FILES or num_bytes > _MAX_BYTES:
            failures.append(Failure(file.patch.path, "too much was deleted to read all of it"))
            continue
        try:
            facts = _facts(file, source, change.base.identity(file.path), reader)
        except TaskFailed as error:
            failures.append(Failure(file.patch.path, str(error)))
            continue
        if facts is not None:
            yield replace(file, removed=tuple(_given_out(facts)))


def _is_read(file: GoneFile, source: bytes, reader: FactReader) -> bool:
    """Whether it costs nothing, as the old side of a file that moved."""
    language = languages.detect(file.path)
    return language is not None and reader.has_read(language.name, source)


def _facts(
    file: GoneFile, source: bytes, identity: str | None, reader: FactReader
) -> ChangedFacts | None:
    """Both sides of it, the new one empty; None where a build may make it again."""
    text = source.decode("utf-8", "surrogateescape")
    language = languages.detect(file.path)
    if language is None or _GENERATED.search(text[:2000]):
        return None
    old = reader.read(language.name, source, identity)
    if old.is_open:
        return None
    changed = ChangedFile(file.path, language.name, file.patch, text, "")
    return ChangedFacts(changed, old, _emptied(old))


def _emptied(old: FileSymbols) -> FileSymbols:
    rest = replace(old, definitions=(), bindings=(), references=(), imports=(), exports=())
    return replace(rest, scopes=old.scopes[:1])


def _given_out(facts: ChangedFacts) -> Iterator[Removal]:
    return (one for one in removals(facts) if one.is_given_out and one.method is None)


def find_uses_of_gone_files(program: Program, gone: Sequence[GoneFile]) -> Iterator[Finding]:
    imports = _imports(program, {file.path for file in gone})
    for file in program.budget.each(gone):
        if _is_by_package(file.path):
            finding = _by_package(program, file)
        else:
            finding = _described(program, file, imports.get(file.path, ()))
        if finding is not None and not program.is_made_by_build(posixpath.basename(file.path)):
            yield finding


def _imports(program: Program, gone: set[str]) -> Mapping[str, Sequence[Use]]:
    """Of files of Python, JavaScript and TypeScript, by the path they named before."""
    uses: dict[str, list[Use]] = {}
    for path, facts in program.budget.each(program.index.files.items()):
        # a file that moved too may have left its neighbours behind on purpose
        if path not in program.base.paths or facts.has_errors or facts.language in BY_PACKAGE:
            continue
        for found in facts.imports:
            for target in _named_before(program, path, found, gone):
                uses.setdefault(target, []).append(Use(path, found.line, "import"))
    return uses


def _named_before(program: Program, importer: str, found: Import, gone: set[str]) -> set[str]:
    """Those of the gone files that an import named before and does not name now."""
    if found.is_guarded:
        return set()
    modules = [found.module]
    if found.name and importer.endswith(".py"):
        joint = "" if found.module.endswith(".") else "."
        modules.append(f"{found.module}{joint}{found.name}")
    named = set()
    for module in modules:
        before = program.resolve(program.base, importer, module)
        if before in gone and program.resolve(program.head, importer, module) is None:
            named.add(before)
    if not named or (
        importer.endswith(".py") and may_be_installed_python(program, importer, found.module)
    ):
        return set()
    if len(modules) == 2 and program.origin_of_import(importer, found) is not None:
        return set()
    return named


def _by_package(program: Program, file: GoneFile) -> Finding | None:
    uses: list[Use] = []
    folder = posixpath.dirname(file.path)
    if file.path.endswith(".go"):
        uses += imports_of_package(program, folder)
    first: Removal | None = None
    for removal in program.budget.each(file.removed):
        found = list(uses_of(program, removal))
        uses += found
        first = first or (removal if found else None)
    package = file.removed[0].changed.new.package if file.removed else ""
    if uses and file.path.endswith(".java") and may_be_installed_java(program, package, folder):
        return None
    return _described(program, file, uses, first)


def _described(
    program: Program, file: GoneFile, uses: Sequence[Use], removal: Removal | None = None
) -> Finding | None:
    if not uses:
        return None
    patch = file.patch
    place = None if removal is None else removal.changed.place_of_removed(removal.old_line)
    name = "" if removal is None else f", which defined `{removal.name}`,"
    is_moved = patch.status is FileStatus.RENAMED
    event = f"was moved to `{patch.path}`" if is_moved else "is deleted"
    facts = program.index.files[uses[0].path]
    return finding_of(
        patch.path, place or _place(patch), f"`{file.path}`{name} {event}", uses, facts
    )


def _place(file: FilePatch) -> Span:
    """The first changed line or gap; the top of a file that only moved."""
    added, gaps = min(file.added_lines, default=None), min(file.gaps, default=None)
    if added is not None and (gaps is None or added <= gaps):
        return Span(added, added + 1)
    return Span(gaps or 1, gaps or 1)
