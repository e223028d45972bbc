"""Comments on lines, on files, and in the conversation."""

from collections.abc import Callable, Sequence
from typing import Any

from dsreview.fake_github.moves import catch_up
from dsreview.fake_github.places import Place, find_by_id, not_found
from dsreview.fake_github.replies import Call, Refused, Reply, forbidden, page
from dsreview.fake_github.rest_reviews import has_pending, start_thread
from dsreview.fake_github.review_rules import one_anchor, require_body, version_of
from dsreview.fake_github.world import Comment, IssueComment, Pull, Review

# either permission of a workflow is enough to write in a pull request's conversation
CONVERSATION = ("pull_requests", "issues")


def list_comments(place: Place, call: Call) -> Reply:
    comments = _sorted(place.pull.comments, call)
    return page(call, [place.bodies.comment(place.pull, comment) for comment in comments])


def _sorted(comments: Sequence[Any], call: Call) -> list[Any]:
    since = call.query.get("since", "")
    kept = [comment for comment in comments if comment.updated_at >= since]
    if "sort" in call.query:
        key: Callable[[Any], str] = (
            (lambda comment: comment.updated_at)
            if call.query["sort"] == "updated"
            else (lambda comment: comment.created_at)
        )
        kept.sort(key=key, reverse=call.query.get("direction") == "desc")
    return kept


def create_comment(place: Place, call: Call) -> Reply:
    """One comment, outside a review: GitHub makes a review around it."""
    if not call.token.may_write("pull_requests"):
        raise forbidden(call)
    pull, sent = place.pull, call.body
    text = require_body(sent["body"])
    if "in_reply_to" in sent:
        return _reply(place, call, _comment_of(pull, str(sent["in_reply_to"])), text)
    version, commit_id = version_of(pull, sent["commit_id"])
    anchor = one_anchor(sent, version)
    _require_none_pending(pull, call)
    review = Review(
        next(place.world.ids), call.token.login, "", "COMMENTED", commit_id, place.world.time()
    )
    pull.reviews.append(review)
    comment = start_thread(place.world, pull, review, anchor, text)
    catch_up(comment, pull, version)
    return Reply(201, place.bodies.comment(pull, comment))


def _require_none_pending(pull: Pull, call: Call) -> None:
    if has_pending(pull, call.token.login):
        said = "user_id can only have one pending review per pull request"
        where = {"resource": "PullRequestReview", "code": "custom", "field": "user_id"}
        raise Refused(422, "Validation Failed", [where | {"message": said}])


def _comment_of(pull: Pull, wanted: str) -> Comment:
    return find_by_id(pull.comments, wanted)


def reply(place: Place, call: Call) -> Reply:
    if not call.token.may_write("pull_requests"):
        raise forbidden(call)
    text = require_body(call.body["body"])
    return _reply(place, call, _comment_of(place.pull, call.holes["comment_id"]), text)


def _reply(place: Place, call: Call, to: Comment, text: str) -> Reply:
    _require_none_pending(place.pull, call)
    first = to.thread.comments[0]
    at = place.world.time()
    review = Review(next(place.world.ids), call.token.login, "", "COMMENTED", first.commit_id, at)
    place.pull.reviews.append(review)
    answer = Comment(
        id=next(place.world.ids),
        thread=first.thread,
        review=review,
        user=call.token.login,
        body=text,
        path=first.path,
        commit_id=first.commit_id,
        original_commit_id=first.original_commit_id,
        created_at=at,
        updated_at=at,
        subject_type=first.subject_type,
        side=first.side,
        line=first.line,
        original_line=first.original_line,
        diff_hunk=first.diff_hunk,
        in_reply_to=first.id,
    )
    first.thread.comments.append(answer)
    return Reply(201, place.bodies.comment(place.pull, answer))


def get_comment(place: Place, call: Call) -> Reply:
    pull, comment = _anywhere(place, call)
    return Reply(200, place.bodies.comment(pull, comment))


def _anywhere(place: Place, call: Call) -> tuple[Pull, Comment]:
    for pull in place.repository.pulls.values():
        for comment in pull.comments:
            if str(comment.id) == call.holes["comment_id"]:
                return pull, comment
    raise not_found()


def edit_comment(place: Place, call: Call) -> Reply:
    pull, comment = _anywhere(place, call)
    _require_own(comment.user, call)
    comment.body, comment.updated_at = require_body(call.body["body"]), place.world.time()
    return Reply(200, place.bodies.comment(pull, comment))


def _require_own(login: str, call: Call) -> None:
    if login != call.token.login or not call.token.may_write(*CONVERSATION):
        raise forbidden(call)


def delete_comment(place: Place, call: Call) -> Reply:
    pull, comment = _anywhere(place, call)
    _require_own(comment.user, call)
    comment.thread.comments.remove(comment)
    if not comment.thread.comments:
        pull.threads.remove(comment.thread)
    return Reply(204)


def list_issue_comments(place: Place, call: Call) -> Reply:
    comments = _sorted(place.pull.issue_comments, call)
    return page(call, [place.bodies.issue_comment(place.pull, comment) for comment in comments])


def create_issue_comment(place: Place, call: Call) -> Reply:
    pull = place.pull
    if not call.token.may_write(*CONVERSATION):
        raise forbidden(call)
    if pull.is_locked and call.token.kind != "personal":
        raise Refused(403, "Unable to create comment because issue is locked.")
    text = require_body(call.body["body"])
    at = place.world.time()
    comment = IssueComment(next(place.world.ids), call.token.login, text, at, at)
    pull.issue_comments.append(comment)
    return Reply(201, place.bodies.issue_comment(pull, comment))


def get_issue_comment(place: Place, call: Call) -> Reply:
    pull, comment = _in_conversation(place, call)
    return Reply(200, place.bodies.issue_comment(pull, comment))


def _in_conversation(place: Place, call: Call) -> tuple[Pull, IssueComment]:
    for pull in place.repository.pulls.values():
        for comment in pull.issue_comments:
            if str(comment.id) == call.holes["comment_id"]:
                return pull, comment
    raise not_found()


def edit_issue_comment(place: Place, call: Call) -> Reply:
    pull, comment = _in_conversation(place, call)
    _require_own(comment.user, call)
    comment.body, comment.updated_at = require_body(call.body["body"]), place.world.time()
    return Reply(200, place.bodies.issue_comment(pull, comment))


def delete_issue_comment(place: Place, call: Call) -> Reply:
    pull, comment = _in_conversation(place, call)
    _require_own(comment.user, call)
    pull.issue_comments.remove(comment)
    return Reply(204)
