"""The items of a benchmark: changes of which it is known whether they bring a bug in.

A set is a JSONL file, an object a line, perhaps compressed (`.xz`, `.gz`). Keys that are not
fields of `Item` are passed over. A record with `clean: true` is benign, whatever its `kind`
says; one without `neutral` gets it from its diff. HumanEvalPack is read as it is published, too.
"""

import gzip
import hashlib
import lzma
import re
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import IO, Final, cast

import msgspec

from dsreview.benchmark.humanevalpack import is_published_record, set_record
from dsreview.durable import replace_durably
from dsreview.errors import UsageError
from dsreview.line_diff import diff_hunks
from dsreview.patch import LineKind

SUFFIXES = (".jsonl", ".jsonl.xz", ".jsonl.gz")


class Kind(StrEnum):
    """How the bug differs from the code without it."""

    REPLACE = "replace"
    MISSING = "missing"
    """The change only takes lines away."""
    EXTRA = "extra"
    """The change only adds lines."""
    MIXED = "mixed"
    BENIGN = "benign"
    """The change brings no bug in."""


@dataclass(frozen=True, slots=True)
class FixEdit:
    """Put `fix` in the place of the lines `start` to `end` of the buggy text, both inclusive.

    `end == start - 1` inserts before `start`.
    """

    start: int
    end: int
    fix: str
    kind: str = ""
    cosmetic: bool = False
    """It changes comments or white space alone."""


@dataclass(frozen=True, slots=True)
class Item:
    """One change of one file, from `before_text` to `after_text`; field names as in the file."""

    id: str
    language: str
    """A name of `languages.LANGUAGES`, or any other: figures are grouped by it."""
    path: str
    before_text: str
    after_text: str
    kind: Kind
    neutral: bool
    """As many lines added as removed, and no comment touched: the diff's shape tells nothing."""
    bug_lines: tuple[int, ...] = ()
    """Lines of `after_text`; of code that is missing, the lines before and behind the gap."""
    edits: tuple[FixEdit, ...] = ()
    """What turns `after_text` back into `before_text`."""
    diff: str = ""
    source: str = ""
    """Where it was taken from: a benchmark, or a repository."""
    licence: str = ""
    clean: bool = False
    description: str = ""
    project: str = ""
    date: str = ""
    buggy_commit: str = ""
    fix_commit: str = ""
    test: str = ""
    """Code that fails on `after_text` and passes on `before_text`, where there is such."""
    test_setup: str = ""
    imports: str = ""
    entry_point: str = ""

    def __post_init__(self) -> None:
        if not self.id or not self.id.isprintable():
            raise ValueError("id is empty or not printable")
        parts = PurePosixPath(self.path).parts
        if not parts or self.path.startswith("/") or ".." in parts or not self.path.isprintable():
            raise ValueError(f"path {self.path!r} is not relative to a repository")
        if self.before_text == self.after_text:
            raise ValueError("before_text and after_text are the same")
        if self.clean != (self.kind is Kind.BENIGN):
            raise ValueError(f"kind {self.kind} and clean {self.clean} contradict each other")
        if self.clean and self.bug_lines:
            raise ValueError("a clean record has bug_lines")
        if not self.clean and not self.bug_lines:
            raise ValueError("neither bug_lines nor clean: true")
        if any(line < 1 for line in self.bug_lines):
            raise ValueError("bug_lines count from 1")

    @property
    def is_bug(self) -> bool:
        """Whether the change from before to after brings a bug in."""
        return not self.clean


def read_items(path: Path) -> Iterator[Item]:
    """The items of a set, in its order.

    Raises:
        UsageError: the file cannot be read, or a line of it is no item, or has the name of
            another one.
    """
    seen: set[str] = set()
    try:
        with closing(_opened(path)) as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield _item(line, f"{path}:{number}", seen)
    except (OSError, EOFError, lzma.LZMAError) as error:
        raise UsageError(f"{path}: {getattr(error, 'strerror', None) or error}") from None


def write_items(path: Path, items: Iterable[Item]) -> int:
    """Write a set; how many there are. After a crash there is the old file or the new one.

    Raises:
        UsageError: the file has another suffix than a set, or cannot be written.
        UnicodeEncodeError: a text is not Unicode (lone surrogates).
    """
    if not path.name.endswith(SUFFIXES):
        raise UsageError(f"{path}: a set ends in {', '.join(SUFFIXES)}")
    lines = [msgspec.json.encode(item) + b"\n" for item in items]
    content = b"".join(lines)
    if path.suffix == ".xz":
        content = lzma.compress(content)
    elif path.suffix == ".gz":
        content = gzip.compress(content, mtime=0)
    try:
        replace_durably(path, content)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from None
    return len(lines)


def digest(items: Iterable[Item]) -> str:
    """sha256 of what the items are, however their file is compressed or ordered by key."""
    total = hashlib.sha256()
    for item in items:
        total.update(msgspec.json.encode(item) + b"\n")
    return total.hexdigest()


_HASH_LANGUAGES: Final = frozenset({"python", "ruby", "bash"})
_HASH_COMMENT: Final = re.compile(r"#.*|\"\"\".*|'''.*")
_SLASH_COMMENT: Final = re.compile(r"//.*|/\*.*|\*/.*|^\s*\*(\s.*)?$")


def is_neutral(item: Item) -> bool:
    """Whether as many lines are added as removed, no comment is touched, no edit is cosmetic.

    Comments are told by their marks, which strings may hold as well: such an item is taken for
    one that touches a comment.
    """
    lines = [line for hunk in diff_hunks(item.before_text, item.after_text) for line in hunk.lines]
    sides = [
        [line.text for line in lines if line.kind is kind]
        for kind in (LineKind.ADDED, LineKind.REMOVED)
    ]
    mark = _HASH_COMMENT if item.language in _HASH_LANGUAGES else _SLASH_COMMENT
    comments = [
        [found[0] for text in side if (found := mark.search(text)) is not None] for side in sides
    ]
    is_balanced = len(sides[0]) == len(sides[1]) and comments[0] == comments[1]
    return is_balanced and not any(edit.cosmetic for edit in item.edits)


def reversed_item(item: Item) -> Item:
    """The change back: of a bug, its own fix, which is benign."""
    return replace(
        item,
        before_text=item.after_text,
        after_text=item.before_text,
        bug_lines=(),
        edits=(),
        kind=Kind.BENIGN,
        clean=True,
        diff="",
    )


def _item(line: bytes, where: str, seen: set[str]) -> Item:
    try:
        values = msgspec.json.decode(line, type=dict[str, object])
        if is_published_record(values):
            values = set_record(values)
        values["clean"] = values.get("clean", False) or values.get("kind") == Kind.BENIGN
        if values["clean"]:
            values["kind"] = Kind.BENIGN
        if values.get("neutral") is None:
            values["neutral"] = False
            item = msgspec.convert(values, Item)
            item = replace(item, neutral=is_neutral(item))
        else:
            item = msgspec.convert(values, Item)
        if item.id in seen:
            raise ValueError(f"id {item.id} is there twice")
    except (ValueError, RecursionError) as error:  # of msgspec as well, and of what is no UTF-8
        raise UsageError(f"{where}: {error}") from None
    seen.add(item.id)
    return item


def _opened(path: Path) -> IO[bytes]:
    """Raises OSError; what is wrong inside shows where it is read."""
    if path.suffix == ".xz":
        return lzma.open(path, "rb")
    if path.suffix == ".gz":
        return cast(IO[bytes], gzip.open(path, "rb"))
    return path.open("rb")
