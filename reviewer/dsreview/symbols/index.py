"""Where names are defined and used in one side of a change.

An index is built for the names that matter: the files of the snapshot that contain one
of them as a word are found by a search of bytes, only those are parsed, and their facts
are cached by content. What a limit left out is listed in `SymbolIndex.gaps`, so that
"nothing found" is never taken for "nothing there".
"""

import hashlib
import posixpath
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import metadata
from typing import Generic, TypeVar

import msgspec

from dsreview import __version__, languages
from dsreview.cache import Cache
from dsreview.change import Snapshot
from dsreview.errors import TaskFailed
from dsreview.sandbox import Sandbox
from dsreview.symbols.facts import Definition, FileSymbols, Reference
from dsreview.symbols.tasks import READ_SYMBOLS, VISITORS, SymbolsRequest

FACTS_VERSION = 5
"""Part of the cache key: raise it when the facts of an unchanged file change."""

MIN_CACHED_BYTES = 4_000
"""Smaller files are parsed again in less time than a cache entry takes."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class IndexLimits:
    max_names: int = 5000
    max_file_bytes: int = 600_000
    """Larger files that contain a name are not parsed."""
    max_files: int = 300
    max_parsed_bytes: int = 2_000_000
    max_searched_bytes: int = 200_000_000


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that the index lacks."""

    path: str
    """The file, or an empty text where it concerns more than one."""
    reason: str


@dataclass(frozen=True, slots=True)
class Site(Generic[T]):
    """A fact and the file that it stands in."""

    path: str
    fact: T


@dataclass(frozen=True, slots=True)
class SymbolIndex:
    """Facts of every file that contains one of `names`, in `LANGUAGES` only."""

    names: frozenset[str]
    files: Mapping[str, FileSymbols]
    gaps: tuple[Gap, ...] = ()

    @property
    def is_complete(self) -> bool:
        """False where a limit, or a file that could not be parsed, left something out."""
        return not self.gaps

    def definitions(self, name: str) -> tuple[Site[Definition], ...]:
        """Functions, methods, classes, types and top-level variables called `name`."""
        return tuple(
            Site(path, fact)
            for path, facts in self.files.items()
            for fact in facts.definitions
            if fact.name == name
        )

    def references(self, name: str) -> tuple[Site[Reference], ...]:
        """Uses of `name`, plain or behind a dot; imports of it are not among them."""
        return tuple(
            Site(path, fact)
            for path, facts in self.files.items()
            for fact in facts.references
            if fact.name == name
        )

    def is_defined(self, name: str) -> bool:
        """True where any file defines, binds or imports `name` in any scope."""
        return any(
            binding.name == name for facts in self.files.values() for binding in facts.bindings
        ) or bool(self.definitions(name))


LANGUAGES = frozenset(VISITORS)
"""Names of the languages whose symbols are read."""


@dataclass(slots=True)
class FactReader:
    """Facts of files, each content parsed at most once in a run."""

    sandbox: Sandbox
    cache: Cache | None
    _known: dict[tuple[str, bytes], FileSymbols] = field(default_factory=dict)
    _parsers: dict[str, str] = field(default_factory=dict)
    """By language, the versions of what parses it."""

    def read(self, language: str, source: bytes, identity: str | None) -> FileSymbols:
        """Where `identity` is None the facts are kept out of the cache.

        It names no entry: what a repository says about its own content may be forged.

        Raises:
            TaskFailed: the source could not be parsed within the sandbox's limits.
        """
        known = self._known.get((language, source))
        if known is None:
            known = self._read_cached(language, source, identity)
            self._known[language, source] = known
        return known

    def has_read(self, language: str, source: bytes) -> bool:
        return (language, source) in self._known

    def _read_cached(self, language: str, source: bytes, identity: str | None) -> FileSymbols:
        request = SymbolsRequest(language, source)
        if self.cache is None or identity is None or len(source) < MIN_CACHED_BYTES:
            return self.sandbox.call(READ_SYMBOLS, request)
        key = self._key(language, source)
        entry = self.cache.get(key)
        if entry is not None:
            try:
                return msgspec.msgpack.decode(entry, type=FileSymbols)
            except msgspec.DecodeError:
                pass  # written by another version that forgot to say so: parse again
        facts = self.sandbox.call(READ_SYMBOLS, request)
        self.cache.put(key, msgspec.msgpack.encode(facts))
        return facts

    def _key(self, language: str, source: bytes) -> str:
        if language not in self._parsers:
            self._parsers[language] = _parser_of(language)
        digest = hashlib.sha256(source).hexdigest()
        return f"symbols:{__version__}:{FACTS_VERSION}:{self._parsers[language]}:{digest}"


def _parser_of(language: str) -> str:
    """
    >>> _parser_of("go").split("=")[0]
    'go:tree_sitter'
    """
    wheel = languages.by_name(language).grammar.partition(":")[0]
    rows = [f"{name}={metadata.version(name)}" for name in ("tree_sitter", wheel)]
    return ":".join((language, *rows))


def build_index(
    snapshot: Snapshot,
    names: Iterable[str],
    reader: FactReader,
    limits: IndexLimits = IndexLimits(),
    near: Collection[str] = (),
    is_over: Callable[[], bool] | None = None,
) -> SymbolIndex:
    """The index of `snapshot` for `names`; reads nothing where there are none.

    Files beside the paths `near` are read first, so that a limit leaves out others.
    `is_over` is asked before each file; where it says so, the rest is left out.
    """
    wanted = sorted({name for name in names if name})
    gaps: list[Gap] = []
    if len(wanted) > limits.max_names:
        gaps.append(Gap("", f"{len(wanted)} names to look up, {limits.max_names} looked up"))
        wanted = wanted[: limits.max_names]
    words = frozenset(name.encode("utf-8", "surrogateescape") for name in wanted)
    files: dict[str, FileSymbols] = {}
    num_files = num_bytes = 0
    paths = _while_time(_in_order(snapshot, near), is_over, gaps)
    for path, source in _containing(snapshot, paths, words, limits, gaps):
        language = languages.detect(path)
        if language is None or language.name not in LANGUAGES:
            continue
        if not reader.has_read(language.name, source):
            num_files, num_bytes = num_files + 1, num_bytes + len(source)
        if num_files > limits.max_files or num_bytes > limits.max_parsed_bytes:
            gaps.append(Gap("", f"only {len(files)} of the files that use changed names were read"))
            break
        try:
            files[path] = reader.read(language.name, source, snapshot.identity(path))
        except TaskFailed as error:
            gaps.append(Gap(path, str(error)))
    return SymbolIndex(frozenset(wanted), files, tuple(gaps))


def _while_time(
    paths: Iterable[str], is_over: Callable[[], bool] | None, gaps: list[Gap]
) -> Iterator[str]:
    for path in paths:
        if is_over is not None and is_over():
            gaps.append(Gap("", "the time budget was used up"))
            return
        yield path


def _in_order(snapshot: Snapshot, near: Collection[str]) -> list[str]:
    folders = {posixpath.dirname(path) for path in near}
    return sorted(
        snapshot.paths(),
        key=lambda path: (_is_foreign(path), posixpath.dirname(path) not in folders, path),
    )


def _containing(
    snapshot: Snapshot,
    paths: Iterable[str],
    words: frozenset[bytes],
    limits: IndexLimits,
    gaps: list[Gap],
) -> Iterator[tuple[str, bytes]]:
    """Path and content of each file, of a known language, that has one of the words."""
    if not words:
        return
    num_searched = 0
    for path in paths:
        if _INSTALLED.search(path):
            continue
        language = languages.detect(path)
        if language is None or language.name not in LANGUAGES:
            continue
        size = snapshot.size_bytes(path) or 0
        if num_searched + size > limits.max_searched_bytes:
            gaps.append(Gap(path, f"searched {num_searched} bytes of other files and stopped"))
            return
        num_searched += size
        source = snapshot.read(path)
        if source is None or not _has_any_word(source, words) or _is_minified(source):
            continue
        if size > limits.max_file_bytes:
            gaps.append(Gap(path, f"larger than the {limits.max_file_bytes} bytes that are parsed"))
            continue
        yield path, source


_INSTALLED = re.compile(r"(?:^|/)(?:node_modules|\.yarn)/|[.-]min\.m?js$")
"""Not of this repository: what package managers and minifiers put there."""


def _is_foreign(path: str) -> bool:
    """What is seldom written by hand comes last, so that a limit meets it first."""
    folders = path.split("/")[:-1]
    return any(name in ("vendor", "third_party", "dist", "docs", "site") for name in folders)


def _is_minified(source: bytes) -> bool:
    """Lines of more than 500 bytes on average: written by a program for a program."""
    return len(source) > 500 * (source.count(b"\n") + 1)


def _has_any_word(source: bytes, words: frozenset[bytes]) -> bool:
    if len(words) > _FEW_WORDS:
        return not words.isdisjoint(_WORD.findall(source))
    return any(has_word(source, word) for word in words)


_FEW_WORDS = 20
"""Up to here one search per word is quicker than splitting the file into words."""

_WORD = re.compile(rb"[\w$\x80-\xff]+")


def has_word(source: bytes, word: bytes) -> bool:
    """Whether `word` stands in `source` with no letter, digit, `_` or `$` beside it."""
    start = source.find(word)
    while start >= 0:
        stop = start + len(word)
        before, after = source[start - 1 : start] if start else b"", source[stop : stop + 1]
        if not (_is_word_byte(before) or _is_word_byte(after)):
            return True
        start = source.find(word, start + 1)
    return False


def _is_word_byte(byte: bytes) -> bool:
    return byte.isalnum() or byte in (b"_", b"$") or byte >= b"\x80"
