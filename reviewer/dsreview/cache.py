"""Content-addressed store of answers and indexes; a miss is never an error."""

from typing import Protocol


class Cache(Protocol):
    def get(self, key: str) -> bytes | None:
        """What was put under `key`, verified; None where there is nothing sound."""
        ...

    def put(self, key: str, value: bytes) -> None: ...
