"""One prompt on its way to a completion."""

import hashlib
import random
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

import torch
from torch import Tensor

from dsengine.completion import Alternative, Completion, StopReason, TokenChoice
from dsengine.grammar import Grammar
from dsengine.sampler import Rank
from dsengine.tokenizer import Tokenizer


@dataclass(frozen=True, slots=True)
class Sampling:
    """How answers are drawn."""

    max_new_tokens: int
    max_thinking_tokens: int
    temperature: float
    seed: int
    top_logprobs: int = 0
    """How many of the likeliest tokens are told for each token of the answer."""


class Phase(Enum):
    START = auto()
    """Nothing is made yet: a thinking model may begin to think."""
    THINKING = auto()
    ANSWER = auto()


class Vocabulary:
    """Which tokens may stand where, apart from any grammar. All bool (V,)."""

    def __init__(self, tokenizer: Tokenizer, vocab_size: int) -> None:
        self.end_ids = tokenizer.end_ids
        self.thinking_ids = tokenizer.thinking_ids
        text = torch.zeros(vocab_size, dtype=torch.bool)
        text[[id_ for id_ in tokenizer.text_ids if id_ < vocab_size]] = True
        self.text = text
        self.free = text.clone()
        self.free[[id_ for id_ in tokenizer.end_ids if id_ < vocab_size]] = True
        self.thought = text.clone()
        if self.thinking_ids:
            self.thought[self.thinking_ids[1]] = True


class Sequence:
    """State of one row; `stop` is set when it is done."""

    def __init__(
        self,
        prompt: list[int],
        sampling: Sampling,
        vocabulary: Vocabulary,
        grammar: Grammar | None,
        is_wanted: Callable[[], bool] = lambda: True,
    ) -> None:
        self.prompt = prompt
        self.is_wanted = is_wanted
        self.on_token: Callable[[list[int]], None] | None = None
        """Told all tokens of the answer after each of them."""
        self.cached_prefix_tokens = 0
        self._sampling = sampling
        self._vocabulary = vocabulary
        self._first_grammar = grammar
        self.restart()

    def restart(self) -> None:
        """Forget all that was made: the batch ran out of memory."""
        self.stop: StopReason | None = None
        self._grammar = self._first_grammar.fresh() if self._first_grammar else None
        self._phase = Phase.START
        self._answer: list[int] = []
        self._ranks: list[Rank] = []
        self._num_thinking = 0
        self._num_ends = 0
        # From what is asked, not from a place in a batch: a prompt draws alike in any company.
        seed = hashlib.sha256(repr((self._sampling.seed, self.prompt)).encode()).digest()
        self._random = random.Random(seed)  # noqa: S311 - no secret

    @property
    def max_tokens(self) -> int:
        """Most tokens that may follow the prompt."""
        return self._sampling.max_new_tokens + self._sampling.max_thinking_tokens

    @property
    def temperature(self) -> float:
        return self._sampling.temperature

    @property
    def top_logprobs(self) -> int:
        return self._sampling.top_logprobs

    def uniform(self) -> float:
        return self._random.random()

    def allowed(self) -> Tensor:
        """bool (V,): what the next token may be; all False at a dead end."""
        thinking = self._vocabulary.thinking_ids
        if self._phase is Phase.THINKING:
            assert thinking is not None
            if self._num_thinking < self._sampling.max_thinking_tokens:
                return self._vocabulary.thought
            only = torch.zeros_like(self._vocabulary.thought)
            only[thinking[1]] = True
            return only
        allowed = self._grammar.allowed() if self._grammar else self._vocabulary.free
        if self._phase is Phase.START and thinking and self._sampling.max_thinking_tokens > 0:
            allowed = allowed.clone()
            allowed[thinking[0]] = True
        return allowed

    def accept(self, token: int, rank: Rank | None = None) -> None:
        """Take the token that was drawn; may set `stop`. `rank`: where `top_logprobs` asks."""
        opens, closes = self._vocabulary.thinking_ids or (None, None)
        if self._phase is Phase.THINKING or (self._phase is Phase.START and token == opens):
            self._num_thinking += 1
            self._phase = Phase.ANSWER if token == closes else Phase.THINKING
            return
        self._phase = Phase.ANSWER
        if token in self._vocabulary.end_ids:
            self._num_ends = 1
            self.stop = StopReason.END
            return
        self._answer.append(token)
        if rank is not None and self.top_logprobs:
            self._ranks.append(rank)
        if self.on_token is not None:
            self.on_token(self._answer)
        if self._grammar:
            self._grammar.accept(token)
        if self._grammar and self._grammar.is_complete:
            self.stop = StopReason.END
        elif len(self._answer) >= self._sampling.max_new_tokens or self._is_stuck:
            self.stop = StopReason.LENGTH

    @property
    def _is_stuck(self) -> bool:
        """The grammar outgrew its own limits: the answer is cut there."""
        return self._grammar is not None and self._grammar.is_broken

    def leave_unwanted(self) -> None:
        """End here where nobody waits for the answer any more."""
        if self.stop is None and not self.is_wanted():
            self.stop = StopReason.DEADLINE

    def completion(self, tokenizer: Tokenizer) -> Completion:
        assert self.stop is not None
        return Completion(
            text=tokenizer.decode(self._answer),
            token_ids=tuple(self._answer),
            prompt_tokens=len(self.prompt),
            cached_prefix_tokens=self.cached_prefix_tokens,
            completion_tokens=self._num_thinking + len(self._answer) + self._num_ends,
            thinking_tokens=self._num_thinking,
            stop=self.stop,
            tokens=self._choices(tokenizer),
        )

    def _choices(self, tokenizer: Tokenizer) -> tuple[TokenChoice, ...]:
        if not self._ranks:
            return ()
        text_of, most = tokenizer.token_text, self.top_logprobs
        return tuple(
            TokenChoice(
                text_of(token),
                rank.logprob,
                tuple(Alternative(text_of(id_), log) for id_, log in rank.top[:most]),
            )
            for token, rank in zip(self._answer, self._ranks, strict=True)
        )
