"""A blob stored in the repository without running git there."""

import os
import secrets
import stat
import zlib
from contextlib import suppress
from pathlib import Path

from dsreview.durable import flush, flush_folder, write_all
from dsreview.sources.objects import object_id
from dsreview.sources.repository import Repository

_READ_ONLY = 0o444
"""As git writes objects: they never change."""


def store_blob(repository: Repository, content: bytes) -> str:
    """The id of `content`, which is on the disk when this returns.

    Raises:
        OSError: it could not be written.
    """
    oid = object_id(repository.hash_name, "blob", content)
    folder = repository.objects / oid[:2]
    path = folder / oid[2:]
    if path.exists():
        return oid
    _make_folder(folder, like=repository.objects)
    temporary = folder / f"tmp_obj_{secrets.token_hex(6)}"
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _READ_ONLY)
    try:
        write_all(fd, zlib.compress(f"blob {len(content)}\0".encode() + content, 1))
        flush(fd)
        temporary.rename(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    finally:
        os.close(fd)
    flush_folder(folder)
    return oid


def _make_folder(folder: Path, like: Path) -> None:
    """With the mode of its parent: repositories may be shared by a group."""
    with suppress(FileExistsError):
        folder.mkdir()
        folder.chmod(stat.S_IMODE(like.stat().st_mode))
