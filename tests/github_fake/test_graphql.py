"""GraphQL as GitHub's schema has it: threads, and what hides or resolves them."""

import json
import urllib.request

import pytest

from dsreview.fake_github.cut_graphql import KEPT
from dsreview.fake_github.graphql_answers import schema

PATCH = "@@ -1,2 +1,4 @@\n a\n+b\n+c\n d"
THREADS = """
query($owner: String!, $name: String!, $number: Int!, $first: Int, $after: String) {
  viewer { login }
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) {
      headRefOid
      reviewThreads(first: $first, after: $after) {
        totalCount
        pageInfo { hasNextPage endCursor }
        nodes {
          id isResolved isOutdated viewerCanResolve path line
          comments(first: 100) {
            nodes {
              id databaseId body isMinimized minimizedReason viewerDidAuthor
              author { __typename login } replyTo { id } pullRequestReview { databaseId state }
            }
          }
        }
      }
      reviews(last: 10) { nodes { databaseId state commit { oid } } }
      comments(first: 10) { nodes { databaseId body } }
    }
  }
}
"""
MINIMIZE = """
mutation($id: ID!) {
  minimizeComment(input: {subjectId: $id, classifier: OUTDATED}) {
    minimizedComment { isMinimized minimizedReason }
  }
}
"""
RESOLVE = """
mutation($id: ID!) {
  resolveReviewThread(input: {threadId: $id}) { thread { isResolved resolvedBy { login } } }
}
"""


def send(url, token, body):
    request = urllib.request.Request(
        url, data=json.dumps(body).encode(), headers={"Authorization": f"bearer {token}"}
    )
    with urllib.request.urlopen(request) as answer:
        return json.loads(answer.read())


def query(fake, text, token="", path="/graphql", **variables):
    sent = {"query": text, "variables": variables}
    return send(fake.url + path, token or fake.token, sent)


def rest(fake, method, path, body=None):
    request = urllib.request.Request(
        fake.url + path,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"bearer {fake.token}"},
    )
    with urllib.request.urlopen(request) as answer:
        return json.loads(answer.read())


@pytest.fixture
def pull(fake_github):
    pull = fake_github.add_pull({"f.py": PATCH})
    comments = [{"path": "f.py", "line": line, "body": f"on {line}"} for line in (2, 3)]
    review = {"event": "COMMENT", "body": "b", "comments": comments}
    rest(fake_github, "POST", "/repos/octo/project/pulls/1/reviews", review)
    rest(fake_github, "POST", "/repos/octo/project/issues/1/comments", {"body": "summary"})
    return pull


WHERE = {"owner": "octo", "name": "project", "number": 1}


def threads_of(answer):
    return answer["data"]["repository"]["pullRequest"]["reviewThreads"]


def test_threads_say_what_rest_does_not(fake_github, pull):
    fake_github.force_push(pull, {"f.py": "@@ -1,2 +1,3 @@\n a\n+c\n d"}, head="c" * 40)
    answer = query(fake_github, THREADS, **WHERE, first=100)
    outdated, moved = threads_of(answer)["nodes"]
    assert (outdated["isOutdated"], outdated["line"]) == (True, None)
    assert (moved["isOutdated"], moved["line"]) == (False, 2)
    (comment,) = moved["comments"]["nodes"]
    assert comment["databaseId"] == pull.comments[1].id
    assert comment["author"] == {"__typename": "Bot", "login": "github-actions"}
    assert comment["viewerDidAuthor"]
    assert answer["data"]["viewer"]["login"] == "github-actions[bot]"
    assert answer["data"]["repository"]["pullRequest"]["headRefOid"] == "c" * 40
    assert fake_github.contract_violations == []


def test_the_comment_of_a_deleted_account_has_no_author(fake_github, pull):
    pull.comments[0].user = ""
    answer = query(fake_github, THREADS, **WHERE, first=1)
    assert threads_of(answer)["nodes"][0]["comments"]["nodes"][0]["author"] is None
    first, _ = rest(fake_github, "GET", "/repos/octo/project/pulls/1/comments")
    assert first["user"] is None


def test_threads_come_in_pages(fake_github, pull):
    seen, after = [], None
    while True:
        threads = threads_of(query(fake_github, THREADS, **WHERE, first=1, after=after))
        seen += [thread["id"] for thread in threads["nodes"]]
        if not threads["pageInfo"]["hasNextPage"]:
            break
        after = threads["pageInfo"]["endCursor"]
    assert seen == [thread.node_id for thread in pull.threads]


@pytest.mark.parametrize(
    ("first", "kind"), [(None, "MISSING_PAGINATION_BOUNDARIES"), (101, "EXCESSIVE_PAGINATION")]
)
def test_a_page_has_its_limits(fake_github, pull, first, kind):
    answer = query(fake_github, THREADS, **WHERE, first=first)
    assert [error["type"] for error in answer["errors"]] == [kind]


def test_comments_of_every_kind_can_be_hidden(fake_github, pull):
    things = (pull.comments[0], pull.reviews[0], pull.issue_comments[0])
    for thing in things:
        answer = query(fake_github, MINIMIZE, id=thing.node_id)
        hidden = answer["data"]["minimizeComment"]["minimizedComment"]
        assert hidden == {"isMinimized": True, "minimizedReason": "outdated"}
    assert [thing.minimized for thing in things] == ["outdated"] * 3


def test_a_workflows_token_may_not_resolve_a_thread(fake_github, pull):
    (thread, _) = pull.threads
    answer = query(fake_github, RESOLVE, id=thread.node_id)
    assert answer["data"] == {"resolveReviewThread": None}
    (error,) = answer["errors"]
    assert error["type"] == "FORBIDDEN"
    assert error["message"] == "Resource not accessible by integration"
    assert thread.resolved_by is None


def test_a_person_may(fake_github, pull):
    (thread, _) = pull.threads
    answer = query(fake_github, RESOLVE, fake_github.personal_token, id=thread.node_id)
    resolved = answer["data"]["resolveReviewThread"]["thread"]
    assert resolved == {"isResolved": True, "resolvedBy": {"login": "ann"}}
    assert thread.resolved_by == "ann"


def test_a_reading_token_hides_nothing(fake_github, pull):
    comment = pull.comments[0]
    answer = query(fake_github, MINIMIZE, fake_github.read_only_token, id=comment.node_id)
    assert answer["errors"][0]["type"] == "FORBIDDEN"
    assert comment.minimized is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{ viewer { logn } }", "Cannot query field 'logn' on type 'User'"),
        ("{ repository(owner: 1, name: 2) { id } }", "String cannot represent"),
        ("{ viewer { login }", "Syntax Error"),
    ],
)
def test_what_the_schema_has_not_is_refused_and_noted(fake_github, text, said):
    answer = query(fake_github, text)
    assert said in answer["errors"][0]["message"]
    assert "data" not in answer
    assert any(said in violation for violation in fake_github.contract_violations)


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        (THREADS, {**WHERE, "name": "other", "first": 1}),
        (THREADS, {**WHERE, "number": 7, "first": 1}),
        (MINIMIZE, {"id": "PRRC_7"}),
    ],
)
def test_what_is_not_there_is_not_found(fake_github, pull, text, variables):
    assert query(fake_github, text, **variables)["errors"][0]["type"] == "NOT_FOUND"


def test_an_enterprise_server_has_its_own_address(fake_github, pull):
    answer = query(fake_github, THREADS, path="/api/graphql", **WHERE, first=5)
    assert threads_of(answer)["totalCount"] == 2


def test_every_field_of_the_cut_can_be_asked(fake_github, pull):
    """No field of the schema without an answer: the schema refuses null where there must be one."""

    def fields(name, depth):
        kind = schema().type_map[name]
        for field in KEPT[name].split():
            inner = kind.fields[field].type
            while hasattr(inner, "of_type"):
                inner = inner.of_type
            arguments = "(first: 5)" if "first" in kind.fields[field].args else ""
            if inner.name not in KEPT:
                yield field
            elif depth:
                yield f"{field}{arguments} {{ {' '.join(fields(inner.name, depth - 1))} }}"

    for thing in (pull.comments[0], pull.reviews[0], pull.issue_comments[0], pull.threads[0]):
        text = "query($id: ID!) { node(id: $id) { __typename } }"
        kind = query(fake_github, text, id=thing.node_id)["data"]["node"]["__typename"]
        asked = " ".join(fields(kind, 4))
        text = f"query($id: ID!) {{ node(id: $id) {{ ... on {kind} {{ {asked} }} }} }}"
        assert "errors" not in query(fake_github, text, id=thing.node_id)
    pull_fields = " ".join(fields("PullRequest", 4))
    text = (
        'query { repository(owner: "octo", name: "project")'
        f" {{ pullRequest(number: 1) {{ {pull_fields} }} }} }}"
    )
    assert "errors" not in query(fake_github, text)
    assert fake_github.contract_violations == []
