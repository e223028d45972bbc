"""One prompt on its way to a completion."""

import hashlib
import random
from array import array
from collections import deque
from collections.abc import Callable
from collections.abc import Sequence as Sequences
from dataclasses import dataclass
from enum import Enum, auto

import torch
from torch import Tensor

from dsengine.completion import Alternative, Completion, StopReason, TokenChoice
from dsengine.grammar import Grammar
from dsengine.sampler import Rank, pack
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


TOKEN_BYTES = array("I").itemsize


class Phase(Enum):
    START = auto()
    """Nothing is made yet: a thinking model may begin to think."""
    THINKING = auto()
    ANSWER = auto()


class Vocabulary:
    """Which tokens may stand where, apart from any grammar. All int32 (W,), packed."""

    def __init__(self, tokenizer: Tokenizer, vocab_size: int) -> None:
        self.end_ids = tokenizer.end_ids
        self.thinking_ids = tokenizer.thinking_ids
        text = torch.zeros(vocab_size, dtype=torch.bool)
        text[[id_ for id_ in tokenizer.text_ids if id_ < vocab_size]] = True
        self.text = text
        """bool (V,)."""
        free = text.clone()
        free[[id_ for id_ in tokenizer.end_ids if id_ < vocab_size]] = True
        self.free = pack(free)
        thought, opening, closing = text.clone(), torch.zeros_like(text), torch.zeros_like(text)
        if self.thinking_ids:
            opening[self.thinking_ids[0]] = True
            closing[self.thinking_ids[1]] = True
        self.opening = pack(opening)
        self.closing = pack(closing)
        self.thought = pack(thought | closing)


def token_bytes(tokens: Sequences[int]) -> bytes:
    """TOKEN_BYTES for each token, so that bytes can be searched for tokens."""
    return array("I", tokens).tobytes()


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
        self._uniforms: deque[float] = deque()
        self._context: bytearray | None = None
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

    def uniforms(self, count: int) -> list[float]:
        """One number for each of the next tokens; those of tokens not accepted come again."""
        while len(self._uniforms) < count:
            self._uniforms.append(self._random.random())
        return [self._uniforms[place] for place in range(count)]

    @property
    def room(self) -> int:
        """Tokens that the answer may still have."""
        return self._sampling.max_new_tokens - len(self._answer)

    @property
    def takes_drafts(self) -> bool:
        """The answer has begun, or cannot begin with thoughts."""
        may_think = self._vocabulary.thinking_ids and self._sampling.max_thinking_tokens > 0
        return self._phase is Phase.ANSWER or (self._phase is Phase.START and not may_think)

    @property
    def answer(self) -> Sequences[int]:
        return self._answer

    @property
    def context(self) -> bytearray:
        """The prompt and the answer so far, as `token_bytes`."""
        if self._context is None:
            self._context = bytearray(token_bytes([*self.prompt, *self._answer]))
        return self._context

    def forced_tokens(self) -> list[int]:
        """What the grammar leaves no choice about; see `Grammar.forced_tokens`."""
        return self._grammar.forced_tokens() if self._grammar else []

    def count_valid(self, tokens: Sequences[int]) -> int:
        """How many of `tokens` may follow one after the other."""
        return self._grammar.count_valid(tokens) if self._grammar else len(tokens)

    def fill_allowed(self, masks: Tensor, draft: Sequences[int] = ()) -> None:
        """Write what the next token may be, and the one behind each token of `draft`.

        Args:
            masks: int32 (1 + D, W) on the CPU, packed; 0 at a dead end.
        """
        vocabulary = self._vocabulary
        if self._phase is Phase.THINKING:
            may_go_on = self._num_thinking < self._sampling.max_thinking_tokens
            masks[:] = vocabulary.thought if may_go_on else vocabulary.closing
            return
        if self._grammar:
            self._grammar.fill_allowed(masks, draft)
        else:
            masks[:] = vocabulary.free
        if self._phase is Phase.START and not self.takes_drafts:
            masks |= vocabulary.opening

    def accept(self, token: int, rank: Rank | None = None) -> None:
        """Take the token that was drawn; may set `stop`. `rank`: where `top_logprobs` asks."""
        if self._uniforms:
            self._uniforms.popleft()
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
        if self._context is not None:
            self._context += token_bytes([token])
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
