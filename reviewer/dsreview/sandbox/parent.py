"""The parent's side of the sandbox: starts, feeds, watches and kills the child."""

import dataclasses
import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import msgspec
import psutil

from dsreview.errors import TaskFailed
from dsreview.isolated import interpreter, search_path
from dsreview.sandbox import child
from dsreview.sandbox.task import Limits, Task

Q = TypeVar("Q")
R = TypeVar("R")

WATCH_INTERVAL_S = 0.02
"""How often the child's memory is looked at while it works."""


class Sandbox:
    """One child, started on the first call and again after a failure.

    Safe to share between threads; calls wait for each other.
    """

    def __init__(self, limits: Limits = Limits()) -> None:  # noqa: B008  frozen
        self.limits = limits
        self._lock = threading.Lock()
        self._child: _Child | None = None

    def call(self, task: Task[Q, R], request: Q) -> R:
        """Run `task` on `request` in the child.

        Raises:
            TaskFailed: too large, too slow, too much memory, a crash, or an exception in
                the task; the reason is one line. The next call gets a fresh child.
        """
        frame = self._encode(task, request)
        with self._lock:  # msgspec as well: threads that meet a type first together crash it
            return self._decode(task, self._exchange(task, frame))

    @staticmethod
    def _decode(task: Task[Q, R], reply: bytes) -> R:
        status, body = reply[:1], reply[1:]
        if status != child.SUCCEEDED:
            reason = " ".join(body.decode("utf-8", "replace").split())
            raise TaskFailed(f"{task.activity} {reason[: child.MAX_REASON_LENGTH]}")
        try:
            return msgspec.msgpack.decode(body, type=task.reply)
        except msgspec.DecodeError as error:
            raise TaskFailed(f"{task.activity} gave an unreadable reply: {error}") from error

    def close(self) -> None:
        """End the child; a later call would start a new one."""
        with self._lock:
            self._kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _encode(self, task: Task[Q, R], request: Q) -> bytes:
        allowed = self.limits.max_source_bytes
        longest = max(_source_sizes(request), default=0)
        if longest > allowed:
            raise TaskFailed(f"larger than the {allowed:,} bytes that are parsed ({longest:,})")
        try:
            encoded = msgspec.msgpack.encode(request)
        except UnicodeEncodeError as error:
            raise TaskFailed(f"{task.activity} was given text that is not UTF-8") from error
        if len(encoded) > self.limits.max_frame_bytes:
            raise TaskFailed(f"{task.activity} was asked too much at once ({len(encoded):,} bytes)")
        return task.function.encode() + b"\0" + encoded

    def _exchange(self, task: Task[Q, R], frame: bytes) -> bytes:
        if self._child is None:
            self._child = _Child(self.limits)
        is_well = False
        try:
            reply = self._child.ask(frame)
            # memory that parsers keep would count against the next call
            is_well = self._child.memory_bytes() < self.limits.memory_bytes // 4
        except _ChildFailure as failure:
            raise TaskFailed(f"{task.activity} {failure}") from None
        finally:
            if not is_well:  # also on KeyboardInterrupt: half a reply may be on its way
                self._kill()
        return reply

    def _kill(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child = None


def _source_sizes(value: object) -> Iterator[int]:
    if isinstance(value, bytes):
        yield len(value)
    elif isinstance(value, tuple | list):
        for element in value:
            yield from _source_sizes(element)
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from _source_sizes(getattr(value, field.name))


class _ChildFailure(Exception):
    """The reason, without its subject: "took more than 5 s"."""


class _Child:
    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        arguments = (limits.memory_bytes, limits.cpu_s, limits.wall_s)
        self._popen = subprocess.Popen(
            [
                *(*interpreter(), str(Path(child.__file__))),
                *(str(argument) for argument in arguments),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env={},
            bufsize=0,
            start_new_session=True,  # Ctrl-C is for the parent
        )
        assert self._popen.stdin is not None
        assert self._popen.stdout is not None
        self._requests = self._popen.stdin.fileno()
        self._replies = self._popen.stdout.fileno()
        os.set_blocking(self._requests, False)
        os.set_blocking(self._replies, False)
        self._statistics = psutil.Process(self._popen.pid)
        self._unsent = _frame(b"\0".join(map(os.fsencode, search_path())))
        self._peak_bytes = 0

    def ask(self, request: bytes) -> bytes:
        """Raises _ChildFailure; after that the child is of no more use."""
        deadline = time.monotonic() + self._limits.wall_s
        unsent = memoryview(self._unsent + _frame(request))
        self._unsent = b""
        received = bytearray()
        with selectors.DefaultSelector() as selector:
            selector.register(self._requests, selectors.EVENT_WRITE)
            selector.register(self._replies, selectors.EVENT_READ)
            while not _is_whole(received, self._limits.max_frame_bytes):
                for key, _ in selector.select(WATCH_INTERVAL_S):
                    if key.fd == self._replies:
                        self._receive(received)
                    else:
                        unsent = self._send(unsent)
                        if not unsent:
                            selector.unregister(self._requests)
                self._watch(deadline)
        return bytes(received[child.HEADER.size :])

    def memory_bytes(self) -> int:
        try:
            return int(self._statistics.memory_info().rss)
        except psutil.Error:
            return 0

    def kill(self) -> None:
        self._popen.kill()
        self._popen.wait()
        for pipe in (self._popen.stdin, self._popen.stdout):
            if pipe is not None:
                pipe.close()

    def _send(self, unsent: memoryview) -> memoryview:
        try:
            return unsent[os.write(self._requests, unsent) :]
        except BrokenPipeError:
            raise self._death() from None

    def _receive(self, received: bytearray) -> None:
        part = os.read(self._replies, 1 << 20)
        if not part:
            raise self._death()
        received += part

    def _watch(self, deadline: float) -> None:
        if time.monotonic() > deadline:
            raise _ChildFailure(f"took more than {self._limits.wall_s:g} s")
        memory_bytes = self.memory_bytes()
        self._peak_bytes = max(self._peak_bytes, memory_bytes)
        if memory_bytes > self._limits.memory_bytes:
            raise self._too_much_memory()

    def _too_much_memory(self) -> _ChildFailure:
        return _ChildFailure(f"needed more than {self._limits.memory_bytes >> 20:,} MiB of memory")

    def _death(self) -> _ChildFailure:
        """Why a child is gone that was not killed from here."""
        try:
            status = self._popen.wait(timeout=1.0)
        except subprocess.TimeoutExpired:
            return _ChildFailure("closed its pipe")
        if status == -signal.SIGPROF:
            return _ChildFailure(f"took more than {self._limits.cpu_s} s of CPU time")
        if status == -signal.SIGABRT and self._peak_bytes > self._limits.memory_bytes // 4:
            return self._too_much_memory()  # how a C allocator gives up
        if status < 0:
            return _ChildFailure(f"crashed ({signal.Signals(-status).name})")
        return _ChildFailure(f"ended unexpectedly (exit status {status})")


def _frame(body: bytes) -> bytes:
    return child.HEADER.pack(len(body)) + body


def _is_whole(received: bytearray, max_bytes: int) -> bool:
    if len(received) < child.HEADER.size:
        return False
    size: int = child.HEADER.unpack_from(received)[0]
    if size > max_bytes:
        raise _ChildFailure(f"gave more than {max_bytes:,} bytes of reply")
    if len(received) > child.HEADER.size + size:
        raise _ChildFailure("gave more than one reply")
    return len(received) == child.HEADER.size + size
