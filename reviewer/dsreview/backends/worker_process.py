"""The process that holds a model, seen from whoever started it: frames, calls, its end."""

import itertools
import json
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Final

from dsreview.backends.worker_frames import (
    OPENING,
    Channel,
    Counted,
    Done,
    Failed,
    Frame,
    Open,
    Opened,
    Reply,
)
from dsreview.errors import BackendError
from dsreview.isolated import interpreter, search_path

_START: Final = (
    "import json, sys; sys.path += json.loads(sys.argv[2]);"
    " from dsreview.backends.worker_child import main; main(int(sys.argv[1]))"
)
_KEPT_VARIABLES: Final = frozenset(
    {"HOME", "LD_LIBRARY_PATH", "PATH", "TMPDIR", "XDG_CACHE_HOME"}
    | {"HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "TRANSFORMERS_CACHE"}
)
_KEPT_PREFIXES: Final = ("CUDA_", "NVIDIA_", "PYTORCH_", "TORCH_", "OMP_", "MKL_", "KMP_")
_OFFLINE: Final = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}


class WorkerDied(BackendError):
    """The process is gone before it had answered; a new one may answer the same."""


Replies = SimpleQueue[Reply | None]
"""What comes back for one call; None is the end of the process."""


class WorkerProcess:
    """One process and its model. Safe to share between threads."""

    def __init__(self, opening: Open, environment: Mapping[str, str] = os.environ) -> None:
        """Start it; see `load`."""
        self._opening = opening
        self._calls: dict[int, Replies] = {}
        self._left: dict[int, float] = {}
        self._registry = threading.Lock()
        self._numbers = itertools.count(OPENING + 1)
        self._is_ending = False
        ours, theirs = socket.socketpair()
        with theirs:
            self._popen = _start(theirs, environment)
        self.pid = self._popen.pid
        self.name = f"the process of backend {opening.name} ({self.pid})"
        self._channel: Channel[Reply] = Channel(ours, Reply)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def load(self) -> Opened:
        """Wait until the model is loaded.

        Raises:
            BackendError: it cannot be loaded.
        """
        replies: Replies = SimpleQueue()
        with self._registry:
            self._calls[OPENING] = replies
        if not self._reader.is_alive():
            raise self.death()
        self.send(self._opening)
        reply = replies.get()
        with self._registry:
            self._calls.pop(OPENING, None)
        if isinstance(reply, Opened):
            return reply
        if isinstance(reply, Failed):
            raise BackendError(reply.problem)
        raise self.death()

    @property
    def is_gone(self) -> bool:
        return self._is_ending or self._popen.poll() is not None

    def left_for_s(self) -> float:
        """Seconds since the oldest call that was left and has not ended there yet; 0 for none."""
        with self._registry:
            oldest = min(self._left.values(), default=None)
        return 0.0 if oldest is None else time.monotonic() - oldest

    @contextmanager
    def asked(self, request: Callable[[int], Frame]) -> Iterator[tuple[int, Replies]]:
        """The number of a new call, and where its replies come.

        Raises:
            WorkerDied: the process is gone.
            BackendError: the request cannot be sent.
        """
        replies: Replies = SimpleQueue()
        number = next(self._numbers)
        with self._registry:
            self._calls[number] = replies
        try:
            if not self._reader.is_alive():
                raise self.death()
            self.send(request(number))
            yield number, replies
        finally:
            with self._registry:
                if number in self._calls:
                    self._left[number] = time.monotonic()
                    del self._calls[number]

    def send(self, frame: Frame) -> None:
        try:
            self._channel.send(frame)
        except ValueError as error:  # msgspec's, of text with lone surrogates, is one
            raise BackendError(f"the prompts cannot be sent: {error}") from None
        except OSError:
            raise self.death() from None

    def death(self) -> WorkerDied:
        """Why the process is gone."""
        try:
            status = self._popen.wait(timeout=1.0)
        except subprocess.TimeoutExpired:
            return WorkerDied(f"{self.name} closed its connection")
        if status < 0:
            return WorkerDied(f"{self.name} crashed ({signal.Signals(-status).name})")
        return WorkerDied(f"{self.name} ended unexpectedly (exit status {status})")

    def kill(self) -> None:
        """End it at once, whatever it does; calls that wait learn that it died."""
        self._is_ending = True
        self._popen.kill()
        self._popen.wait()
        self._channel.shut_down()
        self._reader.join()
        self._channel.close()

    def _read(self) -> None:
        while (reply := self._channel.receive()) is not None:
            number = OPENING if isinstance(reply, Opened) else reply.call
            with self._registry:
                replies = self._calls.get(number)
                if isinstance(reply, Counted | Done | Failed):
                    self._calls.pop(number, None)
                    self._left.pop(number, None)
                    self._is_ending |= isinstance(reply, Failed) and reply.is_last
                if replies is not None:
                    replies.put(reply)
        self._is_ending = True
        with self._registry:
            for replies in self._calls.values():
                replies.put(None)


def _start(connection: socket.socket, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    descriptor = connection.fileno()
    return subprocess.Popen(
        [*interpreter(), "-c", _START, str(descriptor), json.dumps(search_path())],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env=kept_environment(environment) | _OFFLINE,
        pass_fds=(descriptor,),
        start_new_session=True,  # Ctrl-C is for the parent
    )


def kept_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """What says where models and devices are; no token, no key, no repository."""
    return {
        name: text
        for name, text in environment.items()
        if name in _KEPT_VARIABLES or name.startswith(_KEPT_PREFIXES)
    }
