"""The model inside this process, run by dsengine. Loads torch, which takes seconds."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dsreview.backends.base import BackendSettings, IsWanted, OnText, always_wanted
from dsreview.cache import RUNNERS_FOLDER, default_folder
from dsreview.errors import BackendError, PromptTooLongError
from dsreview.prompt import (
    Alternative,
    Answer,
    OnAnswer,
    Prompt,
    Sampling,
    StopReason,
    TokenChoice,
    ignore_answer,
)

if TYPE_CHECKING:
    from dsengine import Completion, Engine, Message

HOW_TO_INSTALL = "the local backend is not installed; install dsreview with its extra `local`"
_FULL_NUMBERS = ("float32", "bfloat16", "float16")


class LocalBackend:
    """One engine; the answer's schema is enforced token by token."""

    counts_are_estimated = False
    is_shareable = True

    def __init__(self, engine: "Engine", model: str) -> None:
        self._engine = engine
        self.model = model
        self.device = engine.device
        if engine.dtype not in _FULL_NUMBERS:
            self.device += f" ({engine.dtype})"
        self.identity = engine.identity
        self.max_tokens = engine.max_tokens

    @classmethod
    def open(cls, settings: BackendSettings) -> "LocalBackend":
        """Load the model.

        Raises:
            BackendError: torch is not installed, or the model cannot be loaded.
        """
        try:
            from dsengine.errors import EngineError
            from dsengine.fitting import refuse_hopeless
            from dsengine.runners import Wanted
        except ImportError as error:
            raise BackendError(HOW_TO_INSTALL) from error
        asked = Wanted(
            runner=settings.runner,
            device=settings.device,
            weights=settings.weights,
            max_rows=settings.batch_size,
        )
        try:
            refuse_hopeless(settings.model, asked)
            from dsengine import Engine  # torch: seconds

            engine = Engine(
                settings.model,
                device=settings.device,
                runner=settings.runner,
                weights=settings.weights,
                batch_size=settings.batch_size,
                remember_in=default_folder() / RUNNERS_FOLDER,
            )
        except ImportError as error:
            raise BackendError(HOW_TO_INSTALL) from error
        except EngineError as error:
            raise BackendError(str(error)) from error
        return cls(engine, settings.model)

    def count_tokens(self, prompt: Prompt) -> int:
        return self._engine.count_tokens(_conversation(prompt))

    def complete(
        self,
        prompts: Sequence[Prompt],
        sampling: Sampling,
        on_answer: OnAnswer = ignore_answer,
        is_wanted: IsWanted = always_wanted,
        on_text: OnText | None = None,
    ) -> list[Answer]:
        from dsengine import EngineError
        from dsengine.errors import PromptTooLongError as TooLong

        if not prompts:
            return []
        schemas = {prompt.schema for prompt in prompts}
        if len(schemas) > 1:
            raise BackendError("the prompts of one call share one schema")
        draws = [sampling.draw(prompt) for prompt in prompts]
        try:
            completions = self._engine.generate(
                [_conversation(prompt) for prompt in prompts],
                max_new_tokens=sampling.max_new_tokens,
                grammar=schemas.pop() or None,
                temperature=[temperature for temperature, _ in draws],
                seed=[seed for _, seed in draws],
                top_logprobs=sampling.top_logprobs,
                deadline_s=sampling.deadline_s,
                on_completion=lambda index, done: on_answer(index, _answer(done)),
                is_wanted=is_wanted,
                on_text=on_text,
            )
        except TooLong as error:
            raise PromptTooLongError(str(error)) from error
        except EngineError as error:
            raise BackendError(str(error)) from error
        return [_answer(completion) for completion in completions]

    def close(self) -> None:
        """The weights go with the engine."""


def _answer(completion: "Completion") -> Answer:
    return Answer(
        completion.text,
        completion.prompt_tokens,
        completion.completion_tokens,
        StopReason(completion.stop.value),
        tokens=tuple(
            TokenChoice(
                choice.text,
                choice.logprob,
                tuple(Alternative(other.text, other.logprob) for other in choice.top),
            )
            for choice in completion.tokens
        ),
    )


def _conversation(prompt: Prompt) -> "list[Message]":
    from dsengine import Message, Piece

    return [
        Message(
            message.role.value,
            tuple(Piece(piece.text, piece.is_trusted) for piece in message.pieces),
        )
        for message in prompt.messages
    ]
