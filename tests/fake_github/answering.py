"""From the bytes of a request to those of its answer."""

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from dsreview.fake_github import graphql_answers
from dsreview.fake_github.contract import contract
from dsreview.fake_github.faults import Fault, Injection
from dsreview.fake_github.replies import Call, Refused, Reply
from dsreview.fake_github.routes import answer
from dsreview.fake_github.world import Token, World

ENTERPRISE = "/api/v3"
ENTERPRISE_GRAPHQL = "/api/graphql"
GRAPHQL = "/graphql"
MAX_REQUEST_BYTES = 25 << 20
REQUESTS_AN_HOUR = 5000


@dataclass(frozen=True, slots=True)
class Seen:
    """One request, as the log keeps it."""

    at: float
    """Seconds of `time.monotonic()` when it arrived."""
    method: str
    path: str
    query: Mapping[str, str]
    body: Any
    status: int
    """Of the answer; what a fault sent, where one did."""
    login: str | None
    fault: str | None
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Arrival:
    """A request as it came in, in parts."""

    method: str
    path: str
    prefix: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """Names in lower case."""
    content: bytes

    @property
    def body(self) -> Any:
        try:
            return json.loads(self.content) if self.content else None
        except ValueError:
            return None


def arrival(method: str, target: str, headers: Mapping[str, str], content: bytes) -> Arrival:
    split = urlsplit(target)
    prefix = ENTERPRISE if split.path.startswith(f"{ENTERPRISE}/") else ""
    path = GRAPHQL if split.path == ENTERPRISE_GRAPHQL else split.path.removeprefix(prefix)
    query = dict(parse_qsl(split.query, keep_blank_values=True))
    return Arrival(method, path, prefix, query, headers, content)


@dataclass(slots=True)
class Answering:
    """One request at a time, in the order in which they come."""

    world: World
    url: str
    log: list[Seen] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    injections: list[Injection] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def respond(
        self, method: str, target: str, headers: Mapping[str, str], content: bytes
    ) -> tuple[bytes, bytes, Fault | None]:
        """Head and body of the answer, and the fault that befalls it."""
        at = time.monotonic()
        came = arrival(method, target, headers, content)
        with self.lock:
            injection = self._injection(came)
            fault = injection.fault if injection else None
            if fault and fault.change:
                fault.change(self.world)
            reply = self._reply(came, injection)
            if fault and fault.change_after:
                fault.change_after(self.world)
            self._note(at, came, reply, fault)
            number = len(self.log)
        body = reply.content()
        return _head(reply, len(body), number), b"" if method == "HEAD" else body, fault

    def _injection(self, came: Arrival) -> Injection | None:
        return next((each for each in self.injections if each.is_due(came.method, came.path)), None)

    def _note(self, at: float, came: Arrival, reply: Reply, fault: Fault | None) -> None:
        token = self._token(came)
        login, name = token.login if token else None, fault.name if fault else None
        self.log.append(
            Seen(
                at,
                came.method,
                came.path,
                came.query,
                came.body,
                reply.status,
                login,
                name,
                came.headers,
            )
        )

    def _reply(self, came: Arrival, injection: Injection | None) -> Reply:
        fault = injection.fault if injection else None
        if fault and fault.reply and not fault.commits:
            return fault.reply()
        refusal = injection.refusal(came.body) if injection else None
        if refusal:
            return refusal
        try:
            reply = self._true_reply(came)
        except Refused as refused:
            reply = refused.reply()
        return fault.reply() if fault and fault.reply else reply

    def _true_reply(self, came: Arrival) -> Reply:
        token = self._token(came)
        if token is None:
            asked = "authorization" in came.headers
            raise Refused(401, "Bad credentials" if asked else "Requires authentication")
        if len(came.content) > MAX_REQUEST_BYTES:
            raise Refused(413, "Payload Too Large")
        if (came.method, came.path) == ("POST", GRAPHQL):
            return self._graphql(came.body, token)
        call = self._call(came, token)
        reply = answer(self.world, call)
        self._check(call, reply)
        return reply

    def _graphql(self, sent: Any, token: Token) -> Reply:
        query = sent.get("query") if isinstance(sent, dict) else None
        wrong = graphql_answers.errors_of(query) if isinstance(query, str) else ["no query"]
        self.violations += [f"POST {GRAPHQL}: {text}" for text in wrong]
        return graphql_answers.answer(self.world, token, sent)

    def _call(self, came: Arrival, token: Token) -> Call:
        """The request, once it is what GitHub's description says.

        Raises:
            Refused: it is not.
        """
        match = contract().match(came.path)
        if match is None or (came.method, match.template) not in set(contract().operations()):
            raise Refused(404, "Not Found")
        wrong = contract().request_errors(came.method, came.path, came.query, came.content)
        if wrong:
            self.violations += [f"{came.method} {came.path}: {text}" for text in wrong]
            raise Refused(422, "the request is not as GitHub describes it", wrong)
        return Call(
            method=came.method,
            path=came.path,
            template=match.template,
            holes={name: unquote(text) for name, text in match.holes.items()},
            query=came.query,
            body=came.body,
            accept=came.headers.get("accept", ""),
            token=token,
            base=self.url + came.prefix,
        )

    def _check(self, call: Call, reply: Reply) -> None:
        """Raises: AssertionError, where the fake says what GitHub never would."""
        if not reply.media_type.startswith("application/json"):
            return
        wrong = contract().answer_errors(
            call.method, call.path, reply.status, reply.headers, reply.content()
        )
        assert not wrong, f"the fake's answer to {call.method} {call.path}: {wrong}"

    def _token(self, came: Arrival) -> Token | None:
        scheme, _, text = came.headers.get("authorization", "").partition(" ")
        return self.world.tokens.get(text) if scheme.lower() in ("bearer", "token") else None


def _head(reply: Reply, length: int, number: int) -> bytes:
    headers = {
        "Server": "github.com",
        "Content-Type": reply.media_type,
        "Content-Length": str(length),
        "X-GitHub-Request-Id": f"FAKE:{number}",
        "X-GitHub-Media-Type": "github.v3; format=json",
        "X-RateLimit-Limit": str(REQUESTS_AN_HOUR),
        "X-RateLimit-Remaining": str(max(REQUESTS_AN_HOUR - number, 0)),
        "X-RateLimit-Reset": str(int(time.time()) + 3600),
        "X-RateLimit-Used": str(number),
        "X-RateLimit-Resource": "core",
    } | dict(reply.headers)
    lines = [f"{name}: {text}" for name, text in headers.items()]
    reason = HTTPStatus(reply.status).phrase
    return "\r\n".join([f"HTTP/1.1 {reply.status} {reason}", *lines, "", ""]).encode("latin-1")
