"""Reads, writes and removes hooks in a repository's own hooks folder, whole or not at all.

No symbolic link is followed: neither the folder nor a hook may be one.
"""

import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.resources import files
from pathlib import Path

import dsreview
from dsreview.durable import flush
from dsreview.errors import GitError, UsageError
from dsreview.githook.installation import FoundHook, Program, Stage

MAX_BYTES = 1 << 20
"""A larger hook is not read: no script of ours is."""
_MODE = 0o755
_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_WRITE_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def read_hook(folder: Path, name: str) -> FoundHook | None:
    """What stands there under the name of a stage; None for nothing.

    Raises:
        GitError: it is there and cannot be read.
    """
    path = folder / name
    try:
        status = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    can_run = os.access(path, os.X_OK)
    if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_BYTES:
        return FoundHook(None, can_run)
    try:
        with os.fdopen(os.open(path, _READ_FLAGS), "rb") as file:
            return FoundHook(file.read(), can_run)
    except OSError as error:
        raise GitError(f"{path}: {error.strerror}") from None


def write_hook(folder: Path, stage: Stage, content: bytes) -> None:
    """Puts a file in the place of a missing hook or one of ours.

    Raises:
        UsageError: the folder cannot be written to.
    """
    temporary = f".{stage}.{os.getpid()}.dsreview"
    with _opened(folder) as fd:
        try:
            with os.fdopen(os.open(temporary, _WRITE_FLAGS, 0o600, dir_fd=fd), "wb") as file:
                file.write(content)
                file.flush()
                os.fchmod(file.fileno(), _MODE)
                flush(file.fileno())
            os.rename(temporary, stage, src_dir_fd=fd, dst_dir_fd=fd)
        finally:
            with suppress(FileNotFoundError):
                os.unlink(temporary, dir_fd=fd)


def remove_hook(folder: Path, stage: Stage) -> None:
    """Raises UsageError where the folder cannot be written to."""
    with _opened(folder) as fd:
        os.unlink(stage, dir_fd=fd)


def template(stage: Stage) -> bytes:
    return files("dsreview.hooks").joinpath(f"{stage}.sh").read_bytes()


def this_program() -> Program:
    """The interpreter that runs now, and the dsreview that it runs.

    Raises:
        UsageError: no script could name them.
    """
    package = Path(dsreview.__file__).absolute().with_name("__main__.py")
    program = Program(os.fsencode(sys.executable or ""), os.fsencode(package))
    if not can_run(program) or b"\n" in program.python + program.package:
        raise UsageError(f"{sys.executable!r} and {str(package)!r} cannot be called from a script")
    return program


def can_run(program: Program) -> bool:
    """As the script itself looks."""
    return os.access(program.python, os.X_OK) and Path(os.fsdecode(program.package)).is_file()


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    """The folder, made where it is missing (a template without hooks)."""
    try:
        folder.mkdir(exist_ok=True)
        fd = os.open(folder, _FOLDER_FLAGS)
        try:
            yield fd
        finally:
            os.close(fd)
    except OSError as error:
        raise UsageError(f"{folder}: {error.strerror}") from None
