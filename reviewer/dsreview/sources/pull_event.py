"""The pull request that started a workflow, as GitHub Actions describes it.

The event and not the API says which commits are reviewed: a branch may move between the
start of a run and its first question. Titles and names of branches are hostile text.
"""

import re
from collections.abc import Mapping
from pathlib import Path

import msgspec

from dsreview.errors import UsageError
from dsreview.outputs.github_pr.client import PullAddress
from dsreview.outputs.github_pr.values import PullRequest

EVENT_VARIABLE = "GITHUB_EVENT_PATH"
MAX_EVENT_BYTES = 64 << 20
"""GitHub's own limit is 25 MB."""

_OID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


class _User(msgspec.Struct):
    login: str


class _Repository(msgspec.Struct):
    name: str
    owner: _User
    private: bool


class _Branch(msgspec.Struct):
    ref: str
    sha: str
    repo: _Repository | None = None
    """None where a fork was deleted."""


class _Pull(msgspec.Struct):
    number: int
    base: _Branch
    head: _Branch
    state: str
    title: str = ""
    draft: bool = False
    user: _User | None = None
    """None where the account was deleted."""


class _Event(msgspec.Struct):
    repository: _Repository
    pull_request: _Pull | None = None


def read_event(environment: Mapping[str, str]) -> PullRequest | None:
    """The pull request of the event; None outside Actions and for events without one.

    Raises:
        UsageError: the file cannot be read as an event.
    """
    name = environment.get(EVENT_VARIABLE, "")
    if not name:
        return None
    try:
        with Path(name).open("rb") as file:
            content = file.read(MAX_EVENT_BYTES + 1)
        if len(content) > MAX_EVENT_BYTES:
            raise UsageError(f"{EVENT_VARIABLE}: {name} is larger than {MAX_EVENT_BYTES >> 20} MB")
        event = msgspec.json.decode(content, type=_Event)
    except OSError as error:
        raise UsageError(f"{EVENT_VARIABLE}: {name}: {error.strerror}") from None
    except msgspec.DecodeError as error:
        raise UsageError(f"{EVENT_VARIABLE}: {name} is no event of GitHub: {error}") from None
    return None if event.pull_request is None else _pull(event.repository, event.pull_request)


def _pull(repository: _Repository, pull: _Pull) -> PullRequest:
    target = PullAddress(repository.owner.login, repository.name, pull.number)
    if not all(_OID.fullmatch(side.sha) for side in (pull.base, pull.head)):
        raise UsageError(f"{EVENT_VARIABLE}: a commit of {target} has no sound id")
    source = pull.head.repo
    return PullRequest(
        owner=target.owner,
        name=target.name,
        number=target.number,
        base_sha=pull.base.sha,
        head_sha=pull.head.sha,
        base_ref=pull.base.ref,
        head_ref=pull.head.ref,
        title=pull.title,
        author=pull.user.login if pull.user else "",
        is_open=pull.state == "open",
        is_draft=pull.draft,
        is_fork=source is None or _full_name(source) != _full_name(repository),
        is_public=not repository.private,
    )


def _full_name(repository: _Repository) -> str:
    return f"{repository.owner.login}/{repository.name}".lower()
