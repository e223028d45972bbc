"""What a backend is opened with, and what those of the table can beyond the protocol."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from dsreview.prompt import Answer, Backend, OnAnswer, Prompt, Sampling, ignore_answer


@dataclass(frozen=True, slots=True)
class BackendSettings:
    """All of it comes from the user, nothing from the repository under review."""

    model: str
    """`local`: a folder or a cached name; `http`: a served name; `scripted`: a JSON file."""
    device: str = "auto"
    runner: str = "auto"
    """`local`: torch, llama.cpp or mlx; auto takes the fastest for the weights."""
    weights: str = "auto"
    """`local`: full, int8 or int4; auto takes the most precise that fits."""
    batch_size: int = 8
    """Prompts at once: rows of a batch, or parallel requests."""
    base_url: str = ""
    """`http`: address of the server, for example `http://127.0.0.1:11434/v1`."""
    api_key: str = ""
    """`http`: sent as a bearer token; empty for none."""
    max_tokens: int = 8_192
    """`http`: the window to assume; servers do not say theirs."""


def absolute_model(backend: str, model: str) -> str:
    """As a process reads it that has another current folder."""
    is_path = backend == "scripted" or model.startswith(("/", ".", "~"))
    return os.path.realpath(Path(model).expanduser()) if is_path else model


IsWanted = Callable[[int], bool]
"""Whether somebody still waits for the answer to the prompt of this index."""


def always_wanted(_index: int) -> bool:
    """Nobody leaves."""
    return True


OnText = Callable[[int, int, str], None]
"""Told the index of a prompt, how many characters of its answer were told before, and the
next ones."""


class InterruptibleBackend(Backend, Protocol):
    """A backend that lets single prompts go, which is how one model serves several users."""

    is_shareable: bool
    """Whether calls of several threads share the model's work; else they take turns."""

    def complete(
        self,
        prompts: Sequence[Prompt],
        sampling: Sampling,
        on_answer: OnAnswer = ignore_answer,
        is_wanted: IsWanted = always_wanted,
        on_text: OnText | None = None,
    ) -> list[Answer]:
        """As `Backend.complete`.

        Args:
            is_wanted: asked now and then, and cheap; the answer to a prompt of which it says
                no ends as `DEADLINE`, as soon as the backend can.
            on_text: told answers while they are written, by backends that see them so.
        """
        ...
