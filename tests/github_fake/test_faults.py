"""Each fault does what it says, once, where it was put."""

import http.client
import json
import time
from urllib.parse import urlsplit

import pytest

from dsreview.fake_github import FAULTS, FakeGitHub, fault_table
from dsreview.fake_github.faults import Wire

PATCH = "@@ -1,2 +1,4 @@\n a\n+b\n+c\n d"
PULL = "/repos/octo/project/pulls/1"
COMMENTS = [{"path": "f.py", "line": line, "body": f"on {line}"} for line in (2, 3)]
REVIEW = {"event": "COMMENT", "body": "b", "comments": COMMENTS}
TIMEOUT_S = 0.3
QUICK = fault_table(beyond_timeout_s=0.5, retry_after_s=0)


def ask(github, method="GET", path=PULL, body=None):
    """Status, headers and content; an exception where none of these arrives whole and in time."""
    address = urlsplit(github.url)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=TIMEOUT_S)
    try:
        content = None if body is None else json.dumps(body)
        headers = {"Authorization": f"Bearer {github.token}"}
        connection.request(method, path, content, headers)
        deadline = time.monotonic() + TIMEOUT_S
        answer = connection.getresponse()
        received = b""
        while part := answer.read1(1 << 16):
            received += part
            if time.monotonic() > deadline:
                raise TimeoutError
        if answer.length:
            raise http.client.IncompleteRead(received)
        return answer.status, answer.headers, received
    finally:
        connection.close()


def named(name):
    (fault,) = (fault for fault in QUICK if fault.name == name)
    return fault


def test_there_are_more_than_forty_and_each_has_a_name_and_a_line():
    assert len(FAULTS) > 40
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
    assert all(fault.doc for fault in FAULTS)


BROKEN = (OSError, http.client.HTTPException)


@pytest.mark.parametrize("fault", QUICK, ids=lambda fault: fault.name)
def test_a_fault_befalls_the_request_it_was_put_at_and_no_other(fault):
    with FakeGitHub() as github:
        pull = github.add_pull({"f.py": PATCH})
        injection = github.inject(fault, "POST", "/reviews$", times=1)
        assert ask(github)[0] == 200
        assert injection.fired == 0
        try:
            outcome, _, _ = ask(github, "POST", f"{PULL}/reviews", REVIEW)
        except BROKEN:
            outcome = None
        assert injection.fired == 1
        assert [seen.fault for seen in github.log] == [None, fault.name]
        assert outcome == expected_status(fault)
        told = [review for review in pull.reviews if review.state != "PENDING"]
        assert len(told) == len(pull.comments) / 2 == int(is_done(fault))
        assert any(review not in told for review in pull.reviews) == ("draft" in fault.name)


def expected_status(fault):
    """None: no whole answer in time."""
    broken = fault.wire not in (Wire.WHOLE, Wire.DRIP)
    if broken or fault.delay_s > TIMEOUT_S or fault.drip_s > 0.01:
        return None
    if fault.reply is not None:
        return fault.reply().status
    refused = {"locked-before": 422, "read-only-before": 403, "token-revoked-before": 401}
    refused["draft-before"] = 422
    return refused.get(fault.name, 200 if fault.refused_comment is None else 422)


def is_done(fault):
    """Before: nothing is there. After: the whole review is."""
    if fault.reply is not None:
        return fault.commits
    return expected_status(fault) in (None, 200)


@pytest.mark.parametrize("name", ["502-before", "422-mute", "reset-after", "404"])
def test_faults_can_wait_and_end(name):
    with FakeGitHub() as github:
        github.add_pull({"f.py": PATCH})
        github.inject(named(name), "GET", skip=2, times=2)
        for _ in range(6):
            try:
                ask(github)
            except BROKEN:
                pass
        fired = [seen.fault for seen in github.log]
        assert fired == [None, None, name, name, None, None]


@pytest.mark.parametrize(("name", "bad"), [("422-first-comment", 0), ("422-last-comment", 1)])
def test_a_refused_comment_is_refused_in_every_company(name, bad):
    with FakeGitHub() as github:
        pull = github.add_pull({"f.py": PATCH})
        github.inject(named(name), "POST", "/reviews$")
        assert ask(github, "POST", f"{PULL}/reviews", REVIEW)[0] == 422
        alone = REVIEW | {"comments": [COMMENTS[bad]]}
        assert ask(github, "POST", f"{PULL}/reviews", alone)[0] == 422
        other = REVIEW | {"comments": [COMMENTS[1 - bad]]}
        assert ask(github, "POST", f"{PULL}/reviews", other)[0] == 200
        assert len(pull.comments) == 1


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("force-push", lambda pull: pull.now.commits != ("a" * 40,)),
        ("push", lambda pull: len(pull.now.commits) == 2),
        ("closed", lambda pull: not pull.is_open),
        ("merged", lambda pull: pull.is_merged),
        ("locked", lambda pull: pull.is_locked),
        ("fork-deleted", lambda pull: pull.head_repository is None),
    ],
)
def test_the_pull_request_changes_before_or_after_the_request(name, what):
    for suffix in ("before", "after"):
        with FakeGitHub() as github:
            pull = github.add_pull({"f.py": PATCH})
            github.inject(named(f"{name}-{suffix}"), "POST", "/reviews$")
            asked = REVIEW | {"commit_id": "a" * 40}
            status, _, _ = ask(github, "POST", f"{PULL}/reviews", asked)
            assert what(pull)
            refused = suffix == "before" and name in ("force-push", "locked")
            assert status == (422 if refused else 200)


def test_limits_say_when_to_come_back():
    soon = {fault.name: fault for fault in fault_table(retry_after_s=7)}
    with FakeGitHub() as github:
        github.add_pull({"f.py": PATCH})
        github.inject(soon["403-secondary"])
        github.inject(soon["429-primary"])
        github.inject(soon["403-secondary-mute"])
        answers = [ask(github) for _ in range(3)]
    assert [status for status, _, _ in answers] == [403, 429, 403]
    secondary, primary, mute = [headers for _, headers, _ in answers]
    assert secondary["Retry-After"] == "7"
    assert 5 <= int(primary["X-RateLimit-Reset"]) - time.time() <= 8
    assert primary["X-RateLimit-Remaining"] == "0"
    assert "Retry-After" not in mute


def test_stopping_does_not_wait_for_a_slow_answer():
    begun = time.monotonic()
    forever = fault_table(beyond_timeout_s=60)
    with FakeGitHub() as github:
        github.add_pull({"f.py": PATCH})
        github.inject(next(fault for fault in forever if fault.name == "timeout-before"))
        with pytest.raises(TimeoutError):
            ask(github)
    assert time.monotonic() - begun < 5
