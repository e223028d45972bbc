"""A repository's history as a stream: commits, and which files each one changed.

git's `-z` lists are read token by token. No text of a commit can be taken for the end of
one: how many tokens a commit has is known before they are read.
"""

import os
import re
import selectors
import subprocess
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass

from dsreview.errors import GitError
from dsreview.patch import FileKind, FileStatus, kind_of_mode
from dsreview.sources.clean_room import TIMEOUT_S, CleanRoom, first_line

MAX_TOKEN_BYTES = 16 << 20
"""Of one path or message; git itself takes any."""
MAX_MESSAGE_CHARS = 10_000
MAX_FILES = 10_000
"""Of one commit; the others of a larger one are not told."""
_PART_BYTES = 1 << 18
_FIELDS = "%H%x00%P%x00%ct%x00%B"
_OID = re.compile(rb"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_RAW = re.compile(rb"\n?:(\d{6}) (\d{6}) ([0-9a-f]+) ([0-9a-f]+) ([AMDTRCUX])\d*")
_STATUS = {
    b"A": FileStatus.ADDED,
    b"D": FileStatus.DELETED,
    b"M": FileStatus.MODIFIED,
    b"R": FileStatus.RENAMED,
    b"C": FileStatus.COPIED,
    b"T": FileStatus.TYPE_CHANGED,
}


@dataclass(frozen=True, slots=True)
class TouchedFile:
    """One file that a commit changed; ids are those of the contents."""

    path: str
    old_path: str
    status: FileStatus
    kind: FileKind
    old_id: str
    new_id: str


@dataclass(frozen=True, slots=True)
class LoggedCommit:
    """Text is as the author wrote it: never to be shown without being made safe."""

    id: str
    parents: tuple[str, ...]
    time_s: int
    """When it was committed, in seconds of the epoch; the committer's clock may lie."""
    message: str
    files: tuple[TouchedFile, ...]

    @property
    def subject(self) -> str:
        return self.message.partition("\n")[0].strip()


def read_commits(room: CleanRoom, head: str, max_commits: int) -> Iterator[LoggedCommit]:
    """The newest commits that `head` comes from, without merges, newest first.

    Raises:
        GitError: git failed, for example over a folder that is not here.
    """
    options = ("--no-merges", "--no-renames", f"--max-count={max_commits}")
    yield from _read_log(room, head, options, lambda _file: True)


def read_main_line(
    room: CleanRoom, head: str, max_commits: int, follows: Callable[[TouchedFile], bool]
) -> Iterator[LoggedCommit]:
    """What each first-parent commit up to `head` changed; oldest first.

    A file that moved without an edit is followed. To find others, git would compare contents:
    slow, and it fails where one is not here.

    Args:
        follows: whether a file is of interest; all others are left out.

    Raises:
        GitError: git failed.
    """
    options = (
        *("--first-parent", "--diff-merges=first-parent", "--reverse"),
        *("--find-renames=100%", f"--max-count={max_commits}"),
    )
    yield from _read_log(room, head, options, follows)


def _read_log(
    room: CleanRoom, head: str, options: Sequence[str], keeps: Callable[[TouchedFile], bool]
) -> Iterator[LoggedCommit]:
    arguments = (
        *("log", "-z", "--raw", "--no-abbrev", "--no-color", "--no-ext-diff", "--no-textconv"),
        *("--no-notes", "--no-mailmap", "--no-show-signature", "--encoding=UTF-8"),
        *(*options, f"--format=tformat:{_FIELDS}", "--end-of-options", head, "--"),
    )
    with _running(room, arguments) as process, closing(_tokens(process)) as tokens:
        yield from _commits(tokens, keeps)


@contextmanager
def _running(room: CleanRoom, arguments: Sequence[str]) -> "Iterator[subprocess.Popen[bytes]]":
    """Raises GitError where git ended badly; one that nobody reads to its end is killed."""
    process = room.start(*arguments, has_input=False)
    is_read = False
    try:
        yield process
        is_read = True
    finally:
        if not is_read:
            process.kill()
        _, complaint = process.communicate()
    if process.returncode != 0:
        raise GitError(f"git {arguments[0]}: {first_line(complaint)}")


def _tokens(process: "subprocess.Popen[bytes]") -> Generator[bytes]:
    """What git writes, split at NUL."""
    rest = b""
    for part in _parts(process):
        *whole, rest = (rest + part).split(b"\0")
        yield from whole
        if len(rest) > MAX_TOKEN_BYTES:
            raise GitError(f"git log: a name or message of more than {MAX_TOKEN_BYTES >> 20} MB")
    if rest.strip():
        yield rest


def _parts(process: "subprocess.Popen[bytes]") -> Iterator[bytes]:
    assert process.stdout is not None
    assert process.stderr is not None
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            if not selector.select(TIMEOUT_S):
                raise GitError(f"git log wrote nothing for {TIMEOUT_S:.0f} s")
            part = os.read(process.stdout.fileno(), _PART_BYTES)
            if not part:
                return
            yield part


def _commits(
    tokens: Iterator[bytes], keeps: Callable[[TouchedFile], bool]
) -> Iterator[LoggedCommit]:
    token = next(tokens, None)
    while token is not None:
        if _OID.fullmatch(token) is None:
            raise GitError("git log wrote a list that cannot be read")
        parents, when, message = (_next(tokens) for _ in range(3))
        files: list[TouchedFile] = []
        name = token.decode()
        token = next(tokens, None)
        while token is not None and (match := _RAW.fullmatch(token)):
            file = _touched(match, tokens)
            if len(files) < MAX_FILES and keeps(file):
                files.append(file)
            token = next(tokens, None)
        yield LoggedCommit(
            name,
            tuple(parents.decode().split()),
            int(when or b"0"),
            message[: 4 * MAX_MESSAGE_CHARS].decode("utf-8", "replace")[:MAX_MESSAGE_CHARS],
            tuple(files),
        )


def _touched(match: re.Match[bytes], tokens: Iterator[bytes]) -> TouchedFile:
    old_mode, new_mode, old_id, new_id, letter = match.groups()
    old_path = path = _next(tokens)
    if letter in b"RC":
        path = _next(tokens)
    kinds = {kind_of_mode(int(mode, 8)) for mode in (old_mode, new_mode)} - {FileKind.ABSENT}
    return TouchedFile(
        path.decode("utf-8", "surrogateescape"),
        old_path.decode("utf-8", "surrogateescape"),
        _STATUS.get(letter, FileStatus.TYPE_CHANGED),
        kinds.pop() if len(kinds) == 1 else FileKind.SYMLINK,
        old_id.decode(),
        new_id.decode(),
    )


def _next(tokens: Iterator[bytes]) -> bytes:
    token = next(tokens, None)
    if token is None:
        raise GitError("git log ended inside a commit")
    return token
