"""The one connection that requests go through: to the named server, whole, and in time.

PyGithub's own follow redirects, take proxies from the environment and read without end; a
server that sends a byte every few seconds is waited for forever. Importing this module
imports PyGithub, which takes most of a second.
"""

import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import NoReturn
from urllib.parse import urlsplit

import requests
from github.Requester import HTTPSRequestsConnectionClass, Requester
from requests.adapters import HTTPAdapter

from dsreview.outputs.github_pr.refusals import NoAnswer

CONNECT_TIMEOUT_S = 10.0
MAX_ANSWER_BYTES = 64 << 20
_CHUNK_BYTES = 1 << 16
_NOT_YET = 202
_MAX_REASON_LENGTH = 120


@dataclass(frozen=True, slots=True)
class Answer:
    """What PyGithub asks of a response."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    def getheaders(self) -> list[tuple[str, str]]:
        """Without `Location`: PyGithub would follow it, and not count how often."""
        return [pair for pair in self.headers.items() if pair[0].lower() != "location"]

    def read(self) -> str:
        return self.content.decode("utf-8", "replace")


class Connection(HTTPSRequestsConnectionClass):
    """To one server, for one request after another; keeps it open between them."""

    def __init__(self, base_url: str) -> None:
        parts = urlsplit(base_url)
        self.host = parts.hostname or ""
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self.request_s = CONNECT_TIMEOUT_S
        """For the next request, from its first byte to the answer's last."""
        self.session = requests.Session()
        self.session.trust_env = False  # no proxy, no .netrc that nobody named
        self.session.auth = Requester.noopAuth
        adapter = HTTPAdapter(max_retries=0, pool_connections=1, pool_maxsize=1)
        self.session.mount(self.origin, adapter)

    def getresponse(self) -> Answer:  # type: ignore[override]  # has all that PyGithub calls
        """
        Raises:
            NoAnswer: no connection, no whole answer in time, or one too large.
        """
        try:
            with _at_most(self.request_s):
                return self._exchange()
        except requests.exceptions.SSLError as error:
            raise NoAnswer(f"its certificate is not trusted here: {_innermost(error)}") from None
        except (requests.RequestException, OSError) as error:
            if _is_time_up(error):
                raise NoAnswer(f"no whole answer within {self.request_s:g} s") from None
            raise NoAnswer(_innermost(error)) from None

    def _exchange(self) -> Answer:
        until = time.monotonic() + self.request_s
        response = self.session.request(
            self.verb.upper(),
            self.origin + self.url,
            headers=self.headers,
            data=self.input,
            timeout=(min(CONNECT_TIMEOUT_S, self.request_s), self.request_s),
            allow_redirects=False,
            stream=True,
        )
        with response:
            content = bytearray()
            for part in response.iter_content(_CHUNK_BYTES):
                content += part
                if len(content) > MAX_ANSWER_BYTES:
                    raise NoAnswer(f"an answer of more than {MAX_ANSWER_BYTES >> 20} MB")
                if time.monotonic() > until:  # no signal comes where this is no main thread
                    raise _TimeIsUp
        if response.status_code == _NOT_YET:  # PyGithub would ask again without end
            raise NoAnswer("it has no answer yet")
        return Answer(response.status_code, response.headers, bytes(content))


class _TimeIsUp(TimeoutError):
    """Raised wherever the program is, by a signal."""


@contextmanager
def _at_most(seconds: float) -> Iterator[None]:
    """Interrupt what blocks, however often a byte comes; only the main thread can be."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    began = time.monotonic()
    old_handler = signal.signal(signal.SIGALRM, _ring)
    left_s, _ = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, old_handler)
        if left_s:  # somebody else's alarm
            rest_s = left_s - (time.monotonic() - began)
            signal.setitimer(signal.ITIMER_REAL, max(rest_s, 0.001))


def _ring(_number: int, _frame: FrameType | None) -> NoReturn:
    raise _TimeIsUp


def _causes(error: BaseException) -> Iterator[BaseException]:
    """`error` and what it wraps, also in its arguments, as urllib3 does."""
    pending, seen = [error], set()
    while pending:
        one = pending.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        wrapped = (one.__cause__, one.__context__, getattr(one, "reason", None), *one.args)
        pending.extend(each for each in wrapped if isinstance(each, BaseException))


def _is_time_up(error: BaseException) -> bool:
    kinds = (_TimeIsUp, requests.Timeout, TimeoutError)
    return any(isinstance(cause, kinds) for cause in _causes(error))


def _innermost(error: BaseException) -> str:
    """What the system said, in one short line: "Connection refused"."""
    causes = list(_causes(error))
    said = [cause.strerror for cause in causes if isinstance(cause, OSError) and cause.strerror]
    text = said[-1] if said else f"{type(causes[-1]).__name__}: {causes[-1]}"
    return " ".join(str(text).split())[:_MAX_REASON_LENGTH]
