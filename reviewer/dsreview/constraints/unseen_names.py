"""Names that a file may use although no parser sees their definition, language by language."""

import re
from typing import Final

from dsreview.languages.names import Name

_TYPES_UNSEEN: Final = frozenset({"c", "cpp", "c_sharp", "swift", "ruby", "php", "bash"})
"""Languages in which types and constants arrive without being named in the file."""
_FUNCTIONS_UNSEEN: Final = frozenset({"c", "cpp", "swift", "ruby", "php", "bash", "kotlin"})
_BROWSER_TYPE: Final = re.compile(
    r"(?:HTML|SVG)\w*Element|[A-Z]\w*Event(?:Init|Target)?|[A-Z]\w*Init"
)
_GO_IMPORT: Final = re.compile(
    r"^import\s*(?:\(([^)]*)\)|((?:[\w.]+ +)?\"[^\"\n]*\"))", re.MULTILINE
)
_SCRIPT_NAMES: Final = re.compile(
    r"export\s+(?:type\s+)?\{([^}]*)\}\s*from"  # given on, never bound here
    r"|\[\s*(\w+)\s*(?::|\bin\b)"  # the parameter of an index signature, or of a mapped type
    r"|</([a-z]\w*)>|<([a-z]\w*)[^<>]*/>"  # an element of the host
)
_ARROW_PARAMETER: Final = re.compile(r"\b(\w+)\s*=>")
_PRINTS: Final = re.compile(
    r"\b(?:e?print(?:ln)?|format|write(?:ln)?|panic|vec|todo|matches|(?:debug_)?assert\w*)!"
)
"""Macros of Rust that take expressions."""
_EVERYTHING: Final = {
    "python": ("import *",),
    "java": (".*;",),
    "kotlin": (".*\n",),
    "rust": ("::*",),
    "go": ("import . ", '\t. "'),
}


def may_be_unseen(language: str, name: Name, row: str) -> bool:
    """Whether `name`, used in the line `row`, may be defined where no parser looks."""
    text = name.text.lstrip("$@")
    if language in _FUNCTIONS_UNSEEN and name.is_called:
        return True
    if language in _TYPES_UNSEEN and (text[:1].isupper() or text.endswith("_t")):
        return True
    word = re.escape(text)
    if language in ("c", "cpp"):  # `type *name`, `template<...>`, `space::name`, macros
        is_macro = text.startswith("__") or row.lstrip().startswith("#")
        shape = rf"\b{word}\b(?:\s*[*&]+\s*|\s+)\w|\b{word}<|::\s*{word}\b"
        return is_macro or re.search(shape, row) is not None
    if language in ("javascript", "typescript", "tsx"):
        return _BROWSER_TYPE.fullmatch(text) is not None
    if language == "php":  # only variables are always defined in the file
        return f"${text}" not in row
    if language == "rust":  # attributes, and what an unknown macro may give a name to
        is_given = re.search(rf"\b\w+!\s*[(\[{{]\s*{word}\b", row)
        return row.lstrip().startswith("#") or (is_given is not None and not _PRINTS.search(row))
    if language == "swift":  # attributes and members of an implied type
        return bool(row.lstrip().startswith("@") or re.search(rf"[@.]{word}\b", row))
    return False


def written_names(language: str, text: str) -> frozenset[str]:
    """Names that `text` brings in a way that the parser does not report."""
    if language == "go":  # of an import path, the last word or almost is the package's name
        found = [match[1] or match[2] for match in _GO_IMPORT.finditer(text)]
    elif language in ("javascript", "typescript", "tsx"):
        found = [match[match.lastindex or 0] for match in _SCRIPT_NAMES.finditer(text)]
    elif language == "c_sharp":
        found = _ARROW_PARAMETER.findall(text)
    else:
        found = []
    return frozenset(word for piece in found for word in re.findall(r"\w+", piece))


def imports_everything(path: str, language: str, text: str) -> bool:
    """Whether the file has names that it does not list: a wildcard, a build script."""
    is_script = path.endswith((".kts", ".gradle"))  # everything of an implied receiver
    return is_script or any(word in text for word in _EVERYTHING.get(language, ()))
