"""What is sent to a model, and what comes back."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of a message. Untrusted pieces can never become control tokens."""

    text: str
    is_trusted: bool


class Role(StrEnum):
    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


@dataclass(frozen=True, slots=True)
class Message:
    role: Role
    pieces: tuple[Text, ...]

    @property
    def text(self) -> str:
        return "".join(piece.text for piece in self.pieces)


@dataclass(frozen=True, slots=True)
class Prompt:
    name: str
    """The template's name, for example `review`."""
    revision: str
    """Hash of the template and the schema."""
    messages: tuple[Message, ...]
    """Prompts of one review share their first messages to the letter."""
    schema: str
    """JSON schema of the answer, as JSON text; empty where any text is an answer."""
    vote: int = 0
    """Which of several answers to the same messages: 0 is drawn as the sampling says, others
    at `Sampling.vote_temperature`, each with a seed of its own."""


class StopReason(StrEnum):
    END = "end"
    LENGTH = "length"
    """Reached `max_new_tokens`: the answer is cut, and is never asked again as it was."""
    DEADLINE = "deadline"
    FAILED = "failed"
    """No answer to this prompt could be had; others of the call may have theirs."""


@dataclass(frozen=True, slots=True)
class Alternative:
    """A token that might have stood in a place, and the natural logarithm of its probability."""

    text: str
    logprob: float


@dataclass(frozen=True, slots=True)
class TokenChoice:
    """A token of an answer, and the likeliest in its place, as OpenAI's `logprobs.content`."""

    text: str
    logprob: float
    top: tuple[Alternative, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    text: str
    """Without the model's thinking."""
    prompt_tokens: int
    completion_tokens: int
    stop: StopReason
    problem: str = ""
    """Of a failed one: what went wrong, on one line."""
    tokens: tuple[TokenChoice, ...] = ()
    """Of the text, where `Sampling.top_logprobs` asked and the backend knows."""

    @classmethod
    def failed(cls, problem: str) -> "Answer":
        return cls("", 0, 0, StopReason.FAILED, problem)


@dataclass(frozen=True, slots=True)
class Sampling:
    max_new_tokens: int
    temperature: float = 0.0
    seed: int = 0
    deadline_s: float | None = None
    """Seconds from the call after which unfinished answers end as `DEADLINE`."""
    top_logprobs: int = 0
    """How many of the likeliest tokens are told for each token of an answer; 0 asks for none."""
    vote_temperature: float = 0.8
    """At which all votes but the first are drawn."""

    def draw(self, prompt: Prompt) -> tuple[float, int]:
        """Temperature and seed of the answer to `prompt`."""
        if not prompt.vote:
            return self.temperature, self.seed
        return self.vote_temperature, self.seed + prompt.vote


OnAnswer = Callable[[int, Answer], None]
"""Told the index of a prompt and its answer."""


def ignore_answer(index: int, answer: Answer) -> None:
    """Nobody waits for single answers."""


class Backend(Protocol):
    """A model that completes prompts. One file in `backends/`, one row in its table."""

    @property
    def model(self) -> str:
        """Name for the report."""
        ...

    @property
    def device(self) -> str:
        """`cuda`, `mps`, `cpu`, or the host of a server."""
        ...

    @property
    def identity(self) -> str:
        """Digest of all that shapes an answer (weights, tokenizer, template), for caches."""
        ...

    @property
    def max_tokens(self) -> int:
        """The window: prompt and completion together."""
        ...

    @property
    def counts_are_estimated(self) -> bool:
        """Whether the token counts of some answer so far were not given by the model."""
        ...

    def count_tokens(self, prompt: Prompt) -> int:
        """Tokens that `prompt` takes of the window, template included."""
        ...

    def complete(
        self,
        prompts: Sequence[Prompt],
        sampling: Sampling,
        on_answer: OnAnswer = ignore_answer,
    ) -> list[Answer]:
        """One answer for each prompt, in their order.

        A prompt that fails alone has an answer that says so.

        Args:
            on_answer: called once for each prompt as soon as its answer is there, in any
                order: what it was told outlives an error or an interrupt.

        Raises:
            PromptTooLongError: a prompt and `max_new_tokens` exceed `max_tokens`.
            BackendError: the model could not be loaded or reached.
        """
        ...

    def close(self) -> None: ...
