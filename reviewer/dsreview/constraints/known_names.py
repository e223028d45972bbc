"""The edit must bring no name that nothing defines, imports or uses, nor take one away.

A name is known where the file has it, the edit itself defines or imports it, the old
file used it from elsewhere, or the language brings it. What stands behind a dot is
not checked. Where names come into a file unseen (`#include`, `import *`, other files of a
package), the kinds of names that come that way are not refused: nothing proves them either.
"""

import re
from collections.abc import Sequence
from typing import Final

from dsreview.constraints.base import Candidate, Constraint, NotVerifiable, Violation
from dsreview.constraints.builtin_names import BUILTIN_NAMES
from dsreview.constraints.library_names import LIBRARY_NAMES, WILDCARDS
from dsreview.constraints.unseen_names import (
    imports_everything,
    may_be_unseen,
    written_names,
)
from dsreview.errors import TaskFailed
from dsreview.languages.names import Name, NameRole
from dsreview.languages.tasks import NAMES, NamesRequest
from dsreview.patch import Span
from dsreview.sandbox import Sandbox

_NAME: Final = "known-names"
_FROM: Final = re.compile(r"\s*from\s+([\w.]+)\s+import\b(.*)")
_BRINGS: Final = (NameRole.DEFINITION, NameRole.IMPORT)
_IMPLICIT_THIS: Final = frozenset({"java", "cpp", "c_sharp", "kotlin", "swift", "ruby"})
"""Languages in which a member is also a plain name inside its class."""


def _known_names(candidate: Candidate, sandbox: Sandbox) -> Violation | NotVerifiable | None:
    language = candidate.file.language
    if language not in BUILTIN_NAMES:
        return NotVerifiable(_NAME, "no parser for this file")
    text, edited = candidate.file.text, candidate.edited_text
    try:
        before = _names(language, text, sandbox)
        after = _names(language, edited, sandbox)
        gone = _names(language, candidate.file.old_text or "", sandbox)
    except TaskFailed as failure:
        return NotVerifiable(_NAME, str(failure))
    has_unlisted = imports_everything(candidate.file.path, language, text)
    written = [name for name in after if name.line in candidate.edited_span]
    before = _bound(language, text, before)
    known = _known(language, before, written) | _used_before(gone) | written_names(language, edited)
    known |= _of_libraries(language, edited)
    rows = edited.split("\n")
    doubt: NotVerifiable | None = None
    for name in written:
        is_checked = name.role is NameRole.REFERENCE and name.text not in known
        if not is_checked or name.text in candidate.package_words:
            continue
        message = f"line {name.line} uses {name.text}, which nothing defines or imports"
        is_listed = not has_unlisted or (language == "java" and name.text[:1].islower())
        if is_listed and not may_be_unseen(language, name, rows[name.line - 1]):
            return Violation(_NAME, message, Span(name.line, name.line + 1))
        doubt = doubt or NotVerifiable(_NAME, message)
    if has_unlisted and language != "java":  # whose wildcards bring no variables
        return doubt
    return _orphan(candidate, before, after, rows) or doubt


def _orphan(
    candidate: Candidate, before: Sequence[Name], after: Sequence[Name], rows: Sequence[str]
) -> Violation | None:
    """A use of a name that only the replaced lines defined."""
    language, span = candidate.file.language, candidate.edit.span
    taken = {name.text for name in before if name.line in span and name.role in _BRINGS}
    taken -= BUILTIN_NAMES[language]
    left = {name.text for name in after if name.role in _BRINGS}
    for name in after:
        is_orphan = name.role is NameRole.REFERENCE and name.text in taken - left
        if is_orphan and not may_be_unseen(language, name, rows[name.line - 1]):
            message = f"line {name.line} uses {name.text}, which the edit takes away"
            return Violation(_NAME, message, Span(name.line, name.line + 1))
    return None


def _names(language: str, text: str, sandbox: Sandbox) -> Sequence[Name]:
    source = text.encode("utf-8", "surrogateescape")
    return sandbox.call(NAMES, NamesRequest(language, source)).names


def _bound(language: str, text: str, names: Sequence[Name]) -> Sequence[Name]:
    """Without the modules of Python's `from module import name`, which get no name."""
    if language != "python":
        return names
    rows = text.split("\n")

    def is_module(name: Name) -> bool:
        match = _FROM.match(rows[name.line - 1])
        if match is None or name.text not in match[1].split("."):
            return False
        return name.text not in match[2].replace(",", " ").split()

    return [one for one in names if one.role is not NameRole.IMPORT or not is_module(one)]


def _known(language: str, before: Sequence[Name], written: Sequence[Name]) -> frozenset[str]:
    has_members = language in _IMPLICIT_THIS
    in_file = {name.text for name in before if has_members or name.role is not NameRole.MEMBER}
    in_edit = {name.text for name in written if name.role in _BRINGS}
    return frozenset(in_file | in_edit | BUILTIN_NAMES[language])


def _of_libraries(language: str, text: str) -> frozenset[str]:
    brought = (names for mark, names in WILDCARDS.get(language, ()) if mark in text)
    return LIBRARY_NAMES.get(language, frozenset()).union(*brought)


def _used_before(old: Sequence[Name]) -> frozenset[str]:
    """Names that the old file used from elsewhere: a fix may bring back what was removed."""
    own = {name.text for name in old if name.role in _BRINGS}
    return frozenset(name.text for name in old if name.role is NameRole.REFERENCE) - own


KNOWN_NAMES = Constraint(
    name=_NAME,
    requirement="it uses only names that the file defines or imports, that the language has, or "
    "that it defines itself",
    check=_known_names,
)
