"""Whether what the repository no longer has may come from an installed package.

As after a vendored copy made way for a dependency: then nothing is missing.
"""

import posixpath
import re

from dsreview.checks.impact.program import MAX_FILE_BYTES, Program
from dsreview.patch import LineKind
from dsreview.symbols.index import has_word

_PYTHON_MANIFEST = re.compile(
    r"(?:^|/)(?:[^/]*(?:requirements|constraints)[^/]*\.(?:txt|in|pip)|requirements/[^/]+\.(?:txt|in)"
    r"|pyproject\.toml|setup\.(?:py|cfg)|Pipfile|environment\.ya?ml|(?:poetry|uv|pdm|Pipfile)\.lock"
    r"|tox\.ini|noxfile\.py|(?:conda|recipe)/meta\.ya?ml)$"
)
_OWN_NAME = re.compile(r"[ \t]*(?:name|version|description|py_?modules|packages)[ \t]*=")
"""A line of a manifest that says what the project itself has."""

_JAVA_MANIFEST = re.compile(
    r"(?:^|/)(?:pom\.xml|[^/]*\.gradle(?:\.kts)?|[^/]+\.versions\.toml|ivy\.xml|build\.xml"
    r"|build\.sbt|(?:BUILD|WORKSPACE|MODULE)(?:\.bazel)?|\.classpath|maven_install\.json)$"
)
_SEPARATORS = re.compile(r"[-_.]+")


def may_be_installed_python(program: Program, importer: str, module: str) -> bool:
    top = module.split(".")[0]
    if not top or program.resolve(program.head, importer, top) is not None:
        return False
    return _is_in_another_root(program, importer, module) or _is_named(program, top)


def _is_in_another_root(program: Program, importer: str, module: str) -> bool:
    """Whether the module is in a folder that may be on `sys.path`.

    That is one that is no package, or the importer's own, where it is run as a script.
    """
    own = posixpath.join(posixpath.dirname(importer), "")
    stem = module.replace(".", "/")
    for tail in (f"{stem}.py", f"{stem}/__init__.py", f"{stem}.pyi"):
        for path in program.head.paths:
            if path == tail or path.endswith(f"/{tail}"):
                root = path[: -len(tail)]
                if root == own or f"{root}__init__.py" not in program.head.paths:
                    return True
    return False


def _is_named(program: Program, top: str) -> bool:
    """Whether a manifest asks for something that is called much like `top`.

    Much like: `yaml` is installed by `PyYAML`, `dateutil` by `python-dateutil`. A name
    that says nothing of its modules (`Pillow`) counts when this change adds it.
    """
    wanted = _SEPARATORS.sub("", top).casefold()
    for path in program.head.paths:
        if not _PYTHON_MANIFEST.search(path):
            continue
        if _adds_dependency(program, path):
            return True
        for line in _text(program, path).splitlines():
            if wanted in _SEPARATORS.sub("", line).casefold() and not _OWN_NAME.match(line):
                return True
    return False


def may_be_installed_java(program: Program, package: str, folder: str) -> bool:
    """`folder` is where the repository had the package."""
    is_empty = not any(
        posixpath.dirname(path) == folder for path in program.head.paths if path.endswith(".java")
    )
    word = package.rpartition(".")[2].encode("utf-8", "surrogateescape")
    for path in program.head.paths:
        if is_empty and path.endswith(".jar") and "wrapper" not in path:
            return True
        if not _JAVA_MANIFEST.search(path):
            continue
        if _adds_dependency(program, path):
            return True
        if is_empty and has_word(_text(program, path).encode(), word):
            return True
    return any(
        patch.path.endswith(".jar") and patch.path not in program.base.paths
        for patch in program.change.patch.files
    )


_DEPENDENCY = re.compile(
    r"\w\s*(?:[=~<>!]=|>|\[)|^\s*[\"']?[A-Za-z][\w.-]*[\"']?,?\s*$|depend|require|artifact|group"
    r"|implementation|\bapi\b|compile|libs?\b|\bjar\b|module",
    re.IGNORECASE,
)


def _adds_dependency(program: Program, path: str) -> bool:
    """Whether the change added a line to the manifest that may ask for a package."""
    return any(
        line.kind is LineKind.ADDED and _DEPENDENCY.search(line.text) is not None
        for patch in program.change.patch.files
        if patch.path == path
        for hunk in patch.hunks
        for line in hunk.lines
    )


def _text(program: Program, path: str) -> str:
    size = program.change.head.size_bytes(path) or 0
    content = program.change.head.read(path) if size <= MAX_FILE_BYTES else None
    return (content or b"").decode("utf-8", "replace")
