"""Who may ask what: in front of every request.

The Unix socket stands in a folder of this user's alone, so whoever gets there may ask.
An address of the loopback interface is open to web pages in the user's browser (a page's
host name may point to 127.0.0.1) and to other users of the machine: there a request needs
the token, a `Host` that is this address, and no sign of a browser.
"""

import asyncio
import hmac
import logging
from dataclasses import dataclass, field
from typing import Final

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dsreview.backends.resident_wire import MSGPACK
from dsreview.server.metrics import Metrics

JSON: Final = "application/json"
MAX_BODY_BYTES: Final = 32 << 20
BODY_IN_S: Final = 30.0
"""For the whole body of a request."""
_UNKNOWN_PATH: Final = "other"
PUBLIC_PREFIXES: Final = ("/v1/", "/health", "/metrics")
"""What the HTTP address has; the rest is for the Unix socket."""


@dataclass(frozen=True, slots=True)
class HttpAccess:
    """Of the loopback address."""

    host: str
    port: int
    token: str

    @property
    def name(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def names(self) -> tuple[str, ...]:
        """What `Host` may say: this address, and never a name that others could give it."""
        return (self.name, f"localhost:{self.port}")


class _Refused(Exception):
    def __init__(self, status: int, problem: str) -> None:
        super().__init__(problem)
        self.status = status
        self.problem = problem


@dataclass(slots=True)
class Guard:
    """ASGI middleware."""

    app: ASGIApp
    access: HttpAccess | None
    """None where there is no HTTP address."""
    metrics: Metrics
    journal: logging.Logger
    paths: frozenset[str] = field(default_factory=frozenset)
    """Those that exist: others are counted as one."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = scope["path"] if scope["path"] in self.paths else _UNKNOWN_PATH
        status = 0

        async def counted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            self._check(scope)
            await self.app(scope, _bounded(receive), counted)
        except _Refused as refused:
            if not status:
                await _refusal(refused)(scope, receive, counted)
        except Exception as error:  # noqa: BLE001 - whatever it is, its text may hold a prompt
            self.journal.error("%s failed: %s", path, type(error).__name__)
            if not status:
                await _refusal(_Refused(500, "the server failed"))(scope, receive, counted)
        finally:
            self.metrics.requests[path, status] += 1

    def _check(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        if not _is_local(scope):
            self._check_stranger(scope["path"], headers)
        if scope["method"] == "POST":
            kind = headers.get("content-type", "").partition(";")[0].strip().lower()
            if kind not in ((JSON, MSGPACK) if _is_local(scope) else (JSON,)):
                raise _Refused(415, f"content-type {kind[:60]!r}; use {JSON}")
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > MAX_BODY_BYTES:
            raise _Refused(413, f"more than {MAX_BODY_BYTES >> 20} MB")

    def _check_stranger(self, path: str, headers: Headers) -> None:
        access = self.access
        if access is None:
            raise _Refused(403, "no HTTP address is served")
        if headers.getlist("host") not in [[name] for name in access.names]:
            raise _Refused(403, "this host name is not served")
        if "origin" in headers or headers.get("sec-fetch-site", "none") != "none":
            raise _Refused(403, "browsers are not served")
        given = headers.get("authorization", "").partition(" ")
        is_bearer = given[0].lower() == "bearer"
        token = given[2].strip().encode("utf-8", "surrogateescape")
        if not (hmac.compare_digest(token, access.token.encode()) and is_bearer):
            raise _Refused(401, "no such token; `dsreview serve` says where it is kept")
        if not path.startswith(PUBLIC_PREFIXES):
            raise _Refused(404, "there is nothing here")


def _is_local(scope: Scope) -> bool:
    """Whether it came over the Unix socket, which has no port."""
    server = scope.get("server")
    return server is not None and server[1] is None


def _bounded(receive: Receive) -> Receive:
    """Of a body that tells no length too, and of one that does not come."""
    received = 0
    is_whole = False
    end = asyncio.get_running_loop().time() + BODY_IN_S

    async def take() -> Message:
        nonlocal received, is_whole
        if is_whole:  # whoever waits now waits for the client to leave
            return await receive()
        try:
            async with asyncio.timeout_at(end):
                message = await receive()
        except TimeoutError:
            raise _Refused(408, "the request does not come") from None
        if message["type"] == "http.request":
            received += len(message.get("body", b""))
            is_whole = not message.get("more_body", False)
            if received > MAX_BODY_BYTES:
                raise _Refused(413, f"more than {MAX_BODY_BYTES >> 20} MB")
        return message

    return take


def _refusal(refused: _Refused) -> JSONResponse:
    content = {
        "error": {
            "message": refused.problem,
            "type": "invalid_request_error",
            "param": None,
            "code": None,
        }
    }
    headers = {"connection": "close"}
    if refused.status == 401:
        headers["www-authenticate"] = "Bearer"
    return JSONResponse(content, refused.status, headers)
