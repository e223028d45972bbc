"""The sockets of the server, and the token of those who come over the network interface."""

import ipaddress
import os
import secrets
import socket
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

from dsreview.backends.resident_place import Place
from dsreview.errors import BackendError, UsageError
from dsreview.server.guard import HttpAccess

_BACKLOG: Final = 128
_TOKEN_BYTES: Final = 32
_MIN_TOKEN_LENGTH: Final = 20


def listen_for_reviews(place: Place) -> socket.socket:
    """The Unix socket. What a server that was killed left there is replaced.

    Raises:
        BackendError: it cannot be made.
    """
    with suppress(FileNotFoundError):
        place.socket.unlink()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(str(place.socket))
        place.socket.chmod(0o600)
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise BackendError(f"{place.socket}: {error.strerror or error}") from None
    return listener


def listen_for_http(address: str, place: Place) -> tuple[socket.socket, HttpAccess]:
    """
    Args:
        address: `HOST:PORT` of the loopback interface; port 0 takes a free one.

    Raises:
        UsageError: no such address, or one that others can reach.
        BackendError: it is taken, or the token cannot be kept.
    """
    host, port = parse_address(address)
    token = read_token(place.token)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise BackendError(f"--http {address}: {error.strerror or error}") from None
    return listener, HttpAccess(host, listener.getsockname()[1], token)


def parse_address(address: str) -> tuple[str, int]:
    """
    >>> parse_address("localhost:8080"), parse_address("[::1]:0")
    (('127.0.0.1', 8080), ('::1', 0))
    """
    host, _, port = address.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if host == "localhost":
        host = "127.0.0.1"
    try:
        is_loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    if not (is_loopback and port.isascii() and port.isdigit() and int(port) < 1 << 16):
        raise UsageError(
            f"--http {address}; use an address of this machine alone, such as 127.0.0.1:8911"
        )
    return host, int(port)


def read_token(path: Path) -> str:
    """The token in `path`, made if there is none.

    Raises:
        BackendError: it cannot be read, or others can read it.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _kept_token(path)
    except OSError as error:
        raise BackendError(f"{path}: {error.strerror}") from None
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    with os.fdopen(descriptor, "w") as file:
        file.write(f"{token}\n")
    return token


def _kept_token(path: Path) -> str:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        with os.fdopen(descriptor) as file:
            status = os.fstat(descriptor)
            token = file.read().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BackendError(f"{path}: {error}") from None
    if status.st_uid != os.geteuid() or stat.S_IMODE(status.st_mode) & 0o077:
        raise BackendError(f"{path}: others can read it; delete it, and a new one is made")
    if len(token) < _MIN_TOKEN_LENGTH or not (token.isascii() and token.isprintable()):
        raise BackendError(f"{path}: holds no token; delete it, and a new one is made")
    return token
