"""Which function answers which operation. A test compares the table with the description."""

from collections.abc import Callable, Mapping

from dsreview.fake_github import rest_comments, rest_repository, rest_reviews
from dsreview.fake_github.places import Place, place_of
from dsreview.fake_github.replies import Call, Reply
from dsreview.fake_github.world import World

REPOSITORY = "/repos/{owner}/{repo}"
PULL = f"{REPOSITORY}/pulls/{{pull_number}}"
COMMENT = f"{REPOSITORY}/pulls/comments/{{comment_id}}"
REVIEW = f"{PULL}/reviews/{{review_id}}"
CONVERSATION = f"{REPOSITORY}/issues/{{issue_number}}/comments"
ISSUE_COMMENT = f"{REPOSITORY}/issues/comments/{{comment_id}}"
CHECK_RUN = f"{REPOSITORY}/check-runs/{{check_run_id}}"

OF_THE_CALLER: Mapping[tuple[str, str], Callable[[Call], Reply]] = {
    ("GET", "/user"): rest_repository.get_user,
    ("GET", "/rate_limit"): rest_repository.get_rate_limit,
}
OF_A_REPOSITORY: Mapping[tuple[str, str], Callable[[Place, Call], Reply]] = {
    ("GET", REPOSITORY): rest_repository.get_repository,
    ("GET", f"{REPOSITORY}/collaborators/{{username}}/permission"): rest_repository.get_permission,
    ("GET", f"{REPOSITORY}/commits/{{ref}}"): rest_repository.get_commit,
    ("GET", f"{REPOSITORY}/commits/{{ref}}/check-runs"): rest_repository.list_check_runs,
    ("POST", f"{REPOSITORY}/check-runs"): rest_repository.create_check_run,
    ("GET", CHECK_RUN): rest_repository.get_check_run,
    ("PATCH", CHECK_RUN): rest_repository.edit_check_run,
    ("GET", f"{REPOSITORY}/pulls"): rest_repository.list_pulls,
    ("GET", PULL): rest_repository.get_pull,
    ("GET", f"{PULL}/commits"): rest_repository.list_commits,
    ("GET", f"{PULL}/files"): rest_repository.list_files,
    ("GET", f"{PULL}/comments"): rest_comments.list_comments,
    ("POST", f"{PULL}/comments"): rest_comments.create_comment,
    ("POST", f"{PULL}/comments/{{comment_id}}/replies"): rest_comments.reply,
    ("GET", COMMENT): rest_comments.get_comment,
    ("PATCH", COMMENT): rest_comments.edit_comment,
    ("DELETE", COMMENT): rest_comments.delete_comment,
    ("GET", f"{PULL}/reviews"): rest_reviews.list_reviews,
    ("POST", f"{PULL}/reviews"): rest_reviews.create_review,
    ("GET", REVIEW): rest_reviews.get_review,
    ("PUT", REVIEW): rest_reviews.edit_review,
    ("DELETE", REVIEW): rest_reviews.delete_review,
    ("POST", f"{REVIEW}/events"): rest_reviews.submit_review,
    ("PUT", f"{REVIEW}/dismissals"): rest_reviews.dismiss_review,
    ("GET", f"{REVIEW}/comments"): rest_reviews.list_comments_of_review,
    ("GET", CONVERSATION): rest_comments.list_issue_comments,
    ("POST", CONVERSATION): rest_comments.create_issue_comment,
    ("GET", ISSUE_COMMENT): rest_comments.get_issue_comment,
    ("PATCH", ISSUE_COMMENT): rest_comments.edit_issue_comment,
    ("DELETE", ISSUE_COMMENT): rest_comments.delete_issue_comment,
}


def answer(world: World, call: Call) -> Reply:
    """What GitHub answers to a request that its description allows.

    Raises:
        Refused: one of the rules forbids it; nothing has changed.
    """
    operation = (call.method, call.template)
    if operation in OF_THE_CALLER:
        return OF_THE_CALLER[operation](call)
    return OF_A_REPOSITORY[operation](place_of(world, call), call)
