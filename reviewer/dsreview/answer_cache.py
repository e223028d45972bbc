"""A backend's answers, kept: a prompt that was answered before costs no tokens."""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from dsreview import __version__
from dsreview.cache import Cache
from dsreview.prompt import (
    Answer,
    Backend,
    OnProgress,
    Prompt,
    Sampling,
    StopReason,
    ignore_progress,
)


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
        (sampling.max_new_tokens, sampling.temperature, sampling.seed),
    )
    return "answer-" + hashlib.sha256(msgspec.json.encode(parts)).hexdigest()


def complete(
    prompts: Sequence[Prompt],
    backend: Backend,
    sampling: Sampling,
    cache: Cache | None,
    namespace: str,
    on_progress: OnProgress = ignore_progress,
) -> Answers:
    """One answer for each prompt: from `cache`, and the rest in one call of the backend.

    Only answers that came to their end are kept.

    Raises:
        BackendError: as `Backend.complete`.
    """
    keys = [answer_key(prompt, sampling, backend.identity, namespace) for prompt in prompts]
    known = {key: answer for key in keys if (answer := _stored(cache, key)) is not None}
    asked = [(key, prompt) for key, prompt in zip(keys, prompts, strict=True) if key not in known]
    started = time.perf_counter()
    num_known = len(prompts) - len(asked)

    def tell(num_done: int, num_asked: int) -> None:
        on_progress(num_known + num_done, num_known + num_asked)

    fresh = backend.complete([prompt for _, prompt in asked], sampling, tell) if asked else []
    seconds = time.perf_counter() - started if asked else 0.0
    for (key, _), answer in zip(asked, fresh, strict=True):
        known[key] = answer
        if cache is not None and answer.stop is StopReason.END:
            cache.put(key, msgspec.msgpack.encode(answer))
    usage = Usage(
        prompt_tokens=sum(answer.prompt_tokens for answer in fresh),
        completion_tokens=sum(answer.completion_tokens for answer in fresh),
        seconds=seconds,
        cache_hits=num_known,
        cache_misses=len(asked),
    )
    return Answers(tuple(known[key] for key in keys), usage)


def _stored(cache: Cache | None, key: str) -> Answer | None:
    stored = cache.get(key) if cache is not None else None
    if stored is None:
        return None
    try:
        return msgspec.msgpack.decode(stored, type=Answer)
    except msgspec.DecodeError:
        return None
