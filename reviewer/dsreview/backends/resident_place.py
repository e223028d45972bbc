"""Where the resident server of this user is found: one folder, one socket, one lock.

The folder belongs to the user alone (mode 0700), because some systems do not look at the
mode of a socket. A socket's path may be 103 bytes long on macOS, 107 on Linux; where the
usual folder is deeper, a short one in `/tmp` takes its place, named by a digest.
"""

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dsreview.cache import default_folder
from dsreview.errors import BackendError

MAX_SOCKET_PATH_BYTES: Final = 103
_SHORT_ROOT: Final = Path("/tmp")  # noqa: S108 - the folder below it is checked, see `prepare`
_DIGEST_LENGTH: Final = 8


class ServerUnusable(BackendError):
    """No server can be used here; a model can still be loaded without one."""


@dataclass(frozen=True, slots=True)
class Place:
    folder: Path
    """Holds the lock, the log and the token."""
    socket: Path

    @property
    def lock(self) -> Path:
        """Locked as long as a server runs; holds the number of its process."""
        return self.folder / "lock"

    @property
    def log(self) -> Path:
        return self.folder / "log"

    @property
    def token(self) -> Path:
        """What clients of the HTTP address must show."""
        return self.folder / "token"

    def prepare(self) -> None:
        """Make the folders, for this user alone.

        Raises:
            ServerUnusable: they cannot be made, or somebody else can get in.
        """
        for folder in {self.folder: None, self.socket.parent: None}:
            try:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            except OSError as error:
                raise ServerUnusable(f"{folder}: {error.strerror}") from None
            _require_private(folder)

    def is_occupied(self) -> bool:
        """Whether there is a socket, so that it is worth to ask who listens."""
        try:
            _require_private(self.socket.parent)
            return stat.S_ISSOCK(self.socket.lstat().st_mode)
        except (OSError, ServerUnusable):
            return False


def default_place() -> Place:
    """Below the cache folder, so that `DSREVIEW_CACHE_DIR` moves it as well."""
    return place_in(default_folder().absolute() / "server")


def place_in(folder: Path) -> Place:
    """
    >>> place_in(Path("/home/ann/.cache/dsreview/server")).socket
    PosixPath('/home/ann/.cache/dsreview/server/socket')
    """
    usual = folder / "socket"
    if len(os.fsencode(usual)) <= MAX_SOCKET_PATH_BYTES:
        return Place(folder, usual)
    digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:_DIGEST_LENGTH]
    return Place(folder, _SHORT_ROOT / f"dsreview-{os.getuid()}-{digest}" / "socket")


def _require_private(folder: Path) -> None:
    """Raises ServerUnusable where the folder is a link, another user's, or open to others."""
    try:
        status = folder.lstat()
    except OSError as error:
        raise ServerUnusable(f"{folder}: {error.strerror}") from None
    if not stat.S_ISDIR(status.st_mode):
        raise ServerUnusable(f"{folder}: is no folder")
    if status.st_uid != os.geteuid():
        raise ServerUnusable(f"{folder}: belongs to another user")
    if stat.S_IMODE(status.st_mode) & 0o077:
        raise ServerUnusable(f"{folder}: others can get in; chmod 700 it")
