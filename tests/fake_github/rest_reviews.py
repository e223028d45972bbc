"""Reviews: created whole or not at all."""

from collections.abc import Mapping
from typing import Any

from dsreview.fake_github.moves import catch_up
from dsreview.fake_github.places import Place, find_by_id
from dsreview.fake_github.replies import Call, Refused, Reply, forbidden, page
from dsreview.fake_github.review_rules import MAX_BODY, Anchor, anchors, version_of
from dsreview.fake_github.world import Comment, Pull, Review, ReviewState, Thread, World

STATES: Mapping[str | None, ReviewState] = {
    None: "PENDING",
    "COMMENT": "COMMENTED",
    "APPROVE": "APPROVED",
    "REQUEST_CHANGES": "CHANGES_REQUESTED",
}
UNPROCESSABLE = "Unprocessable Entity"


def list_reviews(place: Place, call: Call) -> Reply:
    pull = place.pull
    shown = [
        review
        for review in pull.reviews
        if review.state != "PENDING" or review.user == call.token.login
    ]
    return page(call, [place.bodies.review(pull, review) for review in shown])


def get_review(place: Place, call: Call) -> Reply:
    return Reply(200, place.bodies.review(place.pull, _review(place, call)))


def _review(place: Place, call: Call) -> Review:
    review = find_by_id(place.pull.reviews, call.holes["review_id"])
    if review.state == "PENDING" and review.user != call.token.login:
        raise Refused(404, "Not Found")
    return review


def create_review(place: Place, call: Call) -> Reply:
    _require_write(call)
    body, pull = call.body or {}, place.pull
    comments = body.get("comments", [])
    event = body.get("event")
    version, commit_id = version_of(pull, body.get("commit_id"))
    _check_event(event, body, pull, call)
    places = anchors(comments, version)
    if has_pending(pull, call.token.login):
        said = "User can only have one pending review per pull request"
        raise Refused(422, UNPROCESSABLE, [said])
    review = _add(place.world, pull, call.token.login, body, commit_id)
    for sent, anchor in zip(comments, places, strict=True):
        comment = start_thread(place.world, pull, review, anchor, sent["body"])
        catch_up(comment, pull, version)
    return Reply(200, place.bodies.review(pull, review))


def _add(world: World, pull: Pull, login: str, body: dict[str, Any], commit_id: str) -> Review:
    state = STATES[body.get("event")]
    review = Review(
        id=next(world.ids),
        user=login,
        body=body.get("body", ""),
        state=state,
        commit_id=commit_id,
        submitted_at=None if state == "PENDING" else world.time(),
    )
    pull.reviews.append(review)
    return review


def _require_write(call: Call) -> None:
    if not call.token.may_write("pull_requests"):
        raise forbidden(call)


def has_pending(pull: Pull, login: str) -> bool:
    """Until it is submitted or deleted, its author can neither review nor comment on the code."""
    return any(review.state == "PENDING" and review.user == login for review in pull.reviews)


def _check_event(event: str | None, body: dict[str, Any], pull: Pull, call: Call) -> None:
    text = body.get("body", "")
    if len(text) > MAX_BODY:
        said = f"Body is too long (maximum is {MAX_BODY} characters)"
        raise Refused(422, UNPROCESSABLE, [said])
    if pull.is_locked and call.token.kind != "personal":
        raise Refused(422, UNPROCESSABLE, ["lock prevents review"])
    if event == "APPROVE":
        if call.token.kind == "actions":
            said = "GitHub Actions is not permitted to approve pull requests."
            raise Refused(422, UNPROCESSABLE, [said])
        if call.token.login == pull.author:
            raise Refused(422, UNPROCESSABLE, ["Can not approve your own pull request"])
    needs_text = event == "REQUEST_CHANGES" or (event == "COMMENT" and not body.get("comments"))
    if needs_text and not text.strip():
        raise Refused(422, UNPROCESSABLE, ["Body can't be blank"])
    if event == "REQUEST_CHANGES" and call.token.login == pull.author:
        raise Refused(422, UNPROCESSABLE, ["Can not request changes on your own pull request"])


def start_thread(world: World, pull: Pull, review: Review, anchor: Anchor, body: str) -> Comment:
    thread = Thread(next(world.ids))
    at = world.time()
    comment = Comment(
        id=next(world.ids),
        thread=thread,
        review=review,
        user=review.user,
        body=body,
        path=anchor.path,
        commit_id=review.commit_id,
        original_commit_id=review.commit_id,
        created_at=at,
        updated_at=at,
        subject_type="file" if anchor.line is None else "line",
        side=anchor.side,
        start_side=anchor.start_side,
        line=anchor.line,
        start_line=anchor.start_line,
        original_line=anchor.line,
        original_start_line=anchor.start_line,
        diff_hunk=anchor.diff_hunk,
    )
    thread.comments.append(comment)
    pull.threads.append(thread)
    return comment


def edit_review(place: Place, call: Call) -> Reply:
    _require_write(call)
    review = _review(place, call)
    _require_author(review.user, call)
    if len(call.body["body"]) > MAX_BODY:
        said = f"Body is too long (maximum is {MAX_BODY} characters)"
        raise Refused(422, UNPROCESSABLE, [said])
    review.body = call.body["body"]
    return Reply(200, place.bodies.review(place.pull, review))


def _require_author(login: str, call: Call) -> None:
    if login != call.token.login:
        raise forbidden(call)


def delete_review(place: Place, call: Call) -> Reply:
    _require_write(call)
    review = _review(place, call)
    if review.state != "PENDING":
        raise Refused(422, UNPROCESSABLE, ["Can not delete a non-pending pull request review"])
    answer = place.bodies.review(place.pull, review)
    place.pull.reviews.remove(review)
    place.pull.threads[:] = [
        thread for thread in place.pull.threads if thread.comments[0].review is not review
    ]
    return Reply(200, answer)


def submit_review(place: Place, call: Call) -> Reply:
    _require_write(call)
    review = _review(place, call)
    if review.state != "PENDING":
        raise Refused(422, UNPROCESSABLE, ["Can not submit a review that is not pending"])
    own = [thread for thread in place.pull.threads if thread.comments[0].review is review]
    text = call.body.get("body", review.body)
    asked = {"body": text, "comments": own}
    _check_event(call.body["event"], asked, place.pull, call)
    review.body, review.state = text, STATES[call.body["event"]]
    review.submitted_at = place.world.time()
    return Reply(200, place.bodies.review(place.pull, review))


def dismiss_review(place: Place, call: Call) -> Reply:
    _require_write(call)
    review = _review(place, call)
    if review.state not in ("APPROVED", "CHANGES_REQUESTED"):
        raise Refused(422, UNPROCESSABLE, ["Can not dismiss a commented pull request review"])
    review.state = "DISMISSED"
    return Reply(200, place.bodies.review(place.pull, review))


def list_comments_of_review(place: Place, call: Call) -> Reply:
    review = _review(place, call)
    every = (comment for thread in place.pull.threads for comment in thread.comments)
    own = [place.bodies.comment(place.pull, each) for each in every if each.review is review]
    return page(call, own)
