"""Everything that went wrong for somebody between a review and GitHub, by name."""

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from types import MappingProxyType

from dsreview.fake_github.faults import Fault, Wire
from dsreview.fake_github.moves import move
from dsreview.fake_github.replies import Reply, error
from dsreview.fake_github.world import Pull, Review, Version, World

SECONDARY = (
    "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
)
PRIMARY = "API rate limit exceeded for installation ID 1."
NOT_ACCESSIBLE = "Resource not accessible by integration"
UNPROCESSABLE = "Unprocessable Entity"
HOUR_S = 3600
UNICORN = b"<!DOCTYPE html><html><body><p>Whoa there! Unicorn!</p></body></html>"


def fault_table(*, beyond_timeout_s: float = 3.0, retry_after_s: int = 1) -> tuple[Fault, ...]:
    """Every fault, each with its own name.

    Args:
        beyond_timeout_s: longer than the client under test waits for an answer.
        retry_after_s: what the merciful limits ask for.
    """
    return tuple(
        chain(
            _server_errors(retry_after_s),
            _connections(),
            _slowness(beyond_timeout_s),
            _rate_limits(retry_after_s),
            _refusals(),
            _nonsense(),
            _redirects(),
            _of_graphql(),
            _events(),
        )
    )


def _server_errors(retry_after_s: int) -> Iterator[Fault]:
    for status in (500, 502, 503, 504):
        answer = _says(status, "Server Error")
        yield Fault(f"{status}-before", f"{status}; nothing was done", answer)
        yield Fault(f"{status}-after", f"{status}, although it was done", answer, commits=True)
    always = _says(502, "Server Error")
    yield Fault("502-always", "502 to every attempt; nothing is ever done", always, times=None)
    yield Fault(
        "502-always-after", "502 to every attempt; each is done", always, commits=True, times=None
    )
    page = _sends(502, UNICORN, "text/html")
    yield Fault("502-page", "a page for people in place of JSON; nothing was done", page)
    yield Fault("502-page-after", "the same page, although it was done", page, commits=True)
    yield Fault("503-empty", "503 with no body; nothing was done", _sends(503, b""))
    asks = _says(503, "Service Unavailable", {"Retry-After": str(retry_after_s)})
    yield Fault("503-retry-after", "503 that says when to come back; nothing was done", asks)


def _connections() -> Iterator[Fault]:
    for wire, name in ((Wire.RESET, "reset"), (Wire.CLOSED, "hung-up")):
        unasked = _says(500, "never sent")
        yield Fault(f"{name}-before", f"connection {name}; nothing was done", unasked, wire=wire)
        yield Fault(f"{name}-after", f"connection {name}, although it was done", wire=wire)
    yield Fault(
        "reset-always", "connection reset at every attempt", unasked, wire=Wire.RESET, times=None
    )
    yield Fault("half-head", "it was done; the answer ends within its head", wire=Wire.HALF_HEAD)
    yield Fault("half-body", "it was done; the answer ends within its body", wire=Wire.HALF_BODY)


def _slowness(beyond_s: float) -> Iterator[Fault]:
    unasked = _says(504, "never waited for")
    yield Fault("timeout-before", "no answer in time; nothing was done", unasked, delay_s=beyond_s)
    yield Fault("timeout-after", "no answer in time, although it was done", delay_s=beyond_s)
    yield Fault("timeout-always", "never an answer in time", unasked, delay_s=beyond_s, times=None)
    yield Fault("slow", "the answer comes late, but in time", delay_s=beyond_s / 10)
    yield Fault("drip", "drop by drop, to the end", wire=Wire.DRIP, drip_s=0.0002)
    yield Fault(
        "drip-forever",
        "it was done; drop by drop, for minutes",
        wire=Wire.DRIP,
        drip_s=beyond_s / 4,
    )


def _rate_limits(soon_s: int) -> Iterator[Fault]:
    for status in (403, 429):
        yield Fault(f"{status}-primary", "no requests left, for a moment", _primary(status, soon_s))
        yield Fault(
            f"{status}-primary-hour",
            "no requests left for an hour",
            _primary(status, HOUR_S),
            times=None,
        )
        asks = _says(status, SECONDARY, {"Retry-After": str(soon_s)})
        yield Fault(f"{status}-secondary", "too fast; says when to come back", asks)
        mute = _says(status, SECONDARY)
        yield Fault(f"{status}-secondary-mute", "too fast; does not say when to come back", mute)
        yield Fault(f"{status}-secondary-always", "too fast, at every attempt", asks, times=None)
        far = _says(status, SECONDARY, {"Retry-After": str(HOUR_S)})
        yield Fault(f"{status}-secondary-hour", "too fast; in an hour", far, times=None)
    day = _says(429, SECONDARY, {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"})
    yield Fault("429-date", "Retry-After as a date that has passed", day)
    word = _says(429, SECONDARY, {"Retry-After": "soon"})
    yield Fault("429-word", "Retry-After that is no number", word)


def _refusals() -> Iterator[Fault]:
    for status, said in (
        (401, "Bad credentials"),
        (403, NOT_ACCESSIBLE),
        (404, "Not Found"),
        (410, "Gone"),
        (413, "Payload Too Large"),
        (451, "Repository access blocked"),
    ):
        yield Fault(f"{status}", said, _says(status, said), times=None)
    yield Fault("404-once", "as after a fail-over: gone, and back", _says(404, "Not Found"))
    yield Fault("409", "somebody writes at the same time", _says(409, "Conflict"))
    large = _says(406, "Sorry, the diff exceeded the maximum number of files (300).")
    yield Fault("406", "the diff is too large", large, times=None)
    yield Fault("422-first-comment", "the first comment is refused", refused_comment=0, times=None)
    yield Fault("422-last-comment", "the last comment is refused", refused_comment=-1, times=None)
    for name, words in (
        ("422-line", "Line could not be resolved"),
        ("422-every", "Review comments is invalid and Review threads is invalid"),
        ("422-too-quick", "was submitted too quickly"),
    ):
        refuses = _says(422, UNPROCESSABLE, errors=(words,))
        yield Fault(name, f"{words}, whatever is asked", refuses, times=None)
    mute = _says(422, "Validation Failed")
    yield Fault("422-mute", "refused without a reason", mute, times=None)


def _nonsense() -> Iterator[Fault]:
    for name, content in (("no-json", b"{"), ("empty", b""), ("list", b"[]"), ("null", b"null")):
        sends = _sends(200, content)
        yield Fault(f"200-{name}", f"200 with {name}; nothing was done", sends)
        yield Fault(f"200-{name}-after", f"200 with {name}; it was done", sends, commits=True)


def _redirects() -> Iterator[Fault]:
    """To a port where nobody listens; who follows must not take the token along."""
    for status, said in ((301, "Moved Permanently"), (302, "Found"), (307, "Temporary Redirect")):
        leads = _says(status, said, {"Location": "http://127.0.0.1:1/elsewhere"})
        yield Fault(f"{status}-elsewhere", f"{said}, to another address", leads, times=None)


def _of_graphql() -> Iterator[Fault]:
    """Refusals with status 200: where REST is asked, they are nonsense."""
    for name, kind, said in (
        ("rate-limited", "RATE_LIMITED", PRIMARY),
        ("forbidden", "FORBIDDEN", NOT_ACCESSIBLE),
        ("went-wrong", None, "Something went wrong while executing your query."),
    ):
        problem = {"message": said} | ({"type": kind} if kind else {})
        content = json.dumps({"data": None, "errors": [problem]}).encode()
        yield Fault(f"graphql-{name}", f"200, and in it: {said}", _sends(200, content))


def _events() -> Iterator[Fault]:
    for name, doc, change in (
        ("push", "a commit is added", _push),
        ("force-push", "the branch becomes another one", _force_push),
        ("closed", "the pull request is closed", _close),
        ("merged", "the pull request is merged", _merge),
        ("locked", "the conversation is locked", _lock),
        ("fork-deleted", "the repository that it came from is deleted", _delete_fork),
        ("token-revoked", "the token is no more", _revoke),
        ("read-only", "the token may only read from now on", _read_only),
        ("draft", "whoever posts begins a review and does not submit it", _draft),
    ):
        yield Fault(f"{name}-before", f"{doc}, just before this request", change=change)
        yield Fault(f"{name}-after", f"{doc}, just after this request", change_after=change)


def _says(
    status: int,
    message: str,
    headers: Mapping[str, str] = MappingProxyType({}),
    errors: Sequence[str] = (),
) -> Callable[[], Reply]:
    answer = replace(error(status, message, errors), headers=headers)
    return lambda: answer


def _sends(
    status: int, content: bytes, media_type: str = "application/json; charset=utf-8"
) -> Callable[[], Reply]:
    answer = Reply(status, content, media_type=media_type)
    return lambda: answer


def _primary(status: int, wait_s: int) -> Callable[[], Reply]:
    def answer() -> Reply:
        headers = {
            "X-RateLimit-Limit": "5000",
            "X-RateLimit-Remaining": "0",
            "X-RateLimit-Used": "5000",
            "X-RateLimit-Reset": str(int(time.time()) + wait_s),
        }
        return replace(error(status, PRIMARY), headers=headers)

    return answer


def _pulls(world: World) -> Iterator[Pull]:
    for repository in world.repositories.values():
        yield from repository.pulls.values()


def _next_sha(pull: Pull) -> str:
    return hashlib.sha1(pull.head_sha.encode(), usedforsecurity=False).hexdigest()


def _push(world: World) -> None:
    for pull in _pulls(world):
        now, sha = pull.now, _next_sha(pull)
        move(pull, Version(now.base_sha, sha, now.files, (*now.commits, sha)))


def _force_push(world: World) -> None:
    for pull in _pulls(world):
        now, sha = pull.now, _next_sha(pull)
        move(pull, Version(now.base_sha, sha, now.files, (sha,)))


def _close(world: World) -> None:
    for pull in _pulls(world):
        pull.is_open = False


def _merge(world: World) -> None:
    for pull in _pulls(world):
        pull.is_open, pull.is_merged = False, True


def _lock(world: World) -> None:
    for pull in _pulls(world):
        pull.is_locked = True


def _delete_fork(world: World) -> None:
    for pull in _pulls(world):
        pull.head_repository = None


def _revoke(world: World) -> None:
    world.tokens.clear()


def _read_only(world: World) -> None:
    for token in world.tokens.values():
        token.permissions = dict.fromkeys(token.permissions, "read")


def _draft(world: World) -> None:
    for pull in _pulls(world):
        has_one = {review.user for review in pull.reviews if review.state == "PENDING"}
        for login in {token.login for token in world.tokens.values()} - has_one:
            pull.reviews.append(
                Review(next(world.ids), login, "Not yet.", "PENDING", pull.head_sha, None)
            )


FAULTS = fault_table()
