"""What runs a model: torch, llama.cpp or MLX, each in a package of its own.

The scheduler, the sampling, the grammars and the tokenizers are the same for all; what
differs is how tokens become logits and where keys and values are kept. B rows, Q new tokens,
V vocabulary.

A row's tokens stand in slots 0, 1, ... behind the prefix that all rows of its batch share.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeAlias, TypeVar

import torch
from torch import Tensor


class Prefix(Protocol):
    """Tokens that several prompts begin with, computed once."""

    @property
    def ids(self) -> tuple[int, ...]: ...

    @property
    def size_bytes(self) -> int: ...

    def cut(self, num_tokens: int) -> "Prefix":
        """The first `num_tokens` of it, which share its memory."""
        ...


class Batch(Protocol):
    """Rows in flight; those that run are the first ones."""

    @property
    def prefix(self) -> Prefix: ...

    @property
    def device(self) -> torch.device:
        """Where logits come and tokens are wanted."""
        ...

    @property
    def num_tokens(self) -> list[int]:
        """Own tokens of each running row that are computed."""
        ...

    @property
    def room(self) -> int:
        """Rows that could enter."""
        ...

    def leave(self, row: int) -> int:
        """Row `row` is done; the last one takes its place. Returns the row that moved."""
        ...

    def close(self) -> None:
        """The rows are of no more use, the prefix may be."""
        ...


P = TypeVar("P", bound=Prefix)
B = TypeVar("B", bound=Batch)
E = TypeVar("E")
"""Prompts on their way into a batch."""


class Runner(Protocol[P, B, E]):
    """One loaded model."""

    @property
    def device_name(self) -> str:
        """For people: cpu, cuda, mps or metal."""
        ...

    @property
    def dtype_name(self) -> str:
        """For people: float32, int8, q4_k_m and so on."""
        ...

    @property
    def window(self) -> int:
        """Most tokens of a prompt and its answer."""
        ...

    @property
    def vocab_size(self) -> int:
        """Width of the logits."""
        ...

    @property
    def bytes_per_token(self) -> int:
        """Of the key-value cache, all layers."""
        ...

    @property
    def versions(self) -> tuple[str, ...]:
        """Of the libraries whose code shapes the logits."""
        ...

    @property
    def is_ragged(self) -> bool:
        """`extend` costs by its tokens, not by rows times the longest of them."""
        ...

    @property
    def empty_prefix(self) -> P: ...

    def free_memory(self) -> int:
        """Bytes that caches could take now."""
        ...

    def release_memory(self) -> None:
        """Give back what nothing refers to any more."""
        ...

    def compute_prefix(self, ids: Sequence[int], known: P, is_over: Callable[[], bool]) -> P | None:
        """Keys and values of `ids`, from those of `known`, with which it begins.

        Returns:
            None if `is_over` said so between two passes.
        """
        ...

    def start(self, prefix: P, num_rows: int, num_slots: int) -> B:
        """An empty batch of `num_rows` rows with room for `num_slots` own tokens each."""
        ...

    def enter(self, batch: B, rows: Sequence[Sequence[int]]) -> E:
        """Let prompts come in: the rest of each, at least one token a row.

        They run once `advance` has passed all of their tokens; one entry at a time.
        """
        ...

    def advance(self, batch: B, entry: E) -> Tensor | None:
        """One pass over the next tokens of an entry.

        Returns:
            float32 (B, V), logits of each row's next token after the last pass, when the rows
            run behind those that did; None before.
        """
        ...

    def step(self, batch: B, tokens: Tensor) -> Tensor:
        """Append one token (int64 (B,), on the batch's device) to each running row.

        Returns:
            float32 (B, V), logits of the token after it.
        """
        ...

    def extend(self, batch: B, rows: Sequence[Sequence[int]]) -> Tensor:
        """Append one or more tokens to each running row, in one pass.

        Returns:
            float32 (B, Q, V), logits after each of a row's tokens, Q those of the longest;
            behind a shorter row's own they mean nothing.
        """
        ...

    def forget(self, batch: B, row: int, num_tokens: int) -> None:
        """Take the last `num_tokens` of a running row back: they were drafted in vain."""
        ...


AnyRunner: TypeAlias = Runner[Any, Any, Any]
