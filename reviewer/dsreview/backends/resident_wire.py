"""What a review says to the resident server and hears from it: msgpack in HTTP."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from dsreview.prompt import Prompt, Sampling

HELLO_PATH: Final = "/dsreview/hello"
COUNT_PATH: Final = "/dsreview/count"
COMPLETE_PATH: Final = "/dsreview/complete"
STOP_PATH: Final = "/dsreview/stop"
MSGPACK: Final = "application/x-msgpack"
MAX_CLIENT_LENGTH: Final = 64


class State(StrEnum):
    LOADING = "loading"
    READY = "ready"
    STOPPING = "stopping"


@dataclass(frozen=True, slots=True)
class Served:
    """What a server was started for. Answers of another one may be others."""

    backend: str
    model: str
    """With an absolute path, where it is a folder."""
    device: str
    """As it was asked for: `auto` is an answer too."""
    runner: str = "auto"
    weights: str = "auto"


@dataclass(frozen=True, slots=True)
class Facts:
    """What a backend says of itself, once it is loaded."""

    model: str
    device: str
    identity: str
    max_tokens: int
    counts_are_estimated: bool


@dataclass(frozen=True, slots=True)
class Hello:
    version: str
    """Of dsreview; others are not talked to."""
    instance: str
    """New for each start of a server."""
    pid: int
    served: Served
    state: State
    facts: Facts | None
    """None while the model is loaded."""
    uptime_s: float
    idle_exit_s: float
    """0 is never."""
    num_jobs: int
    num_prompts_answered: int
    num_restarts: int
    """Of the model's process."""
    memory_bytes: int
    """Resident, of the server and the model's process."""
    http_address: str
    """Empty where it listens on the Unix socket alone."""


@dataclass(frozen=True, slots=True)
class CountRequest:
    instance: str
    prompts: tuple[Prompt, ...]


@dataclass(frozen=True, slots=True)
class CompleteRequest:
    instance: str
    client: str
    """Takes turns with other clients."""
    prompts: tuple[Prompt, ...]
    sampling: Sampling


@dataclass(frozen=True, slots=True)
class Problem:
    """Of a request that was refused."""

    problem: str
    is_too_long: bool = False
