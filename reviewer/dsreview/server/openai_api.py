"""`/v1/chat/completions` and `/v1/models`, for clients that speak OpenAI's interface."""

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from pathlib import PurePath
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from dsreview.backends.resident_wire import MAX_CLIENT_LENGTH
from dsreview.errors import BackendError, PromptTooLongError, UsageError
from dsreview.prompt import Answer, Prompt, Sampling, StopReason
from dsreview.server import openai_format
from dsreview.server.dispatch import Busy
from dsreview.server.following import ClientLeft, Stream, unless_left
from dsreview.server.guard import JSON
from dsreview.server.jobs import Job, Piece
from dsreview.server.openai_format import ChatRequest
from dsreview.server.service import Service

EVENTS: Final = "text/event-stream"
_FAILED: Final = "server_error"
_OWNER: Final = "dsreview"
_UNANSWERED: Final = (StopReason.FAILED, StopReason.DEADLINE)


@dataclass(frozen=True, slots=True)
class OpenAIApi:
    service: Service

    async def models(self, request: Request) -> Response:
        model = {"id": self._model, "object": "model", "created": 0, "owned_by": _OWNER}
        return _json(msgspec.json.encode({"object": "list", "data": [model]}))

    async def chat(self, request: Request) -> Response:
        try:
            asked = openai_format.read_request(await request.body())
            if asked.model not in (self._model, _OWNER):
                return _refused(404, f"this server has {self._model}", "model_not_found")
            prompt = openai_format.prompt_of(asked)
            sampling = await unless_left(self._sampling(asked, prompt), request.receive)
            job = Job.of(_client(request, asked), (prompt,), sampling, bool(asked.stream))
            self.service.dispatcher.submit(job)
        except UsageError as error:
            return _refused(400, str(error), None)
        except PromptTooLongError as error:
            return _refused(400, str(error), "context_length_exceeded")
        except Busy as error:
            busy = openai_format.problem(str(error), "rate_limit_exceeded", "rate_limit_error")
            return _json(busy, 429, {"retry-after": str(error.retry_after_s)})
        except BackendError as error:
            return _json(openai_format.problem(str(error), None, _FAILED), 503)
        except ClientLeft:
            return Response(status_code=499)
        leave = partial(self.service.dispatcher.leave, job)
        if asked.stream:
            return Stream(partial(self._events, job, asked), EVENTS, leave)
        try:
            answer = await unless_left(self._answer(job), request.receive)
        except ClientLeft:
            return Response(status_code=499)
        finally:
            leave()
        if answer.stop in _UNANSWERED:
            return _json(openai_format.problem(answer.problem, None, _FAILED), 500)
        identifier = openai_format.new_identifier()
        return _json(openai_format.completion(answer, identifier, self._model, asked))

    async def _events(self, job: Job, asked: ChatRequest) -> AsyncIterator[bytes]:
        identifier, model = openai_format.new_identifier(), self._model
        part = partial(openai_format.chunk, identifier, model)
        yield part({"role": "assistant", "content": ""})
        told, started = "", time.monotonic()
        event = await self._next(job, started)
        while isinstance(event, Piece):
            if event.offset <= len(told) and (new := event.text[len(told) - event.offset :]):
                told += new
                yield part({"content": new})
            event = await self._next(job, started)
        answer = event
        problem = answer.problem
        if answer.stop in _UNANSWERED or not answer.text.startswith(told):
            problem = problem or "the model was started again and answers in other words"
            yield openai_format.sse(openai_format.problem(problem, None, _FAILED))
            return
        if rest := answer.text[len(told) :]:
            yield part({"content": rest})
        yield part({}, openai_format.finish_reason(answer))
        if asked.stream_options is not None and asked.stream_options.include_usage:
            yield openai_format.usage_chunk(identifier, model, answer)
        yield openai_format.sse(b"[DONE]")

    async def _answer(self, job: Job) -> Answer:
        started = time.monotonic()
        event = await self._next(job, started)
        while isinstance(event, Piece):
            event = await self._next(job, started)
        return event

    async def _next(self, job: Job, started: float) -> Piece | Answer:
        """What comes next; an answer is counted and logged."""
        _, event = await job.events.get()
        if isinstance(event, Answer):
            seconds = time.monotonic() - started
            self.service.metrics.count_answer(event)
            self.service.metrics.count_duration(seconds)
            self.service.journal.info(
                "chat: %d and %d tokens, %s, %.2f s",
                event.prompt_tokens,
                event.completion_tokens,
                event.stop.value,
                seconds,
            )
        return event

    async def _sampling(self, asked: ChatRequest, prompt: Prompt) -> Sampling:
        """Raises PromptTooLongError where prompt and answer exceed the window."""
        named = asked.max_completion_tokens or asked.max_tokens or 1
        (num_tokens,) = await self.service.require_fit([prompt], named)
        assert self.service.facts is not None
        return openai_format.sampling_of(asked, self.service.facts.max_tokens - num_tokens)

    @property
    def _model(self) -> str:
        """A folder's name, not its path: clients need not know where it is."""
        model = self.service.served.model
        return PurePath(model).name if model.startswith("/") else model


def _client(request: Request, asked: ChatRequest) -> str:
    """Who takes turns: whoever the request says it is for, else its connection."""
    if asked.user:
        return asked.user[:MAX_CLIENT_LENGTH]
    return str(request.client) if request.client else str(id(request.scope))


def _json(content: bytes, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(content, status, headers, JSON)


def _refused(status: int, message: str, code: str | None) -> Response:
    return _json(openai_format.problem(message, code), status)
