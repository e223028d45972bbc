"""A backend whose end can wait until somebody has read the report."""

from collections.abc import Sequence

from dsreview.prompt import Answer, Backend, OnAnswer, Prompt, Sampling, ignore_answer


class ClosedLater:
    """As the backend within, but for `close`: giving back a model's memory may take a second."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.model = backend.model
        self.device = backend.device
        self.identity = backend.identity
        self.max_tokens = backend.max_tokens

    @property
    def counts_are_estimated(self) -> bool:
        return self._backend.counts_are_estimated

    def count_tokens(self, prompt: Prompt) -> int:
        return self._backend.count_tokens(prompt)

    def complete(
        self,
        prompts: Sequence[Prompt],
        sampling: Sampling,
        on_answer: OnAnswer = ignore_answer,
    ) -> list[Answer]:
        return self._backend.complete(prompts, sampling, on_answer)

    def close(self) -> None:
        """Whoever made this closes the backend within."""
