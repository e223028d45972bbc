"""`dangling-reference` for whole files: an import of a file that the change removed."""

import posixpath
from collections.abc import Iterator, Mapping

from dsreview.change import Change
from dsreview.checks.impact.dangling import Use, finding_of
from dsreview.checks.impact.program import Program
from dsreview.finding import Finding
from dsreview.patch import FileKind, FilePatch, FileStatus, Span
from dsreview.symbols import Import


def gone_files(change: Change) -> Mapping[str, FilePatch]:
    """Deleted or moved files that nothing in the head can stand for, by old path."""
    head = frozenset(change.head.paths())
    gone: dict[str, FilePatch] = {}
    for file in change.patch.files:
        is_gone = file.status in (FileStatus.DELETED, FileStatus.RENAMED)
        if not is_gone or file.kind is not FileKind.REGULAR or file.old_path in head:
            continue
        stem = _stem(file.old_path)
        if not any(p.startswith((f"{stem}.", f"{stem}/")) for p in head):
            gone[file.old_path] = file
    return gone


def _stem(path: str) -> str:
    """What imports call the file: a package or an index is called like its folder."""
    stem, _ = posixpath.splitext(path)
    folder, name = posixpath.split(stem)
    return folder if name in ("__init__", "index") else stem


def gone_names(gone: Mapping[str, FilePatch]) -> set[str]:
    """Words that an importer of one of these files contains."""
    return {posixpath.basename(_stem(path)) for path in gone}


def find_uses_of_gone_files(program: Program, gone: Mapping[str, FilePatch]) -> Iterator[Finding]:
    uses: dict[str, list[Use]] = {}
    for path, facts in program.index.files.items():
        # a file that moved too may have left its neighbours behind on purpose
        if path not in program.base.paths or facts.has_errors or facts.language == "go":
            continue
        for found in facts.imports:
            for target in _named_before(program, path, found) & gone.keys():
                uses.setdefault(target, []).append(Use(path, found.line, "import"))
    for old_path, listed in uses.items():
        if program.is_made_by_build(posixpath.basename(old_path)):
            continue
        facts = program.index.files[listed[0].path]
        file = gone[old_path]
        is_moved = file.status is FileStatus.RENAMED
        event = (
            f"`{old_path}` was moved to `{file.path}`" if is_moved else f"`{old_path}` is deleted"
        )
        yield finding_of(file.path, _place(file), event, listed, facts)


def _place(file: FilePatch) -> Span:
    """The first changed line or gap; the top of a file that only moved."""
    added, gaps = min(file.added_lines, default=None), min(file.gaps, default=None)
    if added is not None and (gaps is None or added <= gaps):
        return Span(added, added + 1)
    return Span(gaps or 1, gaps or 1)


def _named_before(program: Program, importer: str, found: Import) -> set[str]:
    """The files that an import named before the change and does not name now."""
    if found.is_guarded:
        return set()
    modules = [found.module]
    if found.name and importer.endswith((".py", ".java")):
        joint = "" if found.module.endswith(".") else "."
        modules.append(f"{found.module}{joint}{found.name}")
    named = set()
    for module in modules:
        before = program.resolve(program.base, importer, module)
        if before is not None and program.resolve(program.head, importer, module) is None:
            named.add(before)
    if _may_be_installed(program, importer, found):
        return set()
    if len(modules) == 2 and program.origin_of_import(importer, found) is not None:
        return set()
    return named


def _may_be_installed(program: Program, importer: str, found: Import) -> bool:
    """Whether a package of that name may come from outside, now that it is not here.

    As after a vendored copy made way for a dependency: nothing of the package is left.
    """
    if importer.endswith(".py"):
        top = found.module.split(".")[0]
        return bool(top) and program.resolve(program.head, importer, top) is None
    if importer.endswith(".java"):
        folder = "/" + found.module.replace(".", "/") + "/"
        return not any(folder in f"/{path}" for path in program.head.paths)
    return False
