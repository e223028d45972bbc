"""A backend's answers, kept: a prompt that was answered before costs no tokens."""

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from dsreview import __version__
from dsreview.cache import Cache
from dsreview.errors import BackendError
from dsreview.prompt import Answer, Backend, Prompt, Sampling, StopReason

OnProgress = Callable[[int, int], None]
"""Told how many prompts are done, of how many."""


def ignore_progress(num_done: int, num_all: int) -> None:
    """Nobody watches."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What answers cost; those from the cache cost nothing."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    cache_hits: int = 0
    cache_misses: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.seconds + other.seconds,
            self.cache_hits + other.cache_hits,
            self.cache_misses + other.cache_misses,
        )


@dataclass(frozen=True, slots=True)
class Answers:
    answers: tuple[Answer, ...]
    usage: Usage


def answer_key(prompt: Prompt, sampling: Sampling, identity: str, namespace: str) -> str:
    """Names all that shapes an answer; `namespace` parts what must not share answers."""
    messages = [
        (message.role.value, [(piece.text, piece.is_trusted) for piece in message.pieces])
        for message in prompt.messages
    ]
    parts = (
        __version__,
        namespace,
        identity,
        prompt.name,
        prompt.revision,
        prompt.schema,
        messages,
        (sampling.max_new_tokens, *sampling.draw(prompt), sampling.top_logprobs),
    )
    return "answer-" + hashlib.sha256(msgspec.json.encode(parts)).hexdigest()


def is_known(
    prompt: Prompt, backend: Backend, sampling: Sampling, cache: Cache | None, namespace: str
) -> bool:
    """Whether the answer to `prompt` is kept, so that it costs nothing."""
    return _stored(cache, answer_key(prompt, sampling, backend.identity, namespace)) is not None


def complete(
    prompts: Sequence[Prompt],
    backend: Backend,
    sampling: Sampling,
    cache: Cache | None,
    namespace: str,
    on_progress: OnProgress = ignore_progress,
) -> Answers:
    """One answer for each prompt: from `cache`, and the rest in one call of the backend.

    Only answers that came to their end are kept, each as soon as it is there: a run that
    is interrupted pays for none of them twice. Where the backend breaks down after some
    prompts have their answers, only the others have failed.

    Raises:
        BackendError: as `Backend.complete`, where no prompt has an answer.
    """
    keys = [answer_key(prompt, sampling, backend.identity, namespace) for prompt in prompts]
    known = {key: answer for key in keys if (answer := _stored(cache, key)) is not None}
    asked = [index for index, key in enumerate(keys) if key not in known]
    fresh: dict[int, Answer] = {}
    num_known = len(prompts) - len(asked)

    def keep(position: int, answer: Answer) -> None:
        index = asked[position]
        fresh[index] = answer
        if cache is not None and answer.stop is StopReason.END:
            cache.put(keys[index], msgspec.msgpack.encode(answer))
        on_progress(num_known + len(fresh), len(prompts))

    started = time.perf_counter()
    if asked:
        try:
            answers = backend.complete([prompts[index] for index in asked], sampling, keep)
            for position, answer in enumerate(answers):
                if asked[position] not in fresh:  # a backend may tell none before all are there
                    keep(position, answer)
        except BackendError as error:
            if not known and not fresh:
                raise
            failed = Answer.failed(str(error))
            fresh = dict.fromkeys(asked, failed) | fresh
    usage = Usage(
        prompt_tokens=sum(answer.prompt_tokens for answer in fresh.values()),
        completion_tokens=sum(answer.completion_tokens for answer in fresh.values()),
        seconds=time.perf_counter() - started if asked else 0.0,
        cache_hits=num_known,
        cache_misses=len(asked),
    )
    return Answers(
        tuple(fresh[i] if i in fresh else known[key] for i, key in enumerate(keys)), usage
    )


def _stored(cache: Cache | None, key: str) -> Answer | None:
    stored = cache.get(key) if cache is not None else None
    if stored is None:
        return None
    try:
        return msgspec.msgpack.decode(stored, type=Answer)
    except msgspec.DecodeError:
        return None
