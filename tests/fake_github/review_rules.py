"""What GitHub asks of a review beyond its description, in the words that it refuses with.

Sources: the documentation of the REST API, and refusals quoted in issues of tools that post
reviews. The words of an answer are for people; the fake never says which comment was wrong, as
GitHub does not.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from dsreview.fake_github.hunks import SIDES, Side, at_position, find, hunk_until
from dsreview.fake_github.replies import Refused
from dsreview.fake_github.world import Pull, Version

MAX_BODY = 65536
"""Characters."""

NO_DIFF_HUNK = "diff hunk can't be blank"


@dataclass(frozen=True, slots=True)
class Anchor:
    """Where a comment stands; `line` None: on the file."""

    path: str
    line: int | None
    side: Side = "RIGHT"
    start_line: int | None = None
    start_side: Side | None = None
    diff_hunk: str = ""


def version_of(pull: Pull, commit_id: str | None) -> tuple[Version, str]:
    """The diff that the commit's line numbers are of, and the commit.

    Raises:
        Refused: the pull request never had this commit, or lost it in a forced push.
    """
    if commit_id is None:
        return pull.now, pull.head_sha
    if commit_id not in pull.now.commits:
        raise Refused(422, "Unprocessable Entity", ["commit_id is not part of the pull request"])
    for version in reversed(pull.versions):
        if version.head_sha == commit_id:
            return version, commit_id
    return pull.now, commit_id


def anchor(comment: Mapping[str, Any], version: Version) -> Anchor | list[str]:
    """Where the comment of a request stands; or what is wrong with it, in GitHub's words."""
    path = comment["path"]
    file = version.file(path)
    if file is None:
        return ["path is invalid", NO_DIFF_HUNK]
    if comment.get("subject_type") == "file":
        return Anchor(path, None)
    if file.patch is None:
        return ["line must be part of the diff", NO_DIFF_HUNK]
    if "position" in comment:
        found = at_position(file.patch, comment["position"])
        if found is None:
            return ["position is invalid", NO_DIFF_HUNK]
        side, line = found
        comment = {"line": line, "side": side}
    return _on_lines(comment, path, file.patch)


def _on_lines(comment: Mapping[str, Any], path: str, patch: str) -> Anchor | list[str]:
    side = comment.get("side", "RIGHT")
    start_side = comment.get("start_side", side)
    if side not in SIDES or start_side not in SIDES:
        return ["side is invalid"]
    side, start_side = cast(Side, side), cast(Side, start_side)
    line, start_line = comment.get("line"), comment.get("start_line")
    errors = []
    end = None if line is None else find(patch, side, line)
    if end is None:
        errors.append("line must be part of the diff")
    if start_line is not None:
        start = find(patch, start_side, start_line)
        if line is not None and side == start_side and start_line >= line:
            errors.append("start line must precede the end line.")
        elif start is None or end is None or start.hunk != end.hunk:
            errors.append("start line must be part of the same hunk as the line.")
        elif start.position >= end.position:
            errors.append("start line must precede the end line.")
    if end is None:
        return [*errors, NO_DIFF_HUNK]
    if errors:
        return errors
    return Anchor(
        path,
        line,
        side,
        start_line,
        start_side if start_line is not None else None,
        hunk_until(patch, end),
    )


def anchors(comments: list[dict[str, Any]], version: Version) -> list[Anchor]:
    """Where all comments of a review stand.

    Raises:
        Refused: one of them cannot be posted, so none is.
    """
    good, errors = [], []
    for comment in comments:
        place = anchor(comment, version)
        refused = place if isinstance(place, list) else []
        if not comment["body"].strip():
            refused = [*refused, "body can't be blank"]
        if len(comment["body"]) > MAX_BODY:
            refused = [*refused, f"body is too long (maximum is {MAX_BODY} characters)"]
        if refused:
            errors.append(_sentence([f"Pull request review thread {text}" for text in refused]))
        elif isinstance(place, Anchor):
            good.append(place)
    if errors:
        raise Refused(422, "Unprocessable Entity", list(dict.fromkeys(errors)))
    return good


def _sentence(texts: list[str]) -> str:
    """`a`, `a and b`, `a, b, and c`."""
    if len(texts) < 3:
        return " and ".join(texts)
    return f"{', '.join(texts[:-1])}, and {texts[-1]}"


def one_anchor(comment: Mapping[str, Any], version: Version) -> Anchor:
    """Where a comment that is posted alone stands.

    Raises:
        Refused: in the other form that GitHub has for this: one object for each error.
    """
    place = anchor(comment, version)
    if isinstance(place, Anchor):
        return place
    raise Refused(422, "Validation Failed", [_as_field(text) for text in place])


def _as_field(text: str) -> dict[str, str]:
    resource = {"resource": "PullRequestReviewComment"}
    if text == NO_DIFF_HUNK:
        return resource | {"code": "missing_field", "field": "pull_request_review_thread.diff_hunk"}
    words, _, rest = text.partition(" must ")
    field = f"pull_request_review_thread.{words.removesuffix(' is invalid').replace(' ', '_')}"
    if not rest:
        return resource | {"code": "invalid", "field": field}
    return resource | {"code": "custom", "field": field, "message": f"{field} must {rest}"}


def require_body(text: str | None, what: str = "Body") -> str:
    """The text that was sent.

    Raises:
        Refused: there is none, or it is too long.
    """
    if not text or not text.strip():
        raise Refused(422, "Validation Failed", [_body_error("missing_field", "can't be blank")])
    if len(text) > MAX_BODY:
        said = f"is too long (maximum is {MAX_BODY} characters)"
        raise Refused(422, "Validation Failed", [_body_error("unprocessable", said)])
    return text


def _body_error(code: str, said: str) -> dict[str, str]:
    return {"resource": "IssueComment", "code": code, "field": "data", "message": f"Body {said}"}
