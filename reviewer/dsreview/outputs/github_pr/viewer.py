"""Whose the token is, which decides what counts as ours."""

from typing import Any, Final

from dsreview.outputs.github_pr.client import GitHub
from dsreview.outputs.github_pr.refusals import Refused, Unreachable

VIEWER: Final = "query { viewer { login } }"


def viewer_login(github: GitHub) -> str:
    """The login that the token posts as; empty where GitHub does not say.

    Then no comment counts as ours: whoever can write a comment could silence a finding.

    Raises:
        Unreachable, OutOfTime: who could say it gives no answer.
    """
    what = "ask whose token it is"
    failed: Unreachable | None = None
    try:
        login = _login(github.query(VIEWER, what).get("viewer"))
        if login:
            return login
    except Refused:
        pass
    except Unreachable as error:
        failed = error
    try:
        return _login(github.get("/user", what))
    except Refused:
        if failed is not None:
            raise failed from None
        return ""


def login_or_none(github: GitHub) -> str:
    """A review without it can still be read in the log."""
    try:
        return viewer_login(github)
    except Unreachable as error:
        github.notes.append(str(error))
        return ""


def _login(viewer: Any) -> str:
    login = viewer.get("login") if isinstance(viewer, dict) else None
    return login.encode("utf-8", "replace").decode("utf-8") if isinstance(login, str) else ""
