"""True fixes from the history of repositories: commits that say so and change one file."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from broken_fixes.cases import Case, case_of
from dsreview import languages

_MAX_BYTES = 60_000
_MARK = "\x01"


@dataclass(frozen=True, slots=True)
class _Commit:
    id: str
    parent: str
    path: str
    old_blob: str
    new_blob: str


class Blobs:
    """Contents of a git directory, which is read and never opened as a work tree."""

    def __init__(self, git_dir: Path) -> None:
        self._git = subprocess.Popen(
            ["git", f"--git-dir={git_dir}", "cat-file", "--batch"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )

    def read(self, blob: str) -> bytes | None:
        assert self._git.stdin is not None
        assert self._git.stdout is not None
        self._git.stdin.write(blob.encode() + b"\n")
        header = b""
        while not header.endswith(b"\n"):
            header += self._git.stdout.read(1)
        if header.endswith(b" missing\n"):
            return None
        left = int(header.split()[-1]) + 1
        content = bytearray()
        while len(content) < left:
            content += self._git.stdout.read(left - len(content))
        return bytes(content[:-1])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._git.communicate()


def of_history(git_dir: Path, label: str) -> Iterator[Case]:
    """Fixes of one file in one place, newest first."""
    with Blobs(git_dir) as blobs:
        for commit in _single_file_fixes(git_dir):
            old, new = (_text(blobs.read(blob)) for blob in (commit.old_blob, commit.new_blob))
            if not old or not new:
                continue
            first_line = old.split("\n", 1)[0]
            language = languages.detect(commit.path, first_line, old.encode())
            if language is None:
                continue
            name = f"{label}-{commit.id[:12]}"
            place = (git_dir, commit.parent)
            case = case_of(name, language.name, commit.path, (old, new), label, place)
            if case is not None:
                yield case


def _text(content: bytes | None) -> str | None:
    if content is None or len(content) > _MAX_BYTES:
        return None
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None


def _single_file_fixes(git_dir: Path) -> Iterator[_Commit]:
    command = ["git", f"--git-dir={git_dir}", "-c", "log.showSignature=false", "log"]
    command += ["--no-merges", "-i", "--grep=^[^ ]*fix", "--grep= fix", "--raw", "--abbrev=40"]
    command += ["--no-renames", f"--format={_MARK}%H %P", "HEAD"]
    output = subprocess.run(command, capture_output=True, check=True).stdout
    for record in output.decode("utf-8", "replace").split(_MARK)[1:]:
        head, *rows = [row for row in record.split("\n") if row]
        ids = head.split()
        if len(ids) != 2 or len(rows) != 1:
            continue
        facts, _, path = rows[0].partition("\t")
        _, mode, old_blob, new_blob, status = facts.split()
        if status == "M" and mode in ("100644", "100755"):
            yield _Commit(ids[0], ids[1], path, old_blob, new_blob)
