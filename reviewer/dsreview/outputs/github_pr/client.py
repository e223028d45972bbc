"""Requests to GitHub: paced, retried where that is safe, refused in one clear line.

PyGithub holds the token and the addresses; its own retries are off, because they post a
review twice where a server answers 502 after it has done what was asked. What only reads is
asked again; what writes is never: `NoAnswer` says that nobody knows, and whoever wrote looks.
A server that refuses for now (rate limits) has done nothing: it is asked again when it says.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from dsreview import __version__
from dsreview.errors import UsageError
from dsreview.outputs.github_pr.limits import Patience, is_for_now
from dsreview.outputs.github_pr.refusals import (
    NOT_FOUND,
    SERVER_FAULT,
    NoAnswer,
    Refused,
    Unreachable,
    as_rest,
    refusal,
    words_of,
)
from dsreview.outputs.github_pr.request import GOOD, Json, Request, json_of

if TYPE_CHECKING:
    from github import Github

    from dsreview.outputs.github_pr.connection import Connection

GITHUB: Final = "https://api.github.com"
API_VERSION: Final = "2022-11-28"
PER_PAGE: Final = 100
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")


@dataclass(frozen=True, slots=True)
class PullAddress:
    owner: str
    name: str
    number: int

    def __post_init__(self) -> None:
        """
        Raises:
            UsageError: not what GitHub allows in names; they become parts of addresses.
        """
        for part in (self.owner, self.name):
            if not _NAME.fullmatch(part) or part in {".", ".."}:
                raise UsageError(f"{part!r} is no name of an owner or a repository on GitHub")
        if self.number < 1:
            raise UsageError(f"{self.number} is no number of a pull request")

    def __str__(self) -> str:
        return f"{self.owner}/{self.name}#{self.number}"

    @property
    def repository_path(self) -> str:
        return f"/repos/{self.owner}/{self.name}"

    @property
    def path(self) -> str:
        return f"{self.repository_path}/pulls/{self.number}"

    @property
    def conversation_path(self) -> str:
        return f"{self.repository_path}/issues/{self.number}"


class GitHub:
    """One server and one token, for one command: its patience is used up once."""

    def __init__(self, base_url: str, token: str, patience: Patience) -> None:
        """
        Raises:
            UsageError: `base_url` is no https address.
        """
        self.base_url = checked_base_url(base_url)
        self.server = urlsplit(self.base_url).netloc
        self.patience = patience
        self.num_requests = 0
        self.notes: list[str] = []
        """One line each: what was asked in vain, and was done without."""
        self._token = token
        self._opened: tuple[Github, Connection] | None = None

    def get(self, path: str, what: str, **parameters: str) -> Json:
        """One object.

        Args:
            what: "read the pull request", for the errors.

        Raises:
            Refused, Unreachable, OutOfTime
        """
        return self._ask_object(Request("GET", path, what, dict, parameters))

    def pages(self, path: str, what: str, max_pages: int, **parameters: str) -> Iterator[Json]:
        """The entries of a list, page after page; of `max_pages` pages at most."""
        for number in range(1, max_pages + 1):
            page = {"per_page": str(PER_PAGE), "page": str(number)}
            request = Request("GET", path, what, list, {**parameters, **page})
            headers, entries = self._ask(request)
            yield from (entry for entry in entries if isinstance(entry, dict))
            if 'rel="next"' not in headers.get("link", ""):  # pages may be short, and not last
                return

    def create(self, path: str, what: str, body: Mapping[str, Any]) -> Json:
        """Sent once, and again only where the server has refused for now.

        Raises:
            NoAnswer: it may have been done, or not.
            Refused, Unreachable, OutOfTime: it has not been done.
        """
        return self._ask_object(Request("POST", path, what, dict, body=body, is_write=True))

    def edit(self, path: str, what: str, body: Mapping[str, Any]) -> Json:
        """Sent as often as `get`: it does no more when it is done twice.

        Raises:
            Refused, Unreachable, OutOfTime
        """
        return self._ask_object(Request("PATCH", path, what, dict, body=body, is_write=True))

    def delete(self, path: str, what: str) -> None:
        """What is gone already is no error.

        Raises:
            Refused, Unreachable, OutOfTime
        """
        try:
            self._ask(Request("DELETE", path, what, object, is_write=True))
        except Refused as refused:
            if refused.status != NOT_FOUND:
                raise

    def query(self, text: str, what: str, **variables: object) -> Json:
        """The data that a GraphQL query finds.

        Raises:
            Refused, Unreachable, OutOfTime
        """
        return self._graphql(text, what, variables, is_write=False)

    def mutate(self, text: str, what: str, **variables: object) -> Json:
        """The same for a mutation that does no more when it is done twice."""
        return self._graphql(text, what, variables, is_write=True)

    def close(self) -> None:
        if self._opened is not None:
            github, connection = self._opened
            connection.close()
            github.close()
            self._opened = None

    def _graphql(
        self, text: str, what: str, variables: Mapping[str, object], *, is_write: bool
    ) -> Json:
        """The `data` of the answer."""
        github, _ = self._open()
        path = github.requester.graphql_url
        body = {"query": text, "variables": variables}
        request = Request("POST", path, what, dict, body=body, is_write=is_write, is_graphql=True)
        return self._ask_object(request)

    def _ask_object(self, request: Request) -> Json:
        _, answer = self._ask(request)
        found: Json = answer
        return found

    def _ask(self, request: Request) -> tuple[Mapping[str, str], Any]:
        """Headers and JSON of a good answer."""
        patience = self.patience
        for attempt in count(1):
            is_last = attempt == patience.limits.max_tries
            try:
                status, headers, answer = self._send(request)
            except NoAnswer as error:
                problem = f"cannot {request.what}: {self.server}: {error}"
                if not request.is_repeatable:
                    raise NoAnswer(problem) from None
                if is_last:
                    raise Unreachable(problem) from None
                patience.wait(patience.pause_s(attempt), problem)
                continue
            if status in GOOD:
                return headers, answer
            refused = refusal(self.server, request.what, status, headers, answer)
            if not is_for_now(status, headers, words_of(answer)):
                raise refused
            if is_last:
                raise Unreachable(str(refused))
            patience.wait(patience.refused_pause_s(status, headers, attempt), str(refused))
        raise AssertionError("an attempt returns, raises or is followed by another")

    def _send(self, request: Request) -> tuple[int, Mapping[str, str], Any]:
        """Status, headers and JSON of the answer.

        Raises:
            NoAnswer
        """
        github, connection = self._open()
        self.patience.wait_for_turn(is_write=request.is_write)
        connection.request_s = min(self.patience.limits.request_s, self.patience.left_s)
        self.num_requests += 1
        try:
            status, headers, text = github.requester.requestJson(
                *(request.verb, request.path, dict(request.parameters), None),
                *(request.body, connection),
            )
        except ValueError as error:  # of headers that PyGithub reads
            raise NoAnswer(f"an answer that cannot be read: {error}") from None
        if status >= SERVER_FAULT:
            raise NoAnswer(f"answers {status}")
        answer = json_of(status, text)
        if request.is_graphql and status in GOOD:
            status, answer = as_rest(status, answer)
        if status in GOOD and not request.is_answered_by(answer):
            raise NoAnswer("an answer to something else")
        return status, headers, answer

    def _open(self) -> "tuple[Github, Connection]":
        if self._opened is None:
            import github

            from dsreview.outputs.github_pr.connection import Connection

            opened = github.Github(
                auth=github.Auth.Token(self._token),
                base_url=self.base_url,
                user_agent=f"dsreview/{__version__}",
                api_version=API_VERSION,
                per_page=PER_PAGE,
                retry=None,
                seconds_between_requests=None,
                seconds_between_writes=None,
                lazy=True,
            )
            self._opened = opened, Connection(self.base_url)
        return self._opened


def checked_base_url(base_url: str) -> str:
    """Without a slash at its end.

    Raises:
        UsageError: the token would go over the network in clear text, or nowhere.
    """
    parts = urlsplit(base_url)
    is_safe = parts.scheme == "https" or (
        parts.scheme == "http" and (parts.hostname or "") in _LOOPBACK
    )
    if not parts.hostname or not is_safe or parts.username or parts.query or parts.fragment:
        raise UsageError(
            f"{base_url}: use the https address of an API: {GITHUB}, https://HOST/api/v3"
        )
    return base_url.rstrip("/")
