"""The child's side of the sandbox: a loop of one request, one reply.

Run by path in an isolated interpreter, so that nothing of the current folder can be
imported. The file descriptors of the pipes are moved away before any task runs: what a
task prints goes nowhere. It ends when the parent's end of the pipe is closed.
"""

import os
import signal
import struct
import sys

HEADER = struct.Struct(">I")
"""Length of the frame that follows, in bytes."""

SUCCEEDED = b"\x00"
FAILED = b"\x01"
"""First byte of a reply; behind it the encoded reply, or the reason as UTF-8."""

MAX_REASON_LENGTH = 200

MAPPED_BYTES = 256 << 20
"""Address space of the interpreter and its libraries, which takes no memory of its own."""


def main() -> None:
    memory_bytes, cpu_s, wall_s = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    requests, replies = _private_pipes()
    _limit_resources(memory_bytes)
    search_path = _read_frame(requests)
    if search_path is None:
        return
    sys.path.extend(os.fsdecode(entry) for entry in search_path.split(b"\0") if entry)
    while (request := _read_frame(requests)) is not None:
        _limit_time(cpu_s, wall_s)
        _write_frame(replies, _answer(request))
        _unlimit_time()


def _private_pipes() -> tuple[int, int]:
    requests, replies = os.dup(0), os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    os.close(nowhere)
    return requests, replies


def _limit_resources(memory_bytes: int) -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    if sys.platform == "linux":  # macOS accepts the call and does not obey it
        address_space = memory_bytes + MAPPED_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (address_space, address_space))


def _limit_time(cpu_s: int, wall_s: float) -> None:
    """The parent kills earlier; this ends a child whose parent is gone.

    A timer and not RLIMIT_CPU, which counts from the start of the process, by a clock of
    Linux that runs apart from the one that can be read: after a minute of short calls on
    a busy machine by more than five seconds, and calls that took none were ended.
    """
    signal.setitimer(signal.ITIMER_PROF, cpu_s + 1.0)
    signal.setitimer(signal.ITIMER_REAL, wall_s + 1.0)


def _unlimit_time() -> None:
    signal.setitimer(signal.ITIMER_PROF, 0.0)
    signal.setitimer(signal.ITIMER_REAL, 0.0)


def _answer(request: bytes) -> bytes:
    """Any exception of a task is an answer: the reason why there is none."""
    function, _, encoded = request.partition(b"\0")
    try:
        return SUCCEEDED + _run(function.decode(), encoded)
    except MemoryError:
        return FAILED + b"needed more memory than allowed"
    except Exception as error:  # noqa: BLE001  whatever a task raises on hostile input
        reason = " ".join(f"failed: {type(error).__name__}: {error}".split())
        return FAILED + reason[:MAX_REASON_LENGTH].encode("utf-8", "backslashreplace")


def _run(name: str, encoded: bytes) -> bytes:
    import importlib
    import typing

    import msgspec

    module, _, attribute = name.partition(":")
    function = getattr(importlib.import_module(module), attribute)
    hints = typing.get_type_hints(function)
    hints.pop("return")
    (request_type,) = hints.values()
    return msgspec.msgpack.encode(function(msgspec.msgpack.decode(encoded, type=request_type)))


def _read_frame(descriptor: int) -> bytes | None:
    """None at the end of the pipe, also in the middle of a frame."""
    header = _read_exactly(descriptor, HEADER.size)
    return None if header is None else _read_exactly(descriptor, HEADER.unpack(header)[0])


def _read_exactly(descriptor: int, size: int) -> bytes | None:
    received = bytearray()
    while len(received) < size:
        part = os.read(descriptor, min(size - len(received), 1 << 20))
        if not part:
            return None
        received += part
    return bytes(received)


def _write_frame(descriptor: int, body: bytes) -> None:
    unsent = memoryview(HEADER.pack(len(body)) + body)
    while unsent:
        unsent = unsent[os.write(descriptor, unsent) :]


if __name__ == "__main__":
    main()
