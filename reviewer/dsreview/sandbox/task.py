"""What the sandbox runs, and how much of the machine it may take."""

from dataclasses import dataclass
from typing import Generic, TypeVar

Q = TypeVar("Q")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Task(Generic[Q, R]):
    """A function that only the child imports: a constant next to that function.

    Request and reply are frozen dataclasses that msgpack can carry. Source text goes as
    `bytes`, because `str` with surrogates cannot be encoded. The function's annotations
    are what the child decodes and encodes by: `def scopes(request: Q) -> R`.
    """

    function: str
    """`dsreview.package.module:function`."""
    request: type[Q]
    reply: type[R]
    activity: str = "parsing"
    """What failed, in the reason of a failure: "parsing took more than 5 s"."""

    def __post_init__(self) -> None:
        module, _, function = self.function.partition(":")
        if not (module.startswith("dsreview.") and function.isidentifier()):
            raise ValueError(f"not a task of dsreview: {self.function!r}")


@dataclass(frozen=True, slots=True)
class Limits:
    """Per call, except for the memory, which is the child's."""

    wall_s: float = 5.0
    cpu_s: int = 5
    memory_bytes: int = 1 << 30
    max_source_bytes: int = 1_000_000
    """Of each `bytes` in a request: a longer one is refused without being parsed."""
    max_frame_bytes: int = 32_000_000
    """Of a whole request or reply."""
