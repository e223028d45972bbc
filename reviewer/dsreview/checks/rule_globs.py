"""Which files a rule is for: ast-grep's `files` and `ignores`."""

import fnmatch
from collections.abc import Iterable, Iterator

from dsreview.checks.rule_file import Rule


def is_selected(rule: Rule, path: str) -> bool:
    """`ignores` wins; without `files`, every file."""
    if _matches_any(rule.ignores, path):
        return False
    return not rule.files or _matches_any(rule.files, path)


def _matches_any(globs: Iterable[str], path: str) -> bool:
    return any(fnmatch.fnmatchcase(path, plain) for glob in globs for plain in _plain(glob))


def _plain(glob: str) -> Iterator[str]:
    """`glob` without `**`: a `*` of fnmatch crosses folders, as ast-grep's does."""
    glob = glob.removeprefix("./")
    yield glob
    if glob.startswith("**/"):
        yield glob.removeprefix("**/")
    if "/**/" in glob:
        yield glob.replace("/**/", "/")
