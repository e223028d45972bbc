"""The fake says what GitHub's description says, and refuses what it does not."""

import ast
import json
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from dsreview.fake_github import FakeGitHub
from dsreview.fake_github.contract import contract
from dsreview.fake_github.routes import OF_A_REPOSITORY, OF_THE_CALLER
from dsreview.fake_github.world import CheckRun

PATCH = "@@ -1,2 +1,3 @@\n a\n+b\n c"


def ask(github, method, path, body=None, *, token="", **headers):
    request = urllib.request.Request(
        github.url + path,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {token or github.token}", **headers},
    )
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.loads(answer.read() or b"null"), answer.headers
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read() or b"null"), error.headers


REPOSITORY = "/repos/octo/project"
PULL = f"{REPOSITORY}/pulls/1"


def test_every_operation_of_the_description_is_answered():
    assert set(contract().operations()) == set(OF_A_REPOSITORY) | set(OF_THE_CALLER)


# What a request needs, for one request to each operation. `{review}` and the like are ids.
BODIES = {
    "POST /repos/{owner}/{repo}/check-runs": {"name": "dsreview", "head_sha": "a" * 40},
    "PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}": {"conclusion": "neutral"},
    "POST /repos/{owner}/{repo}/pulls/{pull_number}/comments": {
        "body": "x",
        "commit_id": "a" * 40,
        "path": "f.py",
        "line": 2,
        "side": "RIGHT",
    },
    "POST /repos/{owner}/{repo}/pulls/{pull_number}/comments/{comment_id}/replies": {"body": "x"},
    "PATCH /repos/{owner}/{repo}/pulls/comments/{comment_id}": {"body": "y"},
    "POST /repos/{owner}/{repo}/pulls/{pull_number}/reviews": {"event": "COMMENT", "body": "x"},
    "PUT /repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id}": {"body": "y"},
    "POST /repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id}/events": {
        "event": "COMMENT"
    },
    "PUT /repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id}/dismissals": {
        "message": "x"
    },
    "POST /repos/{owner}/{repo}/issues/{issue_number}/comments": {"body": "x"},
    "PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}": {"body": "y"},
}
REFUSED = {  # in the world of the test, for a reason that the description knows
    "DELETE /repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id}": 422,
    "POST /repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id}/events": 422,
    "PUT /repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id}/dismissals": 422,
}


@pytest.mark.parametrize("operation", [" ".join(each) for each in contract().operations()])
def test_every_answer_is_one_that_the_description_allows(operation):
    """The fake itself raises at the end where one is not."""
    method, _, template = operation.partition(" ")
    with FakeGitHub(private=False) as github:
        pull = github.add_pull({"f.py": PATCH})
        token = github.personal_token if template == "/user" else github.token
        comment = {"path": "f.py", "line": 2, "side": "RIGHT", "body": "x"}
        review = {"event": "COMMENT", "body": "x", "comments": [comment]}
        assert ask(github, "POST", f"{PULL}/reviews", review)[0] == 200
        assert ask(github, "POST", f"{REPOSITORY}/issues/1/comments", {"body": "x"})[0] == 201
        check = {"name": "dsreview", "head_sha": pull.head_sha}
        assert ask(github, "POST", f"{REPOSITORY}/check-runs", check)[0] == 201
        conversation = template.startswith("/repos/{owner}/{repo}/issues/")
        holes = {
            "owner": "octo",
            "repo": "project",
            "pull_number": 1,
            "issue_number": 1,
            "username": "ann",
            "ref": pull.head_sha,
            "review_id": pull.reviews[0].id,
            "comment_id": (pull.issue_comments if conversation else pull.comments)[0].id,
            "check_run_id": github.repository.check_runs[0].id,
        }
        path = template.format(**holes)
        status, body, _ = ask(github, method, path, BODIES.get(operation), token=token)
        assert not github.contract_violations
    if operation in REFUSED:
        assert status == REFUSED[operation]
    else:
        assert status in (200, 201, 204), body


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        (f"{PULL}/reviews", {"evnt": "COMMENT"}, "evnt"),
        (f"{PULL}/reviews", {"event": "comment"}, "is not one of"),
        (f"{PULL}/reviews", {"comments": [{"body": "x"}]}, "'path' is a required property"),
        (f"{PULL}/reviews", {"comments": [{"body": "x", "path": "f.py", "lines": 2}]}, "lines"),
        (f"{PULL}/comments", {"body": "x", "path": "f.py"}, "'commit_id' is a required property"),
        (f"{REPOSITORY}/issues/1/comments", {}, "'body' is a required property"),
        (f"{REPOSITORY}/issues/1/comments?pages=2", {"body": "x"}, "pages"),
    ],
)
def test_a_request_that_the_description_forbids_is_refused_and_noted(fake_github, path, body, said):
    fake_github.add_pull({"f.py": PATCH})
    status, answer, _ = ask(fake_github, "POST", path, body)
    assert status == 422
    assert said in " ".join(answer["errors"])
    assert len(fake_github.contract_violations) == 1
    assert not fake_github.repository.pulls[1].reviews


def ask_for_an_impossible_check_run():
    with FakeGitHub() as github:
        pull = github.add_pull({"f.py": PATCH})
        run = CheckRun(1, pull.head_sha, {"name": "dsreview", "conclusion": "brilliant"})
        github.repository.check_runs.append(run)
        ask(github, "GET", f"{REPOSITORY}/check-runs/1")


def test_a_wrong_answer_of_the_fake_is_told_at_the_end():
    with pytest.raises(AssertionError, match="conclusion: 'brilliant' is not one of"):
        ask_for_an_impossible_check_run()


@pytest.mark.parametrize(
    ("authorization", "said"),
    [("", "Requires authentication"), ("Bearer wrong", "Bad credentials"), ("Basic x", "Bad")],
)
def test_a_token_is_asked_for(fake_github, authorization, said):
    headers = {"Authorization": authorization} if authorization else {}
    request = urllib.request.Request(fake_github.url + REPOSITORY, headers=headers)
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)
    assert refused.value.code == 401
    assert said in json.loads(refused.value.read())["message"]


@pytest.mark.parametrize(
    "path", ["/nothing", "/repos/octo/other", f"{REPOSITORY}/pulls/2", f"{REPOSITORY}/pulls/x"]
)
def test_what_is_not_there_is_not_found(fake_github, path):
    assert ask(fake_github, "GET", path)[0] in (404, 422)


def test_a_workflows_token_may_not_ask_who_it_is(fake_github):
    status, answer, _ = ask(fake_github, "GET", "/user")
    assert (status, answer["message"]) == (403, "Resource not accessible by integration")
    assert ask(fake_github, "GET", "/user", token=fake_github.personal_token)[1]["login"] == "ann"


def test_an_enterprise_server_has_its_own_base(fake_github):
    fake_github.add_pull({"f.py": PATCH})
    status, answer, _ = ask(fake_github, "GET", f"/api/v3{PULL}")
    assert status == 200
    assert answer["url"] == fake_github.enterprise_url + PULL


def test_pages_link_to_each_other(fake_github):
    fake_github.add_pull({f"f{number}.py": PATCH for number in range(205)})
    at, sizes = f"{PULL}/files?per_page=100", []
    while at:
        _, files, headers = ask(fake_github, "GET", at)
        sizes.append(len(files))
        links = dict(reversed(part.split("; ")) for part in headers["Link"].split(", "))
        following = links.get('rel="next"', "").strip("<>")
        at = following.removeprefix(fake_github.url)
    assert sizes == [100, 100, 5]


def test_at_most_3000_files_are_listed(fake_github):
    fake_github.add_pull({f"f{number}.py": PATCH for number in range(3001)})
    _, files, headers = ask(fake_github, "GET", f"{PULL}/files?per_page=100&page=30")
    assert len(files) == 100
    assert "next" not in headers["Link"]
    assert ask(fake_github, "GET", f"{PULL}/files?per_page=100&page=31")[1] == []
    assert ask(fake_github, "GET", PULL)[1]["changed_files"] == 3001


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({f"f{number}.py": PATCH for number in range(301)}, "maximum number of files (300)"),
        ({"f.py": "@@ -0,0 +1,20001 @@" + "\n+x" * 20001}, "maximum number of lines (20000)"),
    ],
)
def test_a_large_diff_is_not_acceptable(fake_github, files, said):
    fake_github.add_pull(files)
    status, answer, _ = ask(fake_github, "GET", PULL, Accept="application/vnd.github.diff")
    assert status == 406
    assert said in answer["message"]


def test_ids_and_times_are_the_same_in_every_run():
    answers = []
    for _ in range(2):
        with FakeGitHub() as github:
            github.add_pull({"f.py": PATCH})
            body = {"event": "COMMENT", "body": "x"}
            _, review, _ = ask(github, "POST", f"{PULL}/reviews", body)
            answers.append((review["id"], review["submitted_at"]))
    assert answers[0] == answers[1]


def test_the_log_says_who_asked_what_and_when(fake_github):
    fake_github.add_pull({"f.py": PATCH})
    ask(fake_github, "GET", f"{PULL}/files?per_page=5")
    ask(fake_github, "POST", f"{PULL}/reviews", {"event": "COMMENT", "body": "x"})
    first, second = fake_github.log
    assert (first.method, first.path, first.query) == ("GET", f"{PULL}/files", {"per_page": "5"})
    assert (second.status, second.body["event"]) == (200, "COMMENT")
    assert second.login == "github-actions[bot]"
    assert first.at < second.at


ROOT = Path(__file__).parents[2]


def imports_below(folder):
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                yield path, node.module
            elif isinstance(node, ast.Import):
                yield from ((path, alias.name) for alias in node.names)


def test_the_fake_knows_nothing_of_the_program_and_the_program_nothing_of_the_fake():
    """Who wrote both wrong in the same way would notice nothing."""
    for path, name in imports_below(ROOT / "tests" / "fake_github"):
        own = name.startswith("dsreview.fake_github")
        assert own or not name.startswith(("dsreview", "dsengine", "github")), path
    for folder in ("reviewer", "engine"):
        for path, name in imports_below(ROOT / folder):
            assert not name.startswith("dsreview.fake_github"), path
