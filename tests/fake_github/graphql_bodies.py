"""The world as GitHub's GraphQL schema has it."""

from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLError

from dsreview.fake_github.world import (
    Comment,
    IssueComment,
    Pull,
    Repository,
    Review,
    Thread,
    Token,
    World,
)

MOST_PER_PAGE = 100
BOT = "[bot]"
Body = dict[str, Any]


class GraphQLRefused(GraphQLError):
    """An error with the `type` that GitHub puts beside its message."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class GraphQLBodies:
    world: World
    token: Token

    def repository(self, repository: Repository) -> Body:
        def pull_request(_: object, number: int) -> Body:
            pull = repository.pulls.get(number)
            if pull is None:
                said = f"Could not resolve to a PullRequest with the number of {number}."
                raise GraphQLRefused("NOT_FOUND", said)
            return self.pull(repository, pull)

        return {
            "__typename": "Repository",
            "id": f"R_{repository.full_name}",
            "name": repository.name,
            "nameWithOwner": repository.full_name,
            "isPrivate": repository.is_private,
            "visibility": "PRIVATE" if repository.is_private else "PUBLIC",
            "pullRequest": pull_request,
        }

    def pull(self, repository: Repository, pull: Pull) -> Body:
        threads = [thread for thread in pull.threads if self._sees(thread.comments[0].review)]
        reviews = [review for review in pull.reviews if self._sees(review)]
        return {
            "__typename": "PullRequest",
            "id": f"PR_{pull.number}",
            "number": pull.number,
            "title": pull.title,
            "state": "MERGED" if pull.is_merged else "OPEN" if pull.is_open else "CLOSED",
            "isDraft": pull.is_draft,
            "merged": pull.is_merged,
            "locked": pull.is_locked,
            "headRefOid": pull.head_sha,
            "baseRefOid": pull.base_sha,
            "headRefName": pull.head_ref,
            "baseRefName": pull.base_ref,
            "isCrossRepository": pull.head_repository != repository.full_name,
            **self._written(pull.author, pull.body, "2026-01-01T00:00:00Z"),
            "reviewThreads": connection("reviewThreads", threads, self.thread),
            "reviews": connection("reviews", reviews, self.review),
            "comments": connection("comments", pull.issue_comments, self.issue_comment),
        }

    def _sees(self, review: Review) -> bool:
        return review.state != "PENDING" or review.user == self.token.login

    def _written(self, login: str, body: str, at: str | None, edited: str | None = None) -> Body:
        return {
            "author": actor(login) if login else None,
            "body": body,
            "createdAt": at,
            "updatedAt": edited or at,
            "viewerDidAuthor": login == self.token.login,
        }

    def _minimizable(self, reason: str | None) -> Body:
        return {
            "isMinimized": reason is not None,
            "minimizedReason": reason,
            "viewerCanMinimize": self.token.may_write("pull_requests", "issues"),
        }

    def thread(self, thread: Thread) -> Body:
        first = thread.comments[0]
        return {
            "__typename": "PullRequestReviewThread",
            "id": thread.node_id,
            "isResolved": thread.resolved_by is not None,
            "isOutdated": first.is_outdated,
            "isCollapsed": thread.resolved_by is not None or first.is_outdated,
            "line": first.line,
            "originalLine": first.original_line,
            "startLine": first.start_line,
            "originalStartLine": first.original_start_line,
            "path": first.path,
            "diffSide": first.side,
            "subjectType": first.subject_type.upper(),
            "resolvedBy": None if thread.resolved_by is None else actor(thread.resolved_by),
            "viewerCanResolve": self.token.can_resolve,
            "viewerCanReply": self.token.may_write("pull_requests"),
            "comments": connection("comments", thread.comments, self.comment),
        }

    def comment(self, comment: Comment) -> Body:
        replies_to = next(
            (each for each in comment.thread.comments if each.id == comment.in_reply_to), None
        )
        return {
            "__typename": "PullRequestReviewComment",
            "id": comment.node_id,
            "databaseId": comment.id,
            "fullDatabaseId": str(comment.id),
            **self._written(comment.user, comment.body, comment.created_at, comment.updated_at),
            **self._minimizable(comment.minimized),
            "path": comment.path,
            "line": comment.line,
            "originalLine": comment.original_line,
            "outdated": comment.is_outdated,
            "state": "PENDING" if comment.review.state == "PENDING" else "SUBMITTED",
            "subjectType": comment.subject_type.upper(),
            "replyTo": None if replies_to is None else self.comment(replies_to),
            "pullRequestReview": self.review(comment.review),
        }

    def review(self, review: Review) -> Body:
        def own(*_: object, **page: Any) -> Body:
            repositories = self.world.repositories.values()
            pulls = [pull for each in repositories for pull in each.pulls.values()]
            threads = [thread for pull in pulls for thread in pull.threads]
            comments = [each for thread in threads for each in thread.comments]
            kept = [each for each in comments if each.review is review]
            return connection("comments", kept, self.comment)(None, **page)

        return {
            "__typename": "PullRequestReview",
            "id": review.node_id,
            "databaseId": review.id,
            "fullDatabaseId": str(review.id),
            **self._written(
                review.user, review.body, review.submitted_at or "2026-01-01T00:00:00Z"
            ),
            **self._minimizable(review.minimized),
            "state": review.state,
            "submittedAt": review.submitted_at,
            "comments": own,
            "commit": {"__typename": "Commit", "id": review.commit_id, "oid": review.commit_id},
        }

    def issue_comment(self, comment: IssueComment) -> Body:
        return {
            "__typename": "IssueComment",
            "id": comment.node_id,
            "databaseId": comment.id,
            "fullDatabaseId": str(comment.id),
            **self._written(comment.user, comment.body, comment.created_at, comment.updated_at),
            **self._minimizable(comment.minimized),
        }

    def of(self, thing: Comment | Thread | Review | IssueComment) -> Body:
        match thing:
            case Comment():
                return self.comment(thing)
            case Thread():
                return self.thread(thing)
            case Review():
                return self.review(thing)
            case IssueComment():
                return self.issue_comment(thing)


def actor(login: str) -> Body:
    """A bot's login has no `[bot]` here, though it has one everywhere else."""
    kind = "Bot" if login.endswith(BOT) else "User"
    return {"__typename": kind, "id": f"U_{login}", "login": login.removesuffix(BOT)}


def connection(
    name: str, things: Sequence[Any], body_of: Callable[[Any], Body]
) -> Callable[..., Body]:
    """A field that answers one page of `things`."""

    def one_page(
        _: object,
        first: int | None = None,
        last: int | None = None,
        after: str | None = None,
        before: str | None = None,
        **others: object,
    ) -> Body:
        _check_page(name, first, last)
        cursors = [cursor(at) for at in range(len(things))]
        begin = cursors.index(after) + 1 if after in cursors else 0
        end = cursors.index(before) if before in cursors else len(things)
        if first is not None:
            end = min(end, begin + first)
        elif last is not None:
            begin = max(begin, end - last)
        bodies = [body_of(thing) for thing in things[begin:end]]
        shown = cursors[begin:end]
        return {
            "totalCount": len(things),
            "nodes": bodies,
            "edges": [{"cursor": at, "node": body} for at, body in zip(shown, bodies, strict=True)],
            "pageInfo": {
                "startCursor": shown[0] if shown else None,
                "endCursor": shown[-1] if shown else None,
                "hasNextPage": end < len(things),
                "hasPreviousPage": begin > 0,
            },
        }

    return one_page


def _check_page(name: str, first: int | None, last: int | None) -> None:
    if first is None and last is None:
        said = f"You must provide a `first` or `last` value to properly paginate the `{name}`"
        raise GraphQLRefused("MISSING_PAGINATION_BOUNDARIES", f"{said} connection.")
    for word, size in (("first", first), ("last", last)):
        if size is not None and size > MOST_PER_PAGE:
            said = f"Requesting {size} records on the `{name}` connection exceeds the `{word}`"
            raise GraphQLRefused(
                "EXCESSIVE_PAGINATION", f"{said} limit of {MOST_PER_PAGE} records."
            )


def cursor(at: int) -> str:
    return b64encode(f"cursor:v2:{at}".encode()).decode()
