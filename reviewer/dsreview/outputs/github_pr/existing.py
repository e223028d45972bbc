"""What is on the pull request already, all pages of it, and which of it is ours.

REST lists comments, reviews and files; GraphQL alone knows whether a thread is resolved or
hidden, and the login of a workflow's token (`GET /user` answers 403 to it). Where it refuses
or is down, threads count as open, and only what needs no thread is done; the client notes it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from dsreview.outputs.github_pr.client import GitHub, PullAddress
from dsreview.outputs.github_pr.limits import UNPROCESSABLE
from dsreview.outputs.github_pr.marker import last_review
from dsreview.outputs.github_pr.refusals import NOT_ACCEPTABLE, Refused, Unreachable
from dsreview.outputs.github_pr.request import Json
from dsreview.outputs.github_pr.values import (
    ExistingComment,
    ExistingReview,
    ExistingSummary,
    PullFile,
    PullRequest,
    PullState,
)
from dsreview.outputs.github_pr.viewer import login_or_none

MAX_FILE_PAGES: Final = 30
"""GitHub lists 3,000 files at most."""
MAX_PAGES: Final = 50
"""Of comments and reviews, 100 on each."""

THREADS: Final = """\
query($owner: String!, $name: String!, $number: Int!, $after: String) {
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) {
      reviewThreads(first: 100, after: $after) {
        pageInfo { hasNextPage endCursor }
        nodes {
          id
          isResolved
          isOutdated
          viewerCanResolve
          comments(first: 1) {
            nodes { databaseId isMinimized minimizedReason viewerDidAuthor }
          }
        }
      }
    }
  }
}
"""


@dataclass(frozen=True, slots=True)
class Thread:
    """What GraphQL adds to the first comment of a thread."""

    id: str
    is_resolved: bool
    is_outdated: bool
    can_resolve: bool
    is_minimized: bool
    minimized_reason: str
    is_ours: bool


def fetch_state(github: GitHub, address: PullAddress) -> PullState:
    """
    Raises:
        Refused, Unreachable, OutOfTime
    """
    pull, can_write = fetch_pull(github, address)
    login = login_or_none(github)
    threads = fetch_threads(github, address) if login else {}
    comments = tuple(fetch_comments(github, address, login, threads))
    return PullState(
        pull=pull,
        files=_files(github, address),
        comments=comments,
        reviews=tuple(fetch_reviews(github, address, login)),
        summary=next(fetch_summaries(github, address, login), None),
        viewer_login=login,
        can_write=can_write,
        can_resolve=any(thread.can_resolve for thread in threads.values()),
    )


def fetch_pull(github: GitHub, address: PullAddress) -> tuple[PullRequest, bool]:
    """The pull request, and whether it takes comments as far as one can see."""
    found = github.get(address.path, f"read pull request {address}")
    base, head = _part(found, "base"), _part(found, "head")
    base_repository, head_repository = _part(base, "repo"), _part(head, "repo")
    if not (base.get("sha") and head.get("sha")):
        raise Unreachable(f"cannot read pull request {address}: what came is none")
    pull = PullRequest(
        owner=address.owner,
        name=address.name,
        number=address.number,
        base_sha=_text(base, "sha"),
        head_sha=_text(head, "sha"),
        base_ref=_text(base, "ref"),
        head_ref=_text(head, "ref"),
        title=_text(found, "title"),
        author=_text(_part(found, "user"), "login"),
        is_open=found.get("state") == "open",
        is_draft=bool(found.get("draft")),
        # a fork that was deleted has no repository any more
        is_fork=_text(head_repository, "full_name") != _text(base_repository, "full_name"),
        is_public=not base_repository.get("private", False),
    )
    return pull, pull.is_open and not found.get("locked", False)


def fetch_comments(
    github: GitHub, address: PullAddress, login: str, threads: dict[int, Thread]
) -> Iterator[ExistingComment]:
    """The first comments of all threads, oldest first."""
    listed = list(
        github.pages(
            f"{address.path}/comments",
            "read the comments",
            MAX_PAGES,
            sort="created",
            direction="desc",  # the oldest are those that a limit leaves out
        )
    )
    answered = {comment.get("in_reply_to_id") for comment in listed}
    for comment in reversed(listed):
        if not comment.get("in_reply_to_id"):
            thread = threads.get(_number(comment, "id"))
            yield _comment(comment, login, thread, comment.get("id") in answered)


def fetch_reviews(github: GitHub, address: PullAddress, login: str) -> Iterator[ExistingReview]:
    for review in github.pages(f"{address.path}/reviews", "read the reviews", MAX_PAGES):
        yield ExistingReview(
            id=_number(review, "id"),
            node_id=_text(review, "node_id"),
            body=_text(review, "body"),
            head_sha=_text(review, "commit_id"),
            state=_text(review, "state"),
            is_ours=_is_by(review, login),
        )


def fetch_summaries(github: GitHub, address: PullAddress, login: str) -> Iterator[ExistingSummary]:
    """Ours, oldest first: more than one where two runs began at once."""
    path = f"{address.conversation_path}/comments"
    for comment in github.pages(path, "read the conversation", MAX_PAGES):
        body = _text(comment, "body")
        if _is_by(comment, login) and last_review(body) is not None:
            yield ExistingSummary(_number(comment, "id"), _text(comment, "node_id"), body)


def _files(github: GitHub, address: PullAddress) -> tuple[PullFile, ...]:
    """None where GitHub will not list them: then the local diff is all there is."""
    listed = github.pages(f"{address.path}/files", "list the files", MAX_FILE_PAGES)
    try:
        return tuple(_file(entry) for entry in listed)
    except Refused as refused:
        if refused.status in (NOT_ACCEPTABLE, UNPROCESSABLE):
            return ()
        raise


def _file(entry: Json) -> PullFile:
    path = _text(entry, "filename")
    patch = entry.get("patch")
    return PullFile(
        path=path,
        old_path=_text(entry, "previous_filename") or path,
        status=_text(entry, "status"),
        patch=_clean(patch) if isinstance(patch, str) else None,
    )


def _comment(
    comment: Json, login: str, thread: Thread | None, has_replies: bool
) -> ExistingComment:
    line = comment.get("line")
    is_on_file = comment.get("subject_type") == "file"
    is_outdated = line is None or (thread is not None and thread.is_outdated)
    return ExistingComment(
        id=_number(comment, "id"),
        node_id=_text(comment, "node_id"),
        thread_id=thread.id if thread else None,
        path=_text(comment, "path"),
        line=line if isinstance(line, int) else None,
        body=_text(comment, "body"),
        author=_text(_part(comment, "user"), "login"),
        is_ours=_is_by(comment, login) or (thread is not None and thread.is_ours),
        is_resolved=thread is not None and thread.is_resolved,
        is_outdated=is_outdated and not is_on_file,
        has_replies=has_replies,
        is_minimized=thread is not None and thread.is_minimized,
        minimized_reason=thread.minimized_reason if thread else "",
        is_disliked=bool(_part(comment, "reactions").get("-1")),
    )


def fetch_threads(github: GitHub, address: PullAddress) -> dict[int, Thread]:
    """By the id of their first comment; empty where they cannot be read."""
    try:
        return dict(_each_thread(github, address))
    except (Refused, Unreachable) as error:
        github.notes.append(f"threads count as open: {error}")
        return {}


def _each_thread(github: GitHub, address: PullAddress) -> Iterator[tuple[int, Thread]]:
    after = None
    for _ in range(MAX_PAGES):
        found: Any = github.query(
            THREADS,
            "read the review threads",
            owner=address.owner,
            name=address.name,
            number=address.number,
            after=after,
        )
        page = _part(_part(_part(found, "repository"), "pullRequest"), "reviewThreads")
        for node in _entries(page, "nodes"):
            for first in _entries(_part(node, "comments"), "nodes"):
                yield _number(first, "databaseId"), _thread(node, first)
        place = _part(page, "pageInfo")
        if not place.get("hasNextPage"):
            return
        after = place.get("endCursor")


def _thread(node: Json, first: Json) -> Thread:
    return Thread(
        id=_text(node, "id"),
        is_resolved=bool(node.get("isResolved")),
        is_outdated=bool(node.get("isOutdated")),
        can_resolve=bool(node.get("viewerCanResolve")),
        is_minimized=bool(first.get("isMinimized")),
        minimized_reason=_text(first, "minimizedReason"),
        is_ours=bool(first.get("viewerDidAuthor")),
    )


def _is_by(entry: Json, login: str) -> bool:
    return bool(login) and _text(_part(entry, "user"), "login").lower() == login.lower()


def _part(entry: Any, name: str) -> Json:
    """An object in an object; an empty one where there is none, as of deleted accounts."""
    part = entry.get(name) if isinstance(entry, dict) else None
    return part if isinstance(part, dict) else {}


def _entries(entry: Json, name: str) -> list[Json]:
    entries = entry.get(name)
    return [each for each in entries if isinstance(each, dict)] if isinstance(entries, list) else []


def _text(entry: Any, name: str) -> str:
    text = entry.get(name) if isinstance(entry, dict) else None
    return _clean(text) if isinstance(text, str) else ""


def _number(entry: Json, name: str) -> int:
    number = entry.get(name)
    return number if isinstance(number, int) else 0


def _clean(text: str) -> str:
    """JSON can carry half a surrogate pair, which nothing else can."""
    return text.encode("utf-8", "replace").decode("utf-8")
