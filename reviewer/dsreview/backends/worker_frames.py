"""What a worker and whoever started it say to each other: msgpack, its length in front.

A worker's frames are read by type and never unpickled: whatever a model makes it say is
at worst a frame that cannot be read.
"""

import socket
import struct
import threading
from contextlib import suppress
from typing import Any, Generic, TypeVar

import msgspec

from dsreview.backends.base import BackendSettings
from dsreview.prompt import Answer, Prompt, Sampling

T = TypeVar("T")

MAX_FRAME_BYTES = 256 << 20
HEADER = struct.Struct(">I")
"""Length of the frame that follows, in bytes."""


class Frame(msgspec.Struct, frozen=True, tag=True):
    """A struct and no dataclass: msgspec tells the frames of a union apart by their tags."""


class Open(Frame, frozen=True):
    """The first frame of all: which backend to load."""

    name: str
    settings: BackendSettings


class Count(Frame, frozen=True):
    call: int
    prompts: tuple[Prompt, ...]


class Complete(Frame, frozen=True):
    call: int
    prompts: tuple[Prompt, ...]
    sampling: Sampling
    is_streamed: bool = False
    """Whether answers are told while they are written."""


class Dismiss(Frame, frozen=True):
    """Nobody waits any more for the answers to these prompts of a call."""

    call: int
    indices: tuple[int, ...]


Request = Open | Count | Complete | Dismiss


class Opened(Frame, frozen=True):
    model: str
    device: str
    identity: str
    max_tokens: int
    counts_are_estimated: bool


class Counted(Frame, frozen=True):
    call: int
    tokens: tuple[int, ...]


class Answered(Frame, frozen=True):
    call: int
    index: int
    answer: Answer


class Wrote(Frame, frozen=True):
    """The next characters of an answer; `offset` were told before."""

    call: int
    index: int
    offset: int
    text: str


class Done(Frame, frozen=True):
    """Every prompt of the call has been answered."""

    call: int
    counts_are_estimated: bool


class Failed(Frame, frozen=True):
    """The call has ended without answers to the prompts that have none yet."""

    call: int
    problem: str
    is_too_long: bool = False
    is_last: bool = False
    """The process ends with it."""


Reply = Opened | Counted | Wrote | Answered | Done | Failed

OPENING = 0
"""The call that `Failed` names where the backend could not be opened; others count from 1."""


def framed(frame: Frame) -> bytes:
    """
    Raises:
        ValueError: text that is not Unicode, or too much of it.
    """
    body = msgspec.msgpack.encode(frame)
    if len(body) > MAX_FRAME_BYTES:
        raise ValueError(f"{len(body):,} bytes at once; {MAX_FRAME_BYTES:,} are taken")
    return HEADER.pack(len(body)) + body


class Channel(Generic[T]):
    """One end of the connection: any thread sends, one thread receives."""

    def __init__(self, connection: socket.socket, received: Any) -> None:
        """
        Args:
            received: the union of frames that come in here.
        """
        self._connection = connection
        self._decoder: msgspec.msgpack.Decoder[T] = msgspec.msgpack.Decoder(received)
        self._sending = threading.Lock()

    def send(self, frame: Frame) -> None:
        """
        Raises:
            ValueError: as `framed`.
            OSError: the other side is gone.
        """
        content = framed(frame)
        with self._sending:
            self._connection.sendall(content)

    def receive(self) -> T | None:
        """The next frame; None where the other side is gone or sends no frame."""
        try:
            header = self._exactly(HEADER.size)
            if len(header) < HEADER.size:
                return None
            (size,) = HEADER.unpack(header)
            body = self._exactly(size) if size <= MAX_FRAME_BYTES else b""
            return self._decoder.decode(body) if body else None
        except (OSError, msgspec.DecodeError):
            return None

    def shut_down(self) -> None:
        """End a `receive` that waits in another thread."""
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._connection.close()

    def _exactly(self, size: int) -> bytes:
        """Shorter where the stream ends."""
        received = bytearray()
        while len(received) < size:
            part = self._connection.recv(min(size - len(received), 1 << 20))
            if not part:
                break
            received += part
        return bytes(received)
