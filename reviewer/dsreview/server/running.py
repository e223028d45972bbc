"""A server from its start to its end: lock, sockets, model, signals, idle exit."""

import asyncio
import logging
import os
import signal
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import FrameType
from typing import Any, Final

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from dsreview.backends.base import BackendSettings
from dsreview.backends.resident_place import Place
from dsreview.errors import BackendError, DsreviewError, UsageError
from dsreview.server.app import build_app
from dsreview.server.guard import HttpAccess
from dsreview.server.journal import close_journal, open_journal
from dsreview.server.listening import listen_for_http, listen_for_reviews
from dsreview.server.locking import locked
from dsreview.server.service import Service

SERVED_BACKENDS: Final = ("local", "scripted")
"""What it makes sense to keep warm."""

_HEADERS_IN_S: Final = 10.0
"""For the headers of a request, from its connection or its first byte."""
_KEEP_ALIVE_S: Final = 75
_MAX_CONNECTIONS: Final = 200
_STOP_IN_S: Final = 3
_LOOK_INTERVAL_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class ServeOptions:
    backend: str
    settings: BackendSettings
    idle_exit_s: float
    """Without a request for so long it ends; 0 is never."""
    http: str = ""
    """`HOST:PORT` of the loopback interface, or empty."""
    may_be_root: bool = False


@dataclass(frozen=True, slots=True)
class Listening:
    """What a server says of itself when it has begun."""

    place: Place
    http_address: str


def serve(options: ServeOptions, place: Place, on_start: Callable[[Listening], None]) -> None:
    """Serve until a signal, a request to stop, or nobody asks any more.

    Raises:
        UsageError: this user or address is refused.
        AlreadyRunning: there is a server.
        BackendError: the model cannot be loaded, or the sockets cannot be made.
    """
    place.prepare()
    with locked(place), _journal(place) as journal, _signals() as is_told:
        try:
            _refuse_unfit(options)
            asyncio.run(_serve(options, place, journal, on_start, is_told))
        except DsreviewError as error:
            journal.error("ended: %s", error)
            raise
        finally:
            with suppress(OSError):
                place.socket.unlink()
        journal.info("ended")


def _refuse_unfit(options: ServeOptions) -> None:
    if options.backend not in SERVED_BACKENDS:
        raise UsageError(f"backend {options.backend}; served are {', '.join(SERVED_BACKENDS)}")
    if os.geteuid() == 0 and not options.may_be_root:
        raise UsageError("a server of root would let requests work as root; --allow-root does it")


async def _serve(
    options: ServeOptions,
    place: Place,
    journal: logging.Logger,
    on_start: Callable[[Listening], None],
    is_told: asyncio.Event,
) -> None:
    asyncio.get_running_loop().set_exception_handler(_log_kind_alone(journal))
    access: HttpAccess | None = None
    sockets: list[socket.socket] = []
    if options.http:
        listener, access = listen_for_http(options.http, place)
        sockets.append(listener)
    sockets.append(listen_for_reviews(place))
    address = f"http://{access.name}/v1" if access else ""
    service = Service.of(options.backend, options.settings, journal, options.idle_exit_s, address)
    server = _Server(service, access)
    journal.info("process %d serves %s", os.getpid(), options.settings.model)
    on_start(Listening(place, address))
    await server.run_until_end(sockets, is_told)


class _Server(uvicorn.Server):
    """uvicorn, with the model's process beside it."""

    def __init__(self, service: Service, access: HttpAccess | None) -> None:
        app = build_app(service, access, self._stop)
        super().__init__(
            uvicorn.Config(
                app,
                http=_Impatient,
                ws="none",
                lifespan="off",
                loop="asyncio",
                log_config=None,
                log_level=logging.CRITICAL + 1,  # its errors quote what a request held
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_keep_alive=_KEEP_ALIVE_S,
                timeout_graceful_shutdown=_STOP_IN_S,
                limit_concurrency=_MAX_CONNECTIONS,
                backlog=_MAX_CONNECTIONS,
            )
        )
        self._service = service
        self._dispatching: asyncio.Task[None] | None = None
        self._was_asked_to_stop = False

    async def run_until_end(self, sockets: list[socket.socket], is_told: asyncio.Event) -> None:
        """Until a signal, a request to stop, or nobody asks any more.

        Args:
            is_told: set where a signal came before uvicorn listened for signals.

        Raises:
            BackendError: the model cannot be loaded.
        """
        self._dispatching = asyncio.create_task(self._service.dispatcher.run())
        loading = asyncio.create_task(self._service.load())
        loading.add_done_callback(self._stop_if_failed)
        watching = asyncio.create_task(self._watch(is_told))
        try:
            await self.serve(sockets)
        finally:
            watching.cancel()
            await self._service.close(self._dispatching)
            await asyncio.gather(watching, loading, return_exceptions=True)
        if not loading.cancelled() and (error := loading.exception()) is not None:
            if self._was_asked_to_stop and isinstance(error, BackendError):
                return
            raise error

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """First let everybody know who still waits."""
        if self._dispatching is not None:
            await self._service.close(self._dispatching)
        await super().shutdown(sockets)

    def _stop(self) -> None:
        self._was_asked_to_stop = True
        self.should_exit = True

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._was_asked_to_stop = True
        super().handle_exit(sig, frame)

    def _stop_if_failed(self, loading: "asyncio.Task[None]") -> None:
        if loading.cancelled() or loading.exception() is not None:
            self.should_exit = True

    async def _watch(self, is_told: asyncio.Event) -> None:
        limit_s = self._service.idle_exit_s
        while not is_told.is_set():
            await asyncio.sleep(min(_LOOK_INTERVAL_S, limit_s / 4 or _LOOK_INTERVAL_S))
            is_loaded = self._service.facts is not None
            if limit_s and is_loaded and self._service.idle_s >= limit_s:
                self._service.journal.info("nobody asked for %.0f s", limit_s)
                break
        self._stop()


class _Impatient(H11Protocol):
    """Closes connections that do not come to the end of their headers.

    uvicorn waits for ever there, and a few hundred such connections are all it has.
    """

    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._wait_no_more()
        elif self._waiting is None and self.conn.trailing_data[0]:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._wait_no_more()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._waiting = self.loop.call_later(_HEADERS_IN_S, self.transport.close)

    def _wait_no_more(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None


@contextmanager
def _journal(place: Place) -> Iterator[logging.Logger]:
    journal = open_journal(place.log)
    try:
        yield journal
    finally:
        close_journal(journal)


@contextmanager
def _signals() -> Iterator[asyncio.Event]:
    """Set by a signal that comes before uvicorn listens, or that it raises again after.

    It does so with what it has obeyed, so that the process would end as if it had failed.
    """
    is_told = asyncio.Event()
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = {number: signal.signal(number, lambda *_: is_told.set()) for number in numbers}
    try:
        yield is_told
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)


def _log_kind_alone(
    journal: logging.Logger,
) -> Callable[[asyncio.AbstractEventLoop, Mapping[str, Any]], None]:
    def log(_: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:
        journal.error("failed: %s", type(context.get("exception")).__name__)

    return log
