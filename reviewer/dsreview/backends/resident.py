"""The resident server's model, over its Unix socket.

The standard library's client, because a hook starts a new process for every commit and
a better one takes longer to import than the answer may take.
"""

import http.client
import secrets
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from dsreview import __version__
from dsreview.backends.resident_place import Place, ServerUnusable
from dsreview.backends.resident_wire import (
    COMPLETE_PATH,
    COUNT_PATH,
    HELLO_PATH,
    MSGPACK,
    STOP_PATH,
    CompleteRequest,
    CountRequest,
    Hello,
    Problem,
    Served,
    State,
)
from dsreview.backends.worker_frames import HEADER, MAX_FRAME_BYTES, Answered, Done, Failed
from dsreview.errors import BackendError, PromptTooLongError
from dsreview.prompt import Answer, OnAnswer, Prompt, Sampling, StopReason, ignore_answer

T = TypeVar("T")

_ANSWER_IN_S: Final = 5.0
"""For what costs the server nothing: a hello, a stop."""
_COUNT_IN_S: Final = 600.0
"""The model's process may have to be started again first."""
_LATE_S: Final = 1.0
"""What the server may take to say what it has at a deadline."""
_LOOK_INTERVAL_S: Final = 0.05
_MAX_LOAD_S: Final = 1_800.0
_MAX_BUSY_S: Final = 600.0
"""How long a review without a deadline comes back to a server that is busy."""


class ServerGone(ServerUnusable):
    """Nobody listens any more, or the connection broke."""


class OtherVersion(ServerUnusable):
    """A server that does not speak as this client does."""


def ask_hello(place: Place) -> Hello | None:
    """Who listens there; None where nobody does.

    Raises:
        OtherVersion: somebody does who says hello in another way.
    """
    if not place.is_occupied():
        return None
    try:
        with closing(_Connection(place.socket, _ANSWER_IN_S)) as connection:
            content = _exchange(connection, "GET", HELLO_PATH)
    except ServerGone:
        return None
    except ServerUnusable as error:
        raise OtherVersion(f"the server that runs is none of this dsreview: {error}") from None
    try:
        return msgspec.msgpack.decode(content, type=Hello)
    except msgspec.DecodeError:
        raise OtherVersion("the server that runs is of another dsreview") from None


def ask_to_stop(place: Place) -> None:
    """Raises ServerUnusable where nobody answers."""
    with closing(_Connection(place.socket, _ANSWER_IN_S)) as connection:
        _exchange(connection, "POST", STOP_PATH, b"")


def wait_until_ready(place: Place, hello: Hello) -> Hello:
    """The hello of the same server with its model loaded.

    Raises:
        ServerUnusable: the server ended, or takes too long.
    """
    end = time.monotonic() + _MAX_LOAD_S
    now: Hello | None = hello
    while now is not None and now.instance == hello.instance and time.monotonic() < end:
        if now.state is State.READY:
            return now
        if now.state is State.STOPPING:
            break
        time.sleep(_LOOK_INTERVAL_S)
        now = ask_hello(place)
    raise ServerUnusable(f"the server did not load {hello.served.model}; see {place.log}")


def mismatch(hello: Hello, wanted: Served) -> str:
    """Why this server is not the one that is wanted; empty where it is."""
    served = hello.served
    if hello.version != __version__:
        return f"the server that runs is of dsreview {hello.version}, this is {__version__}"
    if (served.backend, served.model) != (wanted.backend, wanted.model):
        return f"the server that runs serves {served.model}, not {wanted.model}"
    actual = hello.facts.device if hello.facts else served.device
    if wanted.device not in ("auto", served.device, actual.partition(" ")[0]):
        return f"the server that runs uses {actual}, not {wanted.device}"
    if wanted.weights not in ("auto", served.weights):
        return f"the server that runs keeps weights {served.weights}, not {wanted.weights}"
    if wanted.runner not in ("auto", served.runner):
        return f"the server that runs has runner {served.runner}, not {wanted.runner}"
    return ""


class ResidentBackend:
    """One server and its model. Not for several threads at once."""

    def __init__(self, place: Place, hello: Hello) -> None:
        """
        Args:
            hello: of the server, after its model was loaded.
        """
        if hello.facts is None:
            raise ServerUnusable("the server has not loaded its model")
        facts = hello.facts
        self.model = facts.model
        self.device = facts.device
        self.identity = facts.identity
        self.max_tokens = facts.max_tokens
        self.counts_are_estimated = facts.counts_are_estimated
        self._place = place
        self._instance = hello.instance
        self._client = secrets.token_hex(8)
        self._counting = _Connection(place.socket, _COUNT_IN_S)
        self._lock = threading.Lock()

    def count_tokens(self, prompt: Prompt) -> int:
        body = _encoded(CountRequest(self._instance, (prompt,)))
        with self._lock:
            (count,) = _decoded(
                _exchange(self._counting, "POST", COUNT_PATH, body), tuple[int, ...]
            )
        return count

    def complete(
        self,
        prompts: Sequence[Prompt],
        sampling: Sampling,
        on_answer: OnAnswer = ignore_answer,
    ) -> list[Answer]:
        if not prompts:
            return []
        request = CompleteRequest(self._instance, self._client, tuple(prompts), sampling)
        answers: dict[int, Answer] = {}
        timeout = None if sampling.deadline_s is None else sampling.deadline_s + _LATE_S
        end = None if timeout is None else time.monotonic() + timeout
        with closing(_Connection(self._place.socket, timeout)) as connection:
            response = _admitted(connection, _encoded(request), end)
            for event in _events(response, connection, end):
                if isinstance(event, Answered):
                    answers[event.index] = event.answer
                    on_answer(event.index, event.answer)
                elif isinstance(event, Done):
                    self.counts_are_estimated |= event.counts_are_estimated
                else:
                    raise BackendError(event.problem)
        for index in range(len(prompts)):
            if index not in answers:
                answers[index] = Answer("", 0, 0, StopReason.DEADLINE)
                on_answer(index, answers[index])
        return [answers[index] for index in range(len(prompts))]

    def close(self) -> None:
        """The server stays."""
        self._counting.close()


class _Connection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path, timeout: float | None) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        try:
            self.sock.connect(str(self._path))
        except OSError:
            self.sock.close()
            raise


def _admitted(
    connection: _Connection, body: bytes, end: float | None
) -> http.client.HTTPResponse | None:
    """The answer to a completion request, once the server has room; None at the deadline."""
    patience_end = time.monotonic() + _MAX_BUSY_S
    while True:
        try:
            response = _send(connection, "POST", COMPLETE_PATH, body)
        except TimeoutError:
            return None
        if response.status != http.client.TOO_MANY_REQUESTS:
            _require_success(response)
            return response
        problem = _decoded(response.read(), Problem).problem
        next_try = time.monotonic() + float(response.headers["Retry-After"])
        if end is not None and next_try >= end:
            return None
        if next_try >= patience_end:
            raise BackendError(problem)
        time.sleep(next_try - time.monotonic())


def _events(
    response: http.client.HTTPResponse | None, connection: _Connection, end: float | None
) -> Iterator[Answered | Done | Failed]:
    """What the server tells, up to its end or the deadline.

    Raises:
        ServerGone: the server ended before its answer did.
    """
    decoder = msgspec.msgpack.Decoder(Answered | Done | Failed)
    while response is not None:
        if end is not None and connection.sock is not None:
            connection.sock.settimeout(max(0.001, end - time.monotonic()))
        try:
            header = response.read(HEADER.size)
            size = HEADER.unpack(header)[0] if len(header) == HEADER.size else 0
            event = decoder.decode(response.read(min(size, MAX_FRAME_BYTES)))
        except TimeoutError:
            return
        except (OSError, http.client.HTTPException, msgspec.DecodeError):
            raise ServerGone("the server ended before it had answered") from None
        yield event
        if not isinstance(event, Answered):
            return


def _exchange(connection: _Connection, method: str, path: str, body: bytes | None = None) -> bytes:
    """The content of a successful answer."""
    try:
        response = _send(connection, method, path, body)
        _require_success(response)
        return response.read()
    except (OSError, http.client.HTTPException) as error:
        connection.close()
        raise ServerGone(f"the server does not answer: {error}") from None


def _send(
    connection: _Connection, method: str, path: str, body: bytes | None
) -> http.client.HTTPResponse:
    """
    Raises:
        TimeoutError: the deadline passed.
        ServerGone: nobody listens, or the connection broke.
    """
    headers = {"Content-Type": MSGPACK} if body is not None else {}
    try:
        connection.request(method, path, body, headers)
        return connection.getresponse()
    except TimeoutError:
        raise
    except (OSError, http.client.HTTPException) as error:
        connection.close()
        raise ServerGone(f"the server does not answer: {error}") from None


def _require_success(response: http.client.HTTPResponse) -> None:
    if response.status == http.client.OK:
        return
    if response.status == http.client.SERVICE_UNAVAILABLE:  # too many connections
        raise ServerGone("the server has no room")
    problem = _decoded(response.read(), Problem)
    raise (PromptTooLongError if problem.is_too_long else BackendError)(problem.problem)


def _encoded(value: object) -> bytes:
    try:
        return msgspec.msgpack.encode(value)
    except UnicodeEncodeError as error:
        raise BackendError(f"the prompts cannot be sent: {error}") from None


def _decoded(content: bytes, kind: type[T]) -> T:
    try:
        return msgspec.msgpack.decode(content, type=kind)
    except msgspec.DecodeError as error:
        raise ServerUnusable(f"the server answers in another way than expected: {error}") from None
