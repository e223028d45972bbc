"""The edit must bring no name that nothing defines, imports or uses.

A name is known where the file has it, the edit itself defines or imports it, the old
file used it from elsewhere, or the language brings it. What stands behind a dot is
not checked. Where names come into a file unseen (`#include`, `import *`, classes of the
same namespace), the kinds of names that come that way are not checked either.
"""

import re
from collections.abc import Sequence
from typing import Final

from dsreview.constraints.base import Candidate, Constraint, NotVerifiable, Violation
from dsreview.constraints.builtin_names import BUILTIN_NAMES
from dsreview.errors import TaskFailed
from dsreview.languages.names import Name, NameRole
from dsreview.languages.tasks import NAMES, NamesRequest
from dsreview.patch import Span
from dsreview.sandbox import Sandbox

_NAME: Final = "known-names"
_GO_IMPORT: Final = re.compile(
    r"^import\s*(?:\(([^)]*)\)|((?:[\w.]+ +)?\"[^\"\n]*\"))", re.MULTILINE
)
_IMPLICIT_THIS: Final = frozenset({"java", "cpp", "c_sharp", "kotlin", "swift", "ruby"})
"""Languages in which a member is also a plain name inside its class."""
_TYPES_UNSEEN: Final = frozenset({"c", "cpp", "c_sharp", "swift", "ruby", "php"})
"""Languages in which types and constants arrive without being named in the file."""
_FUNCTIONS_UNSEEN: Final = frozenset({"c", "cpp", "swift", "ruby", "php", "bash"})


def _known_names(candidate: Candidate, sandbox: Sandbox) -> Violation | NotVerifiable | None:
    language = candidate.file.language
    if language not in BUILTIN_NAMES:
        return NotVerifiable(_NAME, "no parser for this file")
    after = candidate.edited_text
    try:
        before = _names(language, candidate.file.text, None, sandbox)
        written = _names(language, after, candidate.edited_span, sandbox)
        gone = _names(language, candidate.file.old_text or "", None, sandbox)
    except TaskFailed as failure:
        return NotVerifiable(_NAME, str(failure))
    if _imports_everything(language, candidate.file.text):
        return None
    known = _known(language, before, written) | _used_before(gone) | _go_packages(language, after)
    for name in written:
        is_checked = name.role is NameRole.REFERENCE and not _may_be_unseen(language, name)
        if is_checked and name.text not in known:
            message = f"line {name.line} uses {name.text}, which nothing defines or imports"
            return Violation(_NAME, message, Span(name.line, name.line + 1))
    return None


def _names(language: str, text: str, span: Span | None, sandbox: Sandbox) -> Sequence[Name]:
    source = text.encode("utf-8", "surrogateescape")
    return sandbox.call(NAMES, NamesRequest(language, source, span)).names


def _known(language: str, before: Sequence[Name], written: Sequence[Name]) -> frozenset[str]:
    brings = (NameRole.DEFINITION, NameRole.IMPORT)
    has_members = language in _IMPLICIT_THIS
    in_file = {name.text for name in before if has_members or name.role is not NameRole.MEMBER}
    in_edit = {name.text for name in written if name.role in brings}
    return frozenset(in_file | in_edit | BUILTIN_NAMES[language])


def _used_before(old: Sequence[Name]) -> frozenset[str]:
    """Names that the old file used from elsewhere: a fix may bring back what was removed."""
    own = {name.text for name in old if name.role in (NameRole.DEFINITION, NameRole.IMPORT)}
    return frozenset(name.text for name in old if name.role is NameRole.REFERENCE) - own


def _go_packages(language: str, text: str) -> frozenset[str]:
    """Words of the import paths of Go, whose last one, or almost, is the package's name."""
    if language != "go":
        return frozenset()
    paths = (match[1] or match[2] for match in _GO_IMPORT.finditer(text))
    return frozenset(word for path in paths for word in re.findall(r"\w+", path))


def _may_be_unseen(language: str, name: Name) -> bool:
    text = name.text.lstrip("$@")
    if language in _FUNCTIONS_UNSEEN and name.is_called:
        return True
    is_type_like = text[:1].isupper() or text.endswith("_t")
    return language in _TYPES_UNSEEN | {"bash"} and is_type_like


def _imports_everything(language: str, text: str) -> bool:
    """Whether an import of the file brings names that it does not list."""
    words = {
        "python": ("import *",),
        "java": (".*;",),
        "kotlin": (".*\n",),
        "rust": ("::*",),
        "go": ("import . ", '\t. "'),
    }
    return any(word in text for word in words.get(language, ()))


KNOWN_NAMES = Constraint(
    name=_NAME,
    requirement="it uses only names that the file defines or imports, that the language has, or "
    "that it defines itself",
    check=_known_names,
)
