"""Rules in ast-grep's own YAML; what is ours stands under `metadata.dsreview`.

One file holds one rule or several (YAML documents). ast-grep reads the same file: it
keeps `metadata` as it is. Of a rule without our part, ast-grep's severity decides.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec

from dsreview.errors import RuleError
from dsreview.finding import Severity


@dataclass(frozen=True, slots=True)
class Rule:
    id: str
    languages: tuple[str, ...]
    """Names of `languages.LANGUAGES` whose files it is tried on."""
    severity: Severity | None
    """None: switched off."""
    message: str
    scenario: str
    confidence: float
    config: bytes
    """What ast-grep matches by, as JSON: rule, constraints, utils, transform."""
    labels: tuple[str, ...] = ()
    """Meta-variables with a primary label: the lines that the rule is about. Without
    any, it is about the first line of the match."""
    filters: tuple[str, ...] = ()
    """Names in `rule_filters.FILTERS`; a match counts where all of them agree."""
    finder: str = ""
    """Name in `rule_filters.FINDERS`: what in the match to report; empty for the match."""
    fix: str | None = None
    """ast-grep's template, where the rule says that it is safe."""
    files: tuple[str, ...] = ()
    ignores: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class InvalidCase:
    """Code that the rule must find."""

    code: str
    lines: tuple[int, ...]
    """First line of each finding, in order."""
    fixed: str | None = None
    """The code after all suggestions."""


@dataclass(frozen=True, slots=True)
class Cases:
    rule: Rule
    valid: tuple[str, ...]
    invalid: tuple[InvalidCase, ...]


class _Extras(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`metadata.dsreview`."""

    severity: str | None = None
    scenario: str | None = None
    confidence: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.9
    languages: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()
    finder: str = ""
    safe_fix: bool = False
    valid: tuple[str, ...] = ()
    invalid: tuple[InvalidCase, ...] = ()


class _Metadata(msgspec.Struct, frozen=True):
    dsreview: _Extras = _Extras()


class _Label(msgspec.Struct, frozen=True):
    style: str = "secondary"


class _Document(msgspec.Struct, frozen=True):
    """One rule as ast-grep defines it; keys that only print are not read."""

    id: str
    language: str
    rule: dict[str, Any]
    constraints: dict[str, Any] | None = None
    utils: dict[str, Any] | None = None
    transform: dict[str, Any] | None = None
    severity: str = "hint"
    message: str = ""
    note: str | None = None
    fix: Any = None
    labels: dict[str, _Label] | None = None
    files: tuple[Any, ...] | None = None
    ignores: tuple[Any, ...] | None = None
    metadata: _Metadata | None = None


SEVERITIES: dict[str, Severity | None] = {
    "error": Severity.HIGH,
    "warning": Severity.MEDIUM,
    "info": Severity.LOW,
    "hint": Severity.LOW,
    "off": None,
}
"""What ast-grep's severities mean here."""

ALIASES = {
    "bash": ("bash",),
    "c": ("c",),
    "c_sharp": ("cs", "csharp"),
    "cpp": ("cc", "c++", "cpp", "cxx"),
    "go": ("go", "golang"),
    "java": ("java",),
    "javascript": ("javascript", "js", "jsx"),
    "kotlin": ("kotlin", "kt"),
    "php": ("php",),
    "python": ("py", "python"),
    "ruby": ("rb", "ruby"),
    "rust": ("rs", "rust"),
    "swift": ("swift",),
    "tsx": ("tsx",),
    "typescript": ("ts", "typescript"),
}
"""Our names of languages, and ast-grep's in lower case."""

UNREAD_LANGUAGES = frozenset(
    [
        "css",
        "elixir",
        "ex",
        "haskell",
        "hs",
        "hcl",
        "html",
        "json",
        "lua",
        "nix",
        "scala",
        "solidity",
        "sol",
        "yaml",
        "yml",
    ]
)
"""Languages that ast-grep knows and that are not reviewed here: such a rule rests."""


def read_rules(source: bytes, name: str) -> tuple[Rule, ...]:
    """The rules of one file.

    Runs in the sandbox for a file of the reviewed repository: libyaml overflows its
    stack on some 60,000 nested brackets.

    Raises:
        RuleError: no YAML, or a key that is missing, unknown or of the wrong type;
            names the file (`name`) and the key.
    """
    return tuple(_rule(document, name) for document in _documents(source, name))


def read_cases(source: bytes, name: str) -> tuple[Cases, ...]:
    """The rules of one file with the cases that they carry. Raises RuleError."""
    cases: list[Cases] = []
    for document in _documents(source, name):
        extras = _extras(document)
        cases.append(Cases(_rule(document, name), extras.valid, extras.invalid))
    return tuple(cases)


def _documents(source: bytes, name: str) -> Iterator[_Document]:
    import yaml  # slow to import, and seldom needed

    try:
        documents = list(yaml.load_all(source, getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise RuleError(f"{name}: not YAML: {' '.join(str(error).split())}") from error
    for document in documents:
        if document is None:  # an empty one, behind a last `---`
            continue
        try:
            yield msgspec.convert(document, _Document)
        except msgspec.ValidationError as error:
            raise RuleError(f"{name}: {error}") from error


def _extras(document: _Document) -> _Extras:
    return document.metadata.dsreview if document.metadata else _Extras()


def _rule(document: _Document, name: str) -> Rule:
    extras = _extras(document)
    matched_by = {
        key: value
        for key in ("rule", "constraints", "utils", "transform")
        if (value := getattr(document, key)) is not None
    }
    labels = document.labels or {}
    return Rule(
        id=document.id,
        languages=_languages(document, extras, name),
        severity=_severity(document, extras, name),
        message=" ".join(document.message.split()) or document.id,
        scenario=" ".join((extras.scenario or document.note or document.message).split()),
        confidence=extras.confidence,
        config=json.dumps(matched_by, default=str).encode(),
        labels=tuple(key for key, label in labels.items() if label.style == "primary"),
        filters=extras.filters,
        finder=extras.finder,
        fix=document.fix if extras.safe_fix and isinstance(document.fix, str) else None,
        files=tuple(_glob(entry) for entry in document.files or ()),
        ignores=tuple(_glob(entry) for entry in document.ignores or ()),
    )


def _languages(document: _Document, extras: _Extras, name: str) -> tuple[str, ...]:
    known = ", ".join(ALIASES)
    for language in extras.languages:
        if language not in ALIASES:
            raise RuleError(f"{name}: metadata.dsreview.languages: {language!r}; known are {known}")
    if extras.languages:
        return extras.languages
    alias = document.language.lower()
    named = tuple(language for language, aliases in ALIASES.items() if alias in aliases)
    if not named and alias not in UNREAD_LANGUAGES:
        raise RuleError(f"{name}: language: {document.language!r}; known are {known}")
    return named


def _severity(document: _Document, extras: _Extras, name: str) -> Severity | None:
    if document.severity not in SEVERITIES:
        raise RuleError(f"{name}: severity: {document.severity!r}; use {', '.join(SEVERITIES)}")
    if document.severity == "off" or extras.severity is None:
        return SEVERITIES[document.severity]
    try:
        return Severity.of(extras.severity)
    except KeyError:
        labels = ", ".join(severity.label for severity in Severity)
        raise RuleError(
            f"{name}: metadata.dsreview.severity: {extras.severity!r}; use {labels}"
        ) from None


def _glob(entry: object) -> str:
    """ast-grep writes a glob as text, or as a mapping with more to say of it."""
    if isinstance(entry, dict):
        return str(entry.get("glob", ""))
    return str(entry)
