"""How a request to GitHub can end, but well, and what is said of it in one line."""

from collections.abc import Mapping
from typing import Any

from dsreview.errors import GitHubError
from dsreview.outputs.github_pr.limits import FORBIDDEN, TOO_MANY_REQUESTS, UNPROCESSABLE
from dsreview.sanitize import terminal_line

BAD_CREDENTIALS = 401
NOT_FOUND = 404
NOT_ACCEPTABLE = 406
GONE = 410
TOO_LARGE = 413
SERVER_FAULT = 500

ACCEPTED_PERMISSIONS = "x-accepted-github-permissions"
_MAX_MESSAGE_LENGTH = 300
_DRAFT_WORDS = "pending review"


class NoAnswer(GitHubError):
    """No whole answer came, or none that can be read, or a fault of the server (5xx).

    Whether the server did what was asked is not known.
    """


class Unreachable(GitHubError):
    """Asked as often as allowed, and no answer."""


class Refused(GitHubError):
    """The server answered, and has done nothing."""

    def __init__(self, status: int, text: str, errors: tuple[str, ...] = ()) -> None:
        """
        Args:
            text: one line, for people.
            errors: what the server said in detail.
        """
        super().__init__(text)
        self.status = status
        self.errors = errors

    @property
    def is_of_content(self) -> bool:
        """What was sent is refused, and not the sender."""
        return self.status in (UNPROCESSABLE, TOO_LARGE)

    @property
    def is_of_draft(self) -> bool:
        """Nothing is taken while a review of the same login is not submitted."""
        return self.is_of_content and _DRAFT_WORDS in self.why.lower()

    @property
    def why(self) -> str:
        """One line: the server's own words, where it gave any."""
        return "; ".join(self.errors) or str(self)


def refusal(
    server: str, what: str, status: int, headers: Mapping[str, str], answer: object
) -> Refused:
    """
    Args:
        server: its name.
        what: was asked: "post the review".
        headers: of the answer; names in lower case.
        answer: its JSON, or what else came.
    """
    message, errors = _said(answer)
    if status == BAD_CREDENTIALS:
        text = f"cannot {what}: {server} does not know the token ({message})"
    elif status == FORBIDDEN:
        needed = headers.get(ACCEPTED_PERMISSIONS, "").replace("=", ": ").replace(",", ", ")
        needed = f"; it needs {_one_line(needed)}" if needed else ""
        text = f"cannot {what}: the token may not ({message}){needed}"
    elif status == NOT_FOUND:
        text = f"cannot {what}: it does not exist, or the token may not see it"
    elif status in range(300, 400):
        text = f"cannot {what}: {server} says that it is elsewhere; was the repository renamed?"
    else:
        details = "; ".join((message, *errors))
        text = f"cannot {what}: {server} answers {status}: {details}"
    return Refused(status, _one_line(text), errors)


def _said(answer: object) -> tuple[str, tuple[str, ...]]:
    """The message and the details of an error, which GitHub writes in several ways."""
    if not isinstance(answer, dict):
        return "no reason given", ()
    message = answer.get("message")
    errors = answer.get("errors")
    details = tuple(_detail(error) for error in errors) if isinstance(errors, list) else ()
    return str(message) if message else "no reason given", details


def _detail(error: Any) -> str:
    if isinstance(error, dict):
        named = error.get("message") or " ".join(
            str(error[key]) for key in ("resource", "field", "code") if key in error
        )
        return _one_line(str(named))
    return _one_line(str(error))


_STATUS_OF_TYPE = {
    "FORBIDDEN": FORBIDDEN,
    "INSUFFICIENT_SCOPES": FORBIDDEN,
    "NOT_FOUND": NOT_FOUND,
    "RATE_LIMIT": TOO_MANY_REQUESTS,
    "RATE_LIMITED": TOO_MANY_REQUESTS,
}


def as_rest(status: int, answer: Any) -> tuple[int, Any]:
    """GraphQL answers 200 whatever happened: the data, or the status and error of REST.

    Raises:
        NoAnswer: GitHub failed in the middle of it, and says no type of error.
    """
    errors = answer.get("errors") if isinstance(answer, dict) else None
    if not errors:
        return status, answer.get("data") if isinstance(answer, dict) else None
    first = errors[0] if isinstance(errors, list) and isinstance(errors[0], dict) else {}
    message = _one_line(str(first.get("message", "no reason given")))
    kind = first.get("type") or (first.get("extensions") or {}).get("code")
    if kind is None:
        raise NoAnswer(message)
    return _STATUS_OF_TYPE.get(str(kind), UNPROCESSABLE), {"message": message}


def words_of(answer: object) -> str:
    """The message and all details."""
    message, errors = _said(answer)
    return "; ".join((message, *errors))


def _one_line(text: str) -> str:
    return terminal_line(" ".join(text.split())[:_MAX_MESSAGE_LENGTH])
