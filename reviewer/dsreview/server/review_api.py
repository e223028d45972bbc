"""What reviews ask, over the Unix socket: pieces of a prompt keep their trust."""

import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from dsreview.backends.resident_wire import (
    MAX_CLIENT_LENGTH,
    MSGPACK,
    CompleteRequest,
    CountRequest,
    Problem,
)
from dsreview.backends.worker_frames import Answered, Done, framed
from dsreview.errors import BackendError, PromptTooLongError
from dsreview.server.dispatch import Busy
from dsreview.server.following import ClientLeft, Stream, unless_left
from dsreview.server.jobs import Job
from dsreview.server.service import Service

T = TypeVar("T")
_CALL: Final = 0
"""One call a connection: its number says nothing."""


@dataclass(frozen=True, slots=True)
class ReviewApi:
    service: Service
    stop_server: Callable[[], None]

    async def hello(self, request: Request) -> Response:
        return _packed(self.service.hello())

    async def stop(self, request: Request) -> Response:
        self.service.journal.info("asked to stop")
        self.stop_server()
        return _packed(None)

    async def count(self, request: Request) -> Response:
        try:
            asked = await _decoded(request, CountRequest)
            self._require_same(asked.instance)
            counts = await unless_left(self.service.count(asked.prompts), request.receive)
        except (BackendError, ClientLeft) as error:
            return _problem(error)
        return _packed(counts)

    async def complete(self, request: Request) -> Response:
        try:
            asked = await _decoded(request, CompleteRequest)
            self._require_same(asked.instance)
            job = Job.of(asked.client[:MAX_CLIENT_LENGTH], asked.prompts, asked.sampling)
            fitting = self.service.require_fit(asked.prompts, asked.sampling.max_new_tokens)
            await unless_left(fitting, request.receive)
            self.service.dispatcher.submit(job)
        except Busy as error:
            return _packed(Problem(str(error)), 429, {"retry-after": str(error.retry_after_s)})
        except (BackendError, ClientLeft) as error:
            return _problem(error)
        leave = partial(self.service.dispatcher.leave, job)
        return Stream(partial(self._events, job), MSGPACK, leave)

    async def _events(self, job: Job) -> AsyncIterator[bytes]:
        started = time.monotonic()
        num_tokens = 0
        async for index, answer in job.answers():
            self.service.metrics.count_answer(answer)
            num_tokens += answer.completion_tokens
            yield framed(Answered(_CALL, index, answer))
        seconds = time.monotonic() - started
        self.service.metrics.count_duration(seconds)
        self.service.journal.info(
            "review: %d prompts, %d tokens written, %.2f s", len(job.prompts), num_tokens, seconds
        )
        yield framed(Done(_CALL, self.service.worker.counts_are_estimated))

    def _require_same(self, instance: str) -> None:
        if instance != self.service.instance:
            raise BackendError("the server was started anew in between")


async def _decoded(request: Request, kind: type[T]) -> T:
    try:
        return msgspec.msgpack.decode(await request.body(), type=kind)
    except msgspec.DecodeError as error:
        raise BackendError(f"the request cannot be read: {error}") from None


def _packed(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(msgspec.msgpack.encode(value), status, headers, MSGPACK)


def _problem(error: BackendError | ClientLeft) -> Response:
    problem = Problem(str(error), is_too_long=isinstance(error, PromptTooLongError))
    return _packed(problem, 400)
