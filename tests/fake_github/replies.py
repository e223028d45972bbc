"""A request as the fake understood it, and what it answers."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from dsreview.fake_github.world import Token

DOCUMENTATION = "https://docs.github.com/rest"
PER_PAGE = 30
MOST_PER_PAGE = 100


@dataclass(frozen=True, slots=True)
class Call:
    method: str
    path: str
    """Without the `/api/v3` of a GitHub Enterprise server."""
    template: str
    holes: Mapping[str, str]
    query: Mapping[str, str]
    body: Any
    """The JSON that was sent; None where there was none."""
    accept: str
    token: Token
    base: str
    """What every address in the answer begins with."""


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = "application/json; charset=utf-8"

    def content(self) -> bytes:
        if self.body is None:
            return b""
        if isinstance(self.body, bytes):
            return self.body
        return json.dumps(self.body).encode()


class Refused(Exception):
    """GitHub says no."""

    def __init__(self, status: int, message: str, errors: Sequence[Any] = ()) -> None:
        super().__init__(message)
        self.status, self.message, self.errors = status, message, list(errors)

    def reply(self) -> Reply:
        return error(self.status, self.message, self.errors)


def error(status: int, message: str, errors: Sequence[Any] = ()) -> Reply:
    body = {"message": message, "documentation_url": DOCUMENTATION, "status": str(status)}
    return Reply(status, body | ({"errors": list(errors)} if errors else {}))


def forbidden(call: Call) -> Refused:
    """As GitHub says it to the token of a workflow, and to one of a person."""
    by = "personal access token" if call.token.kind == "personal" else "integration"
    return Refused(403, f"Resource not accessible by {by}")


def page(call: Call, things: Sequence[Any], most: int | None = None) -> Reply:
    """One page of `things`, at most `most` of them in all, with a Link to the others."""
    things = things[:most]
    size = min(max(int(call.query.get("per_page", PER_PAGE)), 1), MOST_PER_PAGE)
    number = max(int(call.query.get("page", 1)), 1)
    last = max(-(-len(things) // size), 1)
    places = {"prev": number - 1, "next": number + 1, "last": last, "first": 1}
    if number >= last:
        del places["next"], places["last"]
    if number <= 1:
        del places["prev"], places["first"]
    links = [
        f'<{call.base}{call.path}?{urlencode({**call.query, "page": at})}>; rel="{name}"'
        for name, at in places.items()
    ]
    headers = {"Link": ", ".join(links)} if links else {}
    return Reply(200, things[(number - 1) * size : number * size], headers)
