"""The way in: conversations to completions."""

import hashlib
import threading
import time
from collections.abc import Callable, Collection
from collections.abc import Sequence as Sequences
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from pathlib import Path

from dsengine.calls import Call, OnProgress
from dsengine.checkpoint import digest, open_checkpoint
from dsengine.completion import Completion, EngineStats
from dsengine.drafts import SOURCES, Drafter
from dsengine.errors import PromptTooLongError, UnsupportedModelError
from dsengine.grammar import GrammarCompiler
from dsengine.message import Conversation
from dsengine.runners import Wanted, open_runner
from dsengine.scheduler import Scheduler
from dsengine.sequence import Sampling, Sequence, Vocabulary
from dsengine.streaming import OnText, TextStream
from dsengine.tokenizer import Tokenizer

OnCompletion = Callable[[int, Completion], None]
IsWanted = Callable[[int], bool]

_MAX_WINDOW = 32_768  # beyond it one prompt's cache outgrows most machines


class Engine:
    """One model on one device. Calls of several threads share its batches."""

    def __init__(
        self,
        model: str | Path,
        *,
        device: str = "auto",
        dtype: str | None = None,
        weights: str = "auto",
        runner: str = "auto",
        batch_size: int = 8,
        max_batch_tokens: int = 65_536,
        max_thinking_tokens: int = 2_048,
        drafts: Collection[str] = SOURCES,
        remember_in: Path | None = None,
    ) -> None:
        """
        Args:
            model: a Hugging Face folder, or the name of a model in the local cache.
            device: auto, mps, cuda or cpu.
            dtype: float32, bfloat16 or float16; default by device.
            weights: full, int8 or int4; auto takes the most precise that fits the memory.
            runner: a row of `runners.RUNNERS`, or auto.
            batch_size: most prompts that run together.
            max_batch_tokens: most tokens of one batch, padding and answers included; less
                where half of the free memory holds less.
            max_thinking_tokens: room for `<think>` of models that have it; 0 forbids it.
            drafts: what tokens are guessed from and verified several in one pass, where that
                is faster: rows of `drafts.SOURCES`. Answers are the same without.
            remember_in: folder for which runner was measured to be the fastest here, and
                which devices passed their test; None measures nothing and tests each time.

        Raises:
            ModelNotFoundError: nothing of that name is here.
            UnsupportedModelError: incomplete, damaged, unsafe or of no known kind.
            DeviceError: the device is absent, computes wrongly or is too small.
        """
        checkpoint = open_checkpoint(model)
        self._tokenizer = Tokenizer(checkpoint)
        wanted = Wanted(runner, device, dtype, batch_size, max_batch_tokens, weights, remember_in)
        opened = open_runner(checkpoint, wanted, remember_in)
        self.device = opened.device_name
        self.dtype = opened.dtype_name
        _check_vocabulary(checkpoint.folder, self._tokenizer, opened.vocab_size)
        self._grammars = GrammarCompiler(
            self._tokenizer.definition, opened.vocab_size, self._tokenizer.end_ids
        )
        self._vocabulary = Vocabulary(self._tokenizer, opened.vocab_size)
        self._max_thinking = max_thinking_tokens if self._tokenizer.thinking_ids else 0
        self._window = min(opened.window, _MAX_WINDOW)
        self._max_thinking = min(self._max_thinking, self._window // 4)
        num_fitting = opened.free_memory() // (2 * opened.bytes_per_token)
        self._scheduler = Scheduler(
            opened,
            batch_size,
            min(max_batch_tokens, num_fitting),
            num_fitting * opened.bytes_per_token // 8,
            Drafter(drafts),
        )
        self._runner = opened
        self._counts = EngineStats()
        self._counting = threading.Lock()
        self._checkpoint = checkpoint

    @property
    def max_tokens(self) -> int:
        """Most tokens of a prompt and its answer; the room for thinking is already off."""
        return self._window - (self._max_thinking + 2 if self._max_thinking else 0)

    @property
    def template(self) -> str:
        """Name of the family whose conversations the model was trained on."""
        return self._tokenizer.template.name

    @property
    def stats(self) -> EngineStats:
        ran = self._scheduler.stats
        return replace(
            self._counts,
            prefill_s=ran.prefill_s,
            decode_s=ran.decode_s,
            decode_steps=ran.decode_steps,
            batches_halved=ran.batches_halved,
        )

    @property
    def identity(self) -> str:
        """Digest of all that shapes an answer but the prompt and how it is drawn.

        Weights as in `checkpoint.digest` (large ones are sampled), configuration, tokenizer,
        template, dtype, and the versions of torch, transformers and llguidance.
        """
        versions = [*self._runner.versions, f"llguidance {version('llguidance')}"]
        facts = (
            digest(self._checkpoint), repr(self._tokenizer.template), self.dtype, versions,
            self._max_thinking,
        )  # fmt: skip
        return hashlib.sha256(repr(facts).encode()).hexdigest()

    def count_tokens(self, conversation: Conversation) -> int:
        """Tokens of the whole prompt, template included."""
        return len(self._tokenizer.encode_prompt(conversation))

    def generate(
        self,
        prompts: Sequences[Conversation],
        *,
        max_new_tokens: int,
        grammar: str | None = None,
        temperature: float | Sequences[float] = 0.0,
        seed: int | Sequences[int] = 0,
        top_logprobs: int = 0,
        deadline_s: float | None = None,
        on_progress: OnProgress | None = None,
        on_completion: OnCompletion | None = None,
        is_wanted: IsWanted = lambda _: True,
        on_text: OnText | None = None,
    ) -> list[Completion]:
        """One completion for each prompt, in their order. Safe for several threads.

        Args:
            max_new_tokens: most tokens of an answer; thinking comes on top.
            grammar: JSON schema, as text, that answers keep to.
            temperature: 0 takes the most likely token; one for all, or one for each prompt.
            seed: the same seed gives a prompt the same answer in any batch; one for all, or
                one for each prompt.
            top_logprobs: how many of the likeliest tokens are told for each token of an
                answer; 0 tells nothing of tokens and costs nothing.
            deadline_s: seconds from now after which answers end as they are.
            on_progress, on_completion, is_wanted, on_text: called by the thread that works
                for all calls just then; what they raise ends this call alone.
            on_progress: called with the number of prompts done and of all prompts.
            on_completion: called once for each prompt as soon as it is done, in any order,
                with its index and completion.
            is_wanted: asked between tokens, with the index of a prompt; where it says no,
                this answer ends as it is, as at the deadline, and the others go on.
            on_text: told the text of answers while they are written; the last characters
                of an answer may only come with its completion.

        Raises:
            PromptTooLongError: a prompt and its answer exceed `max_tokens`; nothing ran.
            GrammarError: `grammar` is no usable JSON schema.
            DeviceError: not even one prompt fits the memory, or the device fails.
        """
        is_in_time = _clock(deadline_s)
        if not prompts:
            return []
        encoded = [self._tokenizer.encode_prompt(prompt) for prompt in prompts]
        self._check_lengths(encoded, max_new_tokens)
        compiled = self._grammars.compile(grammar) if grammar is not None else None
        drawn = _draws(temperature, seed, len(encoded))
        samplings = [
            Sampling(max_new_tokens, self._max_thinking, *one, top_logprobs) for one in drawn
        ]
        is_open = partial(_is_open, is_in_time, is_wanted)
        rows = [
            Sequence(ids, sampling, self._vocabulary, compiled, partial(is_open, number))
            for number, (ids, sampling) in enumerate(zip(encoded, samplings, strict=True))
        ]
        if on_text is not None:
            for number, row in enumerate(rows):
                row.on_token = TextStream(self._tokenizer, number, on_text).take
        report = self._reporter(rows, on_progress, on_completion)
        for alike in _groups(rows):
            self._scheduler.run(Call(alike, report))
        completions = [row.completion(self._tokenizer) for row in rows]
        self._count(completions)
        return completions

    def _reporter(
        self,
        rows: Sequences[Sequence],
        on_progress: OnProgress | None,
        on_completion: OnCompletion | None,
    ) -> OnProgress:
        """Tells each completion once, and then how many there are."""
        told: set[int] = set()

        def report(_num_done: int, _num_all: int) -> None:
            for number, row in enumerate(rows):
                if on_completion and row.stop is not None and number not in told:
                    told.add(number)
                    on_completion(number, row.completion(self._tokenizer))
            if on_progress:
                on_progress(sum(row.stop is not None for row in rows), len(rows))

        return report

    def _check_lengths(self, encoded: Sequences[Sequences[int]], max_new_tokens: int) -> None:
        if max_new_tokens < 1:
            raise ValueError(f"max_new_tokens = {max_new_tokens}; at least 1 is needed")
        for number, ids in enumerate(encoded, start=1):
            if len(ids) + max_new_tokens > self.max_tokens:
                raise PromptTooLongError(
                    f"prompt {number} has {len(ids)} tokens and asks for {max_new_tokens} more;"
                    f" the model takes {self.max_tokens}"
                )
            if not ids:
                raise ValueError(f"prompt {number} is empty")

    def _count(self, completions: Sequences[Completion]) -> None:
        with self._counting:
            counts = self._counts
            self._counts = replace(
                counts,
                prompts=counts.prompts + len(completions),
                prompt_tokens=counts.prompt_tokens + sum(c.prompt_tokens for c in completions),
                cached_prefix_tokens=counts.cached_prefix_tokens
                + sum(c.cached_prefix_tokens for c in completions),
                completion_tokens=counts.completion_tokens
                + sum(c.completion_tokens for c in completions),
            )


def _is_open(is_in_time: Callable[[], bool], is_wanted: IsWanted, number: int) -> bool:
    return is_in_time() and is_wanted(number)


def _clock(deadline_s: float | None) -> Callable[[], bool]:
    """Whether time is left, asked later."""
    if deadline_s is None:
        return lambda: True
    end = time.monotonic() + deadline_s
    return lambda: time.monotonic() < end


def _groups(rows: list[Sequence]) -> list[list[Sequence]]:
    """Rows that run one group after the other: where every prompt is asked again and again,
    each is computed once, and its rows fill a batch. That is worth more than fuller batches:
    prompts are long, and most answers short.
    """
    groups: dict[tuple[int, ...], list[Sequence]] = {}
    for row in rows:
        groups.setdefault(tuple(row.prompt), []).append(row)
    is_asked_again = min(map(len, groups.values())) > 1
    return list(groups.values()) if is_asked_again else [rows]


def _draws(
    temperature: float | Sequences[float], seed: int | Sequences[int], num_prompts: int
) -> list[tuple[float, int]]:
    """Temperature and seed of each prompt."""
    warmths = temperature if isinstance(temperature, Sequences) else [temperature] * num_prompts
    seeds = seed if isinstance(seed, Sequences) else [seed] * num_prompts
    if not len(warmths) == len(seeds) == num_prompts:
        raise ValueError(f"{len(warmths)} temperatures, {len(seeds)} seeds, {num_prompts} prompts")
    return list(zip(warmths, seeds, strict=True))


def _check_vocabulary(folder: Path, tokenizer: Tokenizer, vocab_size: int) -> None:
    if tokenizer.vocab_size > vocab_size:
        raise UnsupportedModelError(
            f"{folder}: tokenizer has {tokenizer.vocab_size} tokens, the model {vocab_size}"
        )
