"""The scripts that are installed as git hooks: how they are written and known again.

A script carries a marker line with a version and a digest of its other lines, so that
any later version can tell whether somebody changed it since.
"""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

VERSION = 2
"""Of the scripts in `hooks/`; raised when an installed one should be written again."""

_MARKER = re.compile(rb"# dsreview-hook (\d{1,9}) (\S+)")
_SLOT = re.compile(rb"@(PYTHON|PACKAGE)@")
_DIGEST_SLOT = b"@DIGEST@"
_MARKER_LINE = 1


class Stage(StrEnum):
    """When git calls a hook; the value is the name of the hook's file."""

    PRE_COMMIT = "pre-commit"
    PRE_MERGE_COMMIT = "pre-merge-commit"
    PRE_PUSH = "pre-push"


COMMIT_STAGES = (Stage.PRE_COMMIT, Stage.PRE_MERGE_COMMIT)
"""Installed where nothing else is asked for: all that ends in a commit by hand."""


@dataclass(frozen=True, slots=True)
class Program:
    """What a script runs: absolute paths."""

    python: bytes
    package: bytes
    """A file of dsreview that is there as long as dsreview is installed."""


@dataclass(frozen=True, slots=True)
class Marked:
    """A script of ours, as it was found."""

    version: int
    program: Program
    is_edited: bool
    """Somebody changed or added lines."""


@dataclass(frozen=True, slots=True)
class FoundHook:
    """What stands where a hook of ours would."""

    content: bytes | None
    """None for what is no regular file: a link, a folder."""
    is_executable: bool


class State(StrEnum):
    MISSING = "missing"
    INSTALLED = "installed"
    STALE = "stale"
    """Ours, but it cannot run, or an older version wrote it."""
    EDITED = "edited"
    """Ours, with lines that are not."""
    FOREIGN = "foreign"


def script(template: bytes, program: Program) -> bytes:
    """The file to install."""
    paths = {b"PYTHON": _quoted(program.python), b"PACKAGE": _quoted(program.package)}
    filled = _SLOT.sub(lambda slot: paths[slot.group(1)], template)
    return filled.replace(_DIGEST_SLOT, _digest(filled), 1)


def read_marked(content: bytes) -> Marked | None:
    """None for a file that dsreview did not write."""
    lines = content.split(b"\n")
    marker = _MARKER.match(lines[_MARKER_LINE]) if len(lines) > _MARKER_LINE else None
    if marker is None:
        return None
    return Marked(
        version=int(marker.group(1)),
        program=Program(_value(content, b"python"), _value(content, b"package")),
        is_edited=_digest(content) != marker.group(2),
    )


def state_of(found: FoundHook | None, can_run: Callable[[Program], bool]) -> State:
    if found is None:
        return State.MISSING
    marked = None if found.content is None else read_marked(found.content)
    if marked is None:
        return State.FOREIGN
    if marked.is_edited:
        return State.EDITED
    is_current = marked.version >= VERSION and found.is_executable and can_run(marked.program)
    return State.INSTALLED if is_current else State.STALE


def _digest(content: bytes) -> bytes:
    """Of every line but the marker."""
    lines = content.split(b"\n")
    rest = b"\n".join(lines[:_MARKER_LINE] + lines[_MARKER_LINE + 1 :])
    return hashlib.sha256(rest).hexdigest()[:16].encode()


def _quoted(path: bytes) -> bytes:
    """As it stands between the single quotes of a shell."""
    return path.replace(b"'", b"'\\''")


def _value(content: bytes, name: bytes) -> bytes:
    """What a script sets a variable to; empty where it does not."""
    found = re.search(rb"^" + name + rb"='((?:[^'\n]|'\\'')*)'$", content, re.MULTILINE)
    return found.group(1).replace(b"'\\''", b"'") if found else b""
