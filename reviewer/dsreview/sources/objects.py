"""Objects by id: reads them through one long-lived git, writes them itself.

Written objects go into the clean room, so that the reviewed repository stays as it
is. git's own writing commands would also touch the times of its packs.
"""

import hashlib
import selectors
import subprocess
import threading
import zlib
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import IO

from dsreview.errors import GitError
from dsreview.sources.clean_room import TIMEOUT_S, CleanRoom

MAX_BLOB_BYTES = 64 << 20
"""A larger one is not read: a few kilobytes of a pack can unfold to gigabytes."""


class ObjectStore:
    """Closed by the clean room."""

    def __init__(self, room: CleanRoom) -> None:
        self._room = room
        self._lock = threading.Lock()
        self._contents: subprocess.Popen[bytes] | None = None
        self._checks: subprocess.Popen[bytes] | None = None
        self.hash_name = room.repository.hash_name
        room.on_exit(self.close)

    def close(self) -> None:
        for process in (self._contents, self._checks):
            if process is not None:
                _end(process)

    def size_bytes(self, oid: str) -> int | None:
        """None where the object is not here (a partial clone)."""
        with self._lock:
            if self._checks is None:
                self._checks = self._start("--batch-check")
            return _ask(self._checks, oid)

    def blob(self, oid: str) -> bytes | None:
        """Content; None where the object is not here (a partial clone) or too large."""
        with self._lock:
            if self._contents is None:
                self._contents = self._start("--batch")
            size = _ask(self._contents, oid)
            if size is None:
                return None
            if size > MAX_BLOB_BYTES:
                _end(self._contents)  # it is already writing the content
                self._contents = None
                return None
            stdout = self._contents.stdout
            assert stdout is not None
            content = stdout.read(size + 1)
        if len(content) != size + 1:
            raise GitError(f"git cat-file ended inside object {oid}")
        return content[:-1]

    def _start(self, option: str) -> "subprocess.Popen[bytes]":
        process = self._room.start("cat-file", option)
        assert process.stderr is not None
        # nobody reads the complaints; unread ones would fill the pipe and stop git
        threading.Thread(target=process.stderr.read, daemon=True).start()
        return process

    def write(self, kind: str, content: bytes) -> str:
        """Stores an object in the room and names it."""
        return self.write_parts(kind, len(content), (content,))

    def write_parts(self, kind: str, size: int, parts: Iterable[bytes]) -> str:
        """Stores an object that need not fit in memory."""
        header = f"{kind} {size}\0".encode()
        digest = hashlib.new(self.hash_name, header, usedforsecurity=False)
        objects = self._room.git_dir / "objects"
        temporary = objects / f"tmp-{threading.get_ident()}"
        squeeze = zlib.compressobj(1)
        with temporary.open("wb") as file:
            file.write(squeeze.compress(header))
            for part in parts:
                digest.update(part)
                file.write(squeeze.compress(part))
            file.write(squeeze.flush())
        oid = digest.hexdigest()
        path: Path = objects / oid[:2] / oid[2:]
        path.parent.mkdir(exist_ok=True)
        temporary.rename(path)
        return oid


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with suppress(BrokenPipeError):
                stream.close()


def _ask(process: "subprocess.Popen[bytes]", oid: str) -> int | None:
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(f"{oid}\n".encode())
        process.stdin.flush()
        answer = _wait(process.stdout).readline().split()
    except BrokenPipeError:
        answer = []
    if len(answer) == 3:
        return int(answer[2])
    if answer[1:] == [b"missing"]:
        return None
    raise GitError(f"git cat-file ended when asked for object {oid}")


def _wait(stream: IO[bytes]) -> IO[bytes]:
    """A stream with something to read, or at its end.

    Raises:
        GitError: nothing came for long.
    """
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        if not selector.select(TIMEOUT_S):
            raise GitError(f"git cat-file took longer than {TIMEOUT_S:.0f} s")
    return stream


def object_id(hash_name: str, kind: str, content: bytes) -> str:
    """What git calls an object of this kind and content."""
    header = f"{kind} {len(content)}\0".encode()
    return hashlib.new(hash_name, header + content, usedforsecurity=False).hexdigest()
