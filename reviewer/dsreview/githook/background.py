"""A review that goes on when its hook has returned: in a process and a session of its own.

The job is a file that the process holds locked until its result is stored. A job that
nobody holds has died, and the next hook says so. Where a commit is tried again before its
job has had its turn, the newer one alone is done.
"""

import fcntl
import json
import os
import secrets
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import msgspec

from dsreview.errors import ReviewError
from dsreview.githook.events import without_git
from dsreview.githook.places import JOBS, hooks_folder, make_private
from dsreview.isolated import interpreter, search_path
from dsreview.sources import SourceRequest

MAX_S: Final = 1800
"""A job that takes longer ends without a result."""
_START: Final = (
    "import json, sys; sys.path += json.loads(sys.argv[2]);"
    " from dsreview.cli.hook_job import main; main(int(sys.argv[1]))"
)
_ONE_AT_A_TIME: Final = "one-at-a-time"


@dataclass(frozen=True, slots=True)
class Job:
    """What is left to review, with nothing that may have changed when it is."""

    event: str
    folder: Path
    """Of the results."""
    name: str
    """Of the repository, for people."""
    requests: tuple[SourceRequest, ...]
    flags: Mapping[str, Any]


def start(job: Job) -> None:
    """Have it done by a process that has nothing of the hook's: no pipe, no variable of git.

    Raises:
        ReviewError: it cannot be started.
    """
    path, fd = queued(job)
    try:
        subprocess.Popen(
            [*interpreter(), "-c", _START, str(fd), json.dumps(search_path())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env=without_git(),
            pass_fds=(fd,),
            start_new_session=True,
        )
    except OSError as error:
        with suppress(OSError):
            path.unlink()
        raise ReviewError(f"no process for the background: {error.strerror}") from None
    finally:
        os.close(fd)


def queued(job: Job) -> tuple[Path, int]:
    """Its file, open and locked; the lock goes with the file to the process that does the job.

    Raises:
        ReviewError: it cannot be written.
    """
    path = job.folder / JOBS / f"{time.time_ns():020d}-{secrets.token_hex(8)}.job"
    content = _encoded(path, job)
    try:
        make_private(path.parent)
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            with os.fdopen(os.dup(fd), "wb") as file:
                file.write(content)
        except OSError:
            os.close(fd)
            path.unlink()
            raise
    except OSError as error:
        raise ReviewError(f"{path}: {error.strerror}; nothing is reviewed") from None
    return path, fd


@contextmanager
def taken(fd: int) -> Iterator[tuple[Path, Job]]:
    """The job behind an open file; done with, and its file gone, where the block ends well."""
    with os.fdopen(fd, "rb") as file:
        file.seek(0)
        path, job = _decoded(file.read())
        yield path, job
        with suppress(OSError):
            path.unlink()


def is_superseded(path: Path, job: Job) -> bool:
    """A newer job reviews what has taken the place of this one's content, upon the same commit."""
    same = _without_content(job)
    for newer in sorted(path.parent.glob("*.job")):
        if newer.name <= path.name:
            continue
        with suppress(OSError, ValueError), newer.open("rb") as file:  # gone, or not yet whole
            if not _is_held(file.fileno()):
                continue
            if _without_content(_decoded(file.read())[1]) == same:
                return True
    return False


def _without_content(job: Job) -> Job:
    return replace(job, requests=tuple(replace(one, index=None) for one in job.requests))


@contextmanager
def alone() -> Iterator[None]:
    """One review at a time: two models at once need twice the memory."""
    make_private(hooks_folder())
    with (hooks_folder() / _ONE_AT_A_TIME).open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@dataclass(frozen=True, slots=True)
class JobCount:
    running: int
    died: int


def count_jobs(folder: Path) -> JobCount:
    """The jobs of a repository; those that died are forgotten with it."""
    running = died = 0
    for path in (folder / JOBS).glob("*.job"):
        try:
            with path.open("rb") as file:
                if _is_held(file.fileno()):
                    running += 1
                else:
                    path.unlink()
                    died += 1
        except OSError:  # it has just ended
            continue
    return JobCount(running, died)


def _is_held(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


def _encoded(path: Path, job: Job) -> bytes:
    # not msgspec's own: names of folders may hold bytes that are no UTF-8
    return json.dumps(msgspec.to_builtins((path, job), enc_hook=os.fspath)).encode("ascii")


def _decoded(content: bytes) -> tuple[Path, Job]:
    return msgspec.convert(json.loads(content), type=tuple[Path, Job], dec_hook=_path)


def _path(_kind: type, text: str) -> Path:
    return Path(text)
