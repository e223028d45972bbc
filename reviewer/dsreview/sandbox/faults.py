"""Tasks that misbehave on purpose: what the sandbox must survive on this machine."""

import ctypes
import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from dsreview.sandbox.task import Task


@dataclass(frozen=True, slots=True)
class Fault:
    kind: str
    size: int = 0


@dataclass(frozen=True, slots=True)
class Survived:
    text: str


def misbehave(request: Fault) -> Survived:
    return Survived(_FAULTS[request.kind](request.size))


FAULT = Task("dsreview.sandbox.faults:misbehave", Fault, Survived, activity="misbehaving")


def _echo(size: int) -> str:
    return "x" * size


def _loop(size: int) -> str:
    while True:
        size += 1


def _sleep(size: int) -> str:
    time.sleep(size)
    return "awake"


def _read_nowhere(size: int) -> str:
    return ctypes.string_at(size).decode()


def _take_memory(size: int) -> str:
    return str(len(b"\x01" * size))


def _take_memory_slowly(size: int) -> str:
    taken: list[bytes] = []
    while len(taken) < size:
        taken.append(b"\x01" * (1 << 20))
        time.sleep(0.001)
    return str(len(taken))


def _keep_memory(size: int) -> str:
    """As parsers do that free nothing; `size` in MiB."""
    misbehave.__dict__["kept"] = b"\x01" * (size << 20)
    return "kept"


def _print(size: int) -> str:
    for stream in (sys.stdout, sys.stderr):
        stream.write("\x00\x00\x00\x01\x00" * size)
        stream.flush()
    os.write(1, b"\x00\x00\x00\x01\x00" * size)
    return "printed"


def _raise(size: int) -> str:
    raise RuntimeError("line one\nline two " + "x" * size)


def _exit(size: int) -> str:
    os._exit(size)


def _describe_world(size: int) -> str:
    """Environment, folder, search path."""
    return json.dumps([dict(os.environ), str(Path.cwd()), sys.path])[size:]


_FAULTS = {
    "echo": _echo,
    "loop": _loop,
    "sleep": _sleep,
    "segfault": _read_nowhere,
    "memory": _take_memory,
    "memory-slowly": _take_memory_slowly,
    "keep-memory": _keep_memory,
    "print": _print,
    "raise": _raise,
    "exit": _exit,
    "world": _describe_world,
}
