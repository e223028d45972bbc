"""The worker's side: one model, and calls that share it where it can be shared.

Each call has a thread of its own, or the main thread where the model takes one at a time. A
further one reads what comes in, so that tokens are counted and prompts are let go while
answers are being made. The process ends when the
other side is gone, and after an error that nobody foresaw: what it left on a device is
not known, and a new process costs one load.
"""

import os
import resource
import socket
import threading
from dataclasses import dataclass, field
from queue import SimpleQueue

from dsreview.backends import BACKENDS
from dsreview.backends.base import InterruptibleBackend
from dsreview.backends.worker_frames import (
    OPENING,
    Answered,
    Channel,
    Complete,
    Count,
    Counted,
    Dismiss,
    Done,
    Failed,
    Open,
    Opened,
    Request,
    Wrote,
)
from dsreview.errors import DsreviewError, PromptTooLongError
from dsreview.prompt import Answer

MAX_PROBLEM_LENGTH = 300


def main(descriptor: int) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core dump would hold code
    channel: Channel[Request] = Channel(socket.socket(fileno=descriptor), Request)
    opening = channel.receive()
    if not isinstance(opening, Open):
        return
    worker = _Worker(channel)
    threading.Thread(target=worker.listen, daemon=True).start()
    try:
        worker.run(opening)
    except OSError:
        os._exit(0)  # the other side is gone
    except Exception as error:  # noqa: BLE001 - of the libraries that run models, on any input
        worker.give_up(error)


@dataclass(slots=True)
class _Worker:
    channel: Channel[Request]
    calls: SimpleQueue[Complete] = field(default_factory=SimpleQueue)
    backend: InterruptibleBackend | None = None
    dismissed: dict[int, set[int]] = field(default_factory=dict)
    """Of each call that has not ended: the prompts that nobody waits for."""

    def listen(self) -> None:
        while (request := self.channel.receive()) is not None:
            if isinstance(request, Count):
                self._count(request)
            elif isinstance(request, Complete):
                self.dismissed[request.call] = set()
                self.calls.put(request)
            elif isinstance(request, Dismiss):
                self.dismissed.get(request.call, set()).update(request.indices)
        os._exit(0)  # also in the middle of a load or a pass of the model

    def run(self, opening: Open) -> None:
        try:
            self.backend = BACKENDS[opening.name](opening.settings)
        except DsreviewError as error:
            self.channel.send(Failed(OPENING, str(error), is_last=True))
            return
        opened = self.backend
        self.channel.send(
            Opened(
                opened.model,
                opened.device,
                opened.identity,
                opened.max_tokens,
                opened.counts_are_estimated,
            )
        )
        while True:
            call = self.calls.get()
            if opened.is_shareable:
                threading.Thread(target=self._answer, args=(call, opened), daemon=True).start()
            else:
                self._answer(call, opened)

    def _answer(self, call: Complete, backend: InterruptibleBackend) -> None:
        """Make the answers; the process ends where that cannot be done or told."""
        try:
            self._complete(call, backend)
        except OSError:
            os._exit(0)  # the other side is gone
        except Exception as error:  # noqa: BLE001 - of the libraries that run models
            self.give_up(error, call.call)
            os._exit(1)
        finally:
            self.dismissed.pop(call.call, None)

    def give_up(self, error: Exception, call: int = OPENING) -> None:
        problem = " ".join(f"{type(error).__name__}: {error}".split())
        self.channel.send(Failed(call, problem[:MAX_PROBLEM_LENGTH], is_last=True))

    def _count(self, request: Count) -> None:
        if self.backend is None:  # whoever asks has waited for `Opened`
            return
        try:
            tokens = tuple(self.backend.count_tokens(prompt) for prompt in request.prompts)
            self.channel.send(Counted(request.call, tokens))
        except Exception as error:  # noqa: BLE001 - of tokenizers, on any text
            problem = " ".join(f"{type(error).__name__}: {error}".split())
            self.channel.send(Failed(request.call, problem[:MAX_PROBLEM_LENGTH]))

    def _complete(self, call: Complete, backend: InterruptibleBackend) -> None:
        told: set[int] = set()
        dismissed = self.dismissed[call.call]

        def tell(index: int, answer: Answer) -> None:
            told.add(index)
            self.channel.send(Answered(call.call, index, answer))

        def write(index: int, offset: int, text: str) -> None:
            self.channel.send(Wrote(call.call, index, offset, text))

        try:
            answers = backend.complete(
                call.prompts,
                call.sampling,
                tell,
                lambda index: index not in dismissed,
                write if call.is_streamed else None,
            )
        except DsreviewError as error:
            is_too_long = isinstance(error, PromptTooLongError)
            self.channel.send(Failed(call.call, str(error), is_too_long))
            return
        for index, answer in enumerate(answers):
            if index not in told:
                tell(index, answer)
        self.channel.send(Done(call.call, backend.counts_are_estimated))
