"""What a file is by its path: source, a test, or neither."""

import re
from enum import StrEnum
from pathlib import PurePosixPath

from dsreview import languages
from dsreview.name_rules import left_out_by_name

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_TEST_WORDS = frozenset({"test", "tests", "spec", "specs", "unittest", "unittests", "e2e"})
_TEST_FOLDERS = frozenset(
    {"testing", "testsuite", "testdata", "fixtures", "__snapshots__", "mocks", "t"}
)
_SIDE_FOLDERS = frozenset(
    {"doc", "docs", "docs_src", "documentation", "website", "site", "example", "examples", "demo"}
    | {"demos", "sample", "samples", "bench", "benches", "benchmark", "benchmarks", "playground"}
    | {"dist", "build", "generated", "scripts", "script", "tools", "tool", "ci", ".github", "perf"}
    | {"packaging", "release", "extras", "contrib", "deps", "external", "lib3rd", "fuzz"}
)
_DECLARATIONS = (".d.ts", ".d.mts", ".d.cts", ".pyi")
"""They hold no code that runs."""


class Role(StrEnum):
    SOURCE = "source"
    """Code of the product itself, in a language that is parsed."""
    TEST = "test"
    SIDE = "side"
    """Everything else: prose, settings, examples, generated and vendored files."""


def role_of(path: str) -> Role:
    """
    >>> [role_of(path).value for path in ("src/a.py", "tests/a.py", "src/a_test.go", "docs/a.py")]
    ['source', 'test', 'test', 'side']
    """
    *folders, name = PurePosixPath(path).parts
    if not path.isprintable() or left_out_by_name(path) is not None:
        return Role.SIDE
    if any(_is_test_folder(folder) for folder in folders) or _has_test_word(name):
        return Role.TEST
    is_aside = any(folder.lower() in _SIDE_FOLDERS for folder in folders)
    if is_aside or name.endswith(_DECLARATIONS):
        return Role.SIDE
    return Role.SIDE if languages.detect(path) is None else Role.SOURCE


def _is_test_folder(name: str) -> bool:
    return name.lower() in _TEST_FOLDERS or _has_test_word(name)


def _has_test_word(name: str) -> bool:
    """By its words: `test_a.py`, `a.spec.ts`, `ATest.java`, `commonTest`, not `latest`."""
    return any(word.lower() in _TEST_WORDS for word in _WORD.findall(name))
