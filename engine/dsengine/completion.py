"""What comes back from a prompt."""

from dataclasses import dataclass
from enum import StrEnum


class StopReason(StrEnum):
    END = "end"
    """The model ended its answer, or the grammar is complete."""
    LENGTH = "length"
    """Reached `max_new_tokens`: the answer is cut."""
    DEADLINE = "deadline"
    """Time ran out, or nobody wanted it any more: the text is what there was."""


@dataclass(frozen=True, slots=True)
class Alternative:
    """A token that might have stood in a place."""

    text: str
    """As it reads in the middle of a text; empty for a control token."""
    logprob: float
    """Natural logarithm of its probability among the tokens allowed there, at temperature 1:
    what the model holds, however its answer was drawn."""


@dataclass(frozen=True, slots=True)
class TokenChoice:
    """A token of an answer, and the likeliest in its place."""

    text: str
    logprob: float
    top: tuple[Alternative, ...]
    """The likeliest first; the token itself is among them where it is one of them."""


@dataclass(frozen=True, slots=True)
class Completion:
    text: str
    """The answer without the model's thinking and without control tokens."""
    token_ids: tuple[int, ...]
    """Tokens of the answer alone."""
    prompt_tokens: int
    cached_prefix_tokens: int
    """Those of the prompt that were computed for another prompt before."""
    completion_tokens: int
    """All tokens that the model made: thinking, answer and end token."""
    thinking_tokens: int
    stop: StopReason
    tokens: tuple[TokenChoice, ...] = ()
    """One for each of `token_ids`, where `top_logprobs` were asked for."""


@dataclass(frozen=True, slots=True)
class EngineStats:
    """Sums over the life of an engine."""

    prompts: int = 0
    prompt_tokens: int = 0
    cached_prefix_tokens: int = 0
    completion_tokens: int = 0
    prefill_s: float = 0.0
    decode_s: float = 0.0
    decode_steps: int = 0
    batches_halved: int = 0
    """Times that a batch ran out of memory and was split."""
