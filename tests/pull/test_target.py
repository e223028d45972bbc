"""Which pull request is meant: as people write it, and as an event says it."""

import json

import pytest

from dsreview.errors import UsageError
from dsreview.outputs.github_pr.client import PullAddress
from dsreview.sources.pull_event import read_event
from dsreview.sources.pull_target import read_address, read_target, web_host

PUBLIC = "https://api.github.com"
ENTERPRISE = "https://ghe.example/api/v3"


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("octo/project#7", PUBLIC),
        ("https://github.com/octo/project/pull/7", PUBLIC),
        ("https://github.com/octo/project/pull/7/files#diff-1", PUBLIC),
        ("https://GHE.example/octo/project/pull/7", ENTERPRISE),
    ],
)
def test_a_pull_request_is_named_in_short_or_by_its_page(text, address):
    assert read_target(text, address) == PullAddress("octo", "project", 7)


@pytest.mark.parametrize(
    "text",
    [
        "octo/project",
        "octo/project#0",
        "octo/project#x",
        "octo/pro%ject#7",
        "octo/proj\u0435ct#7",
        "octo/project#7#8",
        "octo/project#7\n",
        "octo/..#7",
        "../..#7",
        "#7",
        "7",
        "https://github.com/octo/project/issues/7",
        "https://token@github.com/octo/project/pull/7",
    ],
)
def test_anything_else_names_none(text):
    with pytest.raises(UsageError):
        read_target(text, PUBLIC)


def test_a_page_on_another_host_does_not_get_the_token():
    with pytest.raises(UsageError, match=r"github\.com alone.*evil\.example"):
        read_target("https://evil.example/octo/project/pull/7", PUBLIC)
    with pytest.raises(UsageError, match="alone"):
        read_target("https://github.com.evil.example/octo/project/pull/7", PUBLIC)


def test_the_flag_outranks_what_actions_says():
    actions = {"GITHUB_API_URL": ENTERPRISE}
    assert read_address("", {}) == PUBLIC
    assert read_address("", actions) == ENTERPRISE
    assert read_address("https://other.example/api/v3/", actions) == "https://other.example/api/v3"


@pytest.mark.parametrize("address", ["http://ghe.example/api/v3", "ghe.example", "ftp://x/y"])
def test_a_token_travels_encrypted(address):
    with pytest.raises(UsageError, match="https"):
        read_address(address, {})


def test_hosts_of_pages():
    assert web_host(PUBLIC) == "github.com"
    assert web_host("https://api.octo.ghe.com") == "octo.ghe.com"
    assert web_host(ENTERPRISE) == "ghe.example"


def event(**changes):
    repository = {"name": "project", "owner": {"login": "octo"}, "private": True, "id": 1}
    pull = {
        "number": 7,
        "state": "open",
        "title": "@all \u202e ::error::",
        "draft": False,
        "user": {"login": "mallory[bot]"},
        "base": {"ref": "main", "sha": "b" * 40, "repo": repository},
        "head": {"ref": "x;$(id)", "sha": "a" * 40, "repo": repository},
    }
    return {"action": "opened", "repository": repository, "pull_request": pull | changes}


@pytest.fixture
def read(tmp_path):
    def read(content):
        path = tmp_path / "event.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return read_event({"GITHUB_EVENT_PATH": str(path)})

    return read


def test_an_event_says_commits_and_repository(read):
    pull = read(event())
    assert (pull.full_name, pull.base_sha, pull.head_sha) == ("octo/project#7", "b" * 40, "a" * 40)
    assert (pull.is_fork, pull.is_public, pull.is_open) == (False, False, True)


@pytest.mark.parametrize(
    "repo", [None, {"name": "project", "owner": {"login": "mallory"}, "private": False}]
)
def test_a_head_elsewhere_is_a_fork_also_one_that_was_deleted(read, repo):
    assert read(event(head={"ref": "x", "sha": "a" * 40, "repo": repo})).is_fork


def test_an_event_without_pull_request_names_none(read):
    repository = event()["repository"]
    assert read({"repository": repository, "ref": "refs/heads/main"}) is None
    assert read_event({}) is None


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{",
        event(number="7"),
        event(head={"ref": "x", "sha": "--output=x", "repo": None}),
        event() | {"repository": {"name": "../x", "owner": {"login": "o"}, "private": True}},
    ],
)
def test_an_unsound_event_is_one_clear_error(read, content):
    with pytest.raises(UsageError):
        read(content)
