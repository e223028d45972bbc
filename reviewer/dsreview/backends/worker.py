"""A backend whose model lives in a process of its own.

It sees prompts and nothing else: no token, no repository, no environment but what says
where models and devices are. It may crash or be killed: a call that it was answering
fails, and the next one starts it again.
"""

import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from queue import Empty
from typing import Final

from dsreview.backends.base import BackendSettings, IsWanted, OnText, absolute_model, always_wanted
from dsreview.backends.worker_frames import (
    Answered,
    Complete,
    Count,
    Counted,
    Dismiss,
    Done,
    Failed,
    Open,
    Opened,
    Reply,
    Wrote,
)
from dsreview.backends.worker_process import Replies, WorkerDied, WorkerProcess
from dsreview.errors import BackendError, PromptTooLongError
from dsreview.prompt import Answer, OnAnswer, Prompt, Sampling, StopReason, ignore_answer

_LOOK_INTERVAL_S: Final = 0.05
"""How often a call looks whether its answers are still wanted."""
_LATE_S: Final = 0.5
"""What the process may take to say what it has at a deadline: a pass of the model."""
_STUCK_S: Final = 60.0
"""A process that has not left a call for so long is killed by the next one."""

__all__ = ["WorkerBackend", "WorkerDied"]


class WorkerBackend:
    """A row of `BACKENDS` in its own process. Safe to share between threads.

    Tokens are counted while answers are made; calls of `complete` share the model's batches
    there, where it can.
    """

    def __init__(self, name: str, settings: BackendSettings) -> None:
        """
        Args:
            name: a row of `BACKENDS`.
        """
        self._given = settings
        self._opening = Open(name, replace(settings, model=absolute_model(name, settings.model)))
        self._starting = threading.Lock()
        self._process: WorkerProcess | None = None
        self._facts: Opened | None = None
        self._has_estimated = False
        self._num_starts = 0
        self._is_closed = False

    @classmethod
    def open(cls, name: str, settings: BackendSettings) -> "WorkerBackend":
        """Start the process and load the model there.

        Raises:
            BackendError: the model cannot be loaded.
        """
        worker = cls(name, settings)
        worker.load()
        return worker

    def load(self) -> None:
        """See `open`; returns at once where the process is running."""
        self._running()

    @property
    def model(self) -> str:
        model = self._known.model
        return self._given.model if model == self._opening.settings.model else model

    @property
    def device(self) -> str:
        return self._known.device

    @property
    def identity(self) -> str:
        return self._known.identity

    @property
    def max_tokens(self) -> int:
        return self._known.max_tokens

    @property
    def counts_are_estimated(self) -> bool:
        return self._has_estimated or self._known.counts_are_estimated

    @property
    def pid(self) -> int | None:
        """Of the process, while there is one."""
        process = self._process
        return None if process is None or process.is_gone else process.pid

    @property
    def num_restarts(self) -> int:
        return max(0, self._num_starts - 1)

    def count_tokens(self, prompt: Prompt) -> int:
        return self.count_all([prompt])[0]

    def count_all(self, prompts: Sequence[Prompt]) -> tuple[int, ...]:
        """`count_tokens` of each, in one exchange.

        Raises:
            BackendError: the process is gone, or cannot count them.
        """
        process = self._running()
        with process.asked(lambda call: Count(call, tuple(prompts))) as (_, replies):
            reply = replies.get()
        if isinstance(reply, Counted):
            return reply.tokens
        raise BackendError(reply.problem) if isinstance(reply, Failed) else process.death()

    def complete(
        self,
        prompts: Sequence[Prompt],
        sampling: Sampling,
        on_answer: OnAnswer = ignore_answer,
        is_wanted: IsWanted = always_wanted,
        on_text: OnText | None = None,
    ) -> list[Answer]:
        if not prompts:
            return []
        started = time.monotonic()
        process = self._running()
        if sampling.deadline_s is not None:  # a load may have taken its part
            left_s = sampling.deadline_s - (time.monotonic() - started)
            sampling = replace(sampling, deadline_s=max(0.0, left_s))

        def request(call: int) -> Complete:
            return Complete(call, tuple(prompts), sampling, is_streamed=on_text is not None)

        with process.asked(request) as (number, replies):
            call = _Call(process, number, replies, len(prompts), on_answer, is_wanted, on_text)
            try:
                self._has_estimated |= call.run(sampling.deadline_s)
            except BaseException:
                call.leave()
                raise
        if len(call.answers) < len(prompts):  # or whoever waits for them would for ever
            raise BackendError(f"{process.name} left prompts without an answer")
        return [call.answers[index] for index in range(len(prompts))]

    def close(self) -> None:
        """End the process, whatever it does. Later calls fail."""
        self._is_closed = True
        process = self._process
        if process is not None:
            process.kill()

    @property
    def _known(self) -> Opened:
        if self._facts is None:
            self._running()
        assert self._facts is not None
        return self._facts

    def _require_open(self) -> None:
        if self._is_closed:
            raise WorkerDied(f"{self._opening.settings.model} was closed")

    def _running(self) -> WorkerProcess:
        """The process with its model loaded, started if need be."""
        with self._starting:
            known = self._process
            if known is not None and not known.is_gone and known.left_for_s() < _STUCK_S:
                return known
            if known is not None:
                known.kill()
            self._require_open()
            self._process = process = WorkerProcess(self._opening)
            self._num_starts += 1
            try:
                self._require_open()  # `close` does not wait for a load
                facts = process.load()
            except BaseException:
                process.kill()
                raise
            if self._facts not in (None, facts):
                process.kill()
                raise BackendError(f"{self._opening.settings.model} is another model than before")
            self._facts = facts
            return process


@dataclass(slots=True)
class _Call:
    """One call of `complete` while it runs."""

    process: WorkerProcess
    number: int
    replies: Replies
    num_prompts: int
    on_answer: OnAnswer
    is_wanted: IsWanted
    on_text: OnText | None
    answers: dict[int, Answer] = field(default_factory=dict)
    dismissed: set[int] = field(default_factory=set)

    def run(self, deadline_s: float | None) -> bool:
        """Until every prompt has its answer; whether token counts of some are estimates."""
        end = None if deadline_s is None else time.monotonic() + deadline_s + _LATE_S
        looked = time.monotonic()
        while end is None or time.monotonic() < end:
            if time.monotonic() - looked > _LOOK_INTERVAL_S:  # also where much is written
                self._dismiss_unwanted()
                looked = time.monotonic()
            reply = self._next()
            if isinstance(reply, Answered):
                self._take(reply.index, reply.answer)
            elif isinstance(reply, Wrote) and self.on_text is not None:
                self.on_text(reply.index, reply.offset, reply.text)
            elif isinstance(reply, Done):
                return reply.counts_are_estimated
            elif isinstance(reply, Failed):
                kind = PromptTooLongError if reply.is_too_long else BackendError
                raise kind(reply.problem)
        self.leave()
        for index in self._missing():
            self._take(index, Answer("", 0, 0, StopReason.DEADLINE))
        return False

    def leave(self) -> None:
        """Let the process stop working for this call."""
        with suppress(BackendError):
            self.process.send(Dismiss(self.number, tuple(self._missing())))

    def _next(self) -> Reply | None:
        """What came, or None after a while without anything.

        Raises:
            WorkerDied: the process is gone.
        """
        try:
            reply = self.replies.get(timeout=_LOOK_INTERVAL_S)
        except Empty:
            return None
        if reply is None:
            raise self.process.death()
        return reply

    def _take(self, index: int, answer: Answer) -> None:
        self.answers[index] = answer
        self.on_answer(index, answer)

    def _missing(self) -> list[int]:
        return [index for index in range(self.num_prompts) if index not in self.answers]

    def _dismiss_unwanted(self) -> None:
        unwanted = [
            index
            for index in self._missing()
            if index not in self.dismissed and not self.is_wanted(index)
        ]
        if unwanted:
            self.dismissed.update(unwanted)
            self.process.send(Dismiss(self.number, tuple(unwanted)))
