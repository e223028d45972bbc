"""Answers from a list: for tests, demos and trying a hook without a model."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import msgspec

from dsreview.backends.base import BackendSettings, IsWanted, OnText, always_wanted
from dsreview.errors import BackendError, PromptTooLongError
from dsreview.prompt import Answer, OnAnswer, Prompt, Sampling, StopReason, ignore_answer

_CHARS_PER_TOKEN = 4


class ScriptedBackend:
    """Gives its answers in order, one a prompt, and keeps what it was asked."""

    model = "scripted"
    device = "none"
    counts_are_estimated = True
    is_shareable = False

    def __init__(self, answers: Sequence[str | Answer], max_tokens: int = 1 << 20) -> None:
        self.unused = list(answers)
        self.batches: list[tuple[list[Prompt], Sampling]] = []
        self.max_tokens = max_tokens
        texts = [answer if isinstance(answer, str) else answer.text for answer in answers]
        self.identity = hashlib.sha256(json.dumps(texts).encode()).hexdigest()

    @classmethod
    def open(cls, settings: BackendSettings) -> "ScriptedBackend":
        """Answers from a JSON file: a list of strings.

        Raises:
            BackendError: the file cannot be read as such a list.
        """
        try:
            return cls(msgspec.json.decode(Path(settings.model).read_bytes(), type=list[str]))
        except (OSError, msgspec.DecodeError) as error:
            raise BackendError(f"{settings.model}: {error}") from error

    def count_tokens(self, prompt: Prompt) -> int:
        return sum(len(message.text) for message in prompt.messages) // _CHARS_PER_TOKEN + 1

    def complete(
        self,
        prompts: Sequence[Prompt],
        sampling: Sampling,
        on_answer: OnAnswer = ignore_answer,
        is_wanted: IsWanted = always_wanted,
        on_text: OnText | None = None,
    ) -> list[Answer]:
        for prompt in prompts:
            if self.count_tokens(prompt) + sampling.max_new_tokens > self.max_tokens:
                raise PromptTooLongError(f"a prompt exceeds the window of {self.max_tokens}")
        self.batches.append((list(prompts), sampling))
        if len(self.unused) < len(prompts):
            raise BackendError(f"{len(prompts)} prompts, {len(self.unused)} scripted answers left")
        answers = []
        for index, prompt in enumerate(prompts):
            answers.append(self._answer(prompt))
            if on_text is not None:
                on_text(index, 0, answers[-1].text)
            on_answer(index, answers[-1])
        return answers

    def close(self) -> None:
        """Nothing to give back."""

    def _answer(self, prompt: Prompt) -> Answer:
        answer = self.unused.pop(0)
        if isinstance(answer, Answer):
            return answer
        num_tokens = len(answer) // _CHARS_PER_TOKEN + 1
        return Answer(answer, self.count_tokens(prompt), num_tokens, StopReason.END)
