"""The paths of the server, behind its guard."""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router

from dsreview import __version__
from dsreview.backends.resident_wire import (
    COMPLETE_PATH,
    COUNT_PATH,
    HELLO_PATH,
    STOP_PATH,
    State,
)
from dsreview.server import metrics
from dsreview.server.guard import JSON, Guard, HttpAccess
from dsreview.server.openai_api import OpenAIApi
from dsreview.server.review_api import ReviewApi
from dsreview.server.service import Service


@dataclass(frozen=True, slots=True)
class _Watching:
    """For whoever looks after servers."""

    service: Service

    async def health(self, request: Request) -> Response:
        state = self.service.state
        content = msgspec.json.encode({"status": state.value, "version": __version__})
        return Response(content, 200 if state is State.READY else 503, media_type=JSON)

    async def metrics(self, request: Request) -> Response:
        service = self.service
        text = service.metrics.render(
            num_jobs=service.dispatcher.num_jobs,
            num_restarts=service.worker.num_restarts,
            is_ready=service.state is State.READY,
        )
        return Response(text, media_type=metrics.CONTENT_TYPE)


def build_app(service: Service, access: HttpAccess | None, stop: Callable[[], None]) -> Guard:
    """
    Args:
        access: of the HTTP address, if there is one.
        stop: ends the server, once its answer is sent.
    """
    review = ReviewApi(service, stop)
    openai = OpenAIApi(service)
    watching = _Watching(service)
    routes = [
        Route(HELLO_PATH, review.hello, methods=["GET"]),
        Route(COUNT_PATH, review.count, methods=["POST"]),
        Route(COMPLETE_PATH, review.complete, methods=["POST"]),
        Route(STOP_PATH, review.stop, methods=["POST"]),
        Route("/v1/chat/completions", openai.chat, methods=["POST"]),
        Route("/v1/models", openai.models, methods=["GET"]),
        Route("/health", watching.health, methods=["GET"]),
        Route("/metrics", watching.metrics, methods=["GET"]),
    ]
    paths = frozenset(route.path for route in routes)
    return Guard(Router(routes), access, service.metrics, service.journal, paths)
