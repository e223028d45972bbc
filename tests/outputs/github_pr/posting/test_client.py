"""Requests against a server that fails, limits, redirects and dawdles."""

import os
import socket
import threading
import time
from contextlib import suppress

import pytest

from dsreview.errors import UsageError
from dsreview.fake_github import FakeGitHub, Fault, Wire, fault_table
from dsreview.fake_github.replies import Reply, error
from dsreview.outputs.github_pr.client import GitHub, PullAddress, checked_base_url
from dsreview.outputs.github_pr.limits import OutOfTime, Patience, WaitLimits
from dsreview.outputs.github_pr.refusals import NoAnswer, Refused, Unreachable

REQUEST_S = 0.3
FAULTS = {fault.name: fault for fault in fault_table(beyond_timeout_s=3 * REQUEST_S)}
PULL = PullAddress("octo", "project", 1)


class CountingClock:
    """Pauses pass at once, and are counted."""

    def __init__(self):
        self.pauses = []

    def monotonic(self):
        return time.monotonic() + sum(self.pauses)

    def epoch(self):
        return time.time() + sum(self.pauses)

    def sleep(self, seconds):
        self.pauses.append(seconds)


@pytest.fixture
def clock():
    return CountingClock()


@pytest.fixture
def server():
    with FakeGitHub() as github:
        github.add_pull({"a.py": "@@ -0,0 +1 @@\n+a"})
        yield github


@pytest.fixture
def client(server, clock):
    client = GitHub(server.url, server.token, Patience(WaitLimits(request_s=REQUEST_S), clock))
    yield client
    client.close()


def read(client):
    return client.get(PULL.path, "read it")


def comment(client):
    return client.create(f"{PULL.conversation_path}/comments", "say it", {"body": "Hello."})


@pytest.mark.parametrize(
    "name",
    [
        *("500-before", "502-page", "503-empty", "reset-before", "half-body", "half-head"),
        *("timeout-before", "drip-forever", "200-no-json", "200-null", "200-list", "429-secondary"),
    ],
)
def test_what_only_reads_is_asked_again(server, client, name):
    server.inject(FAULTS[name], "GET")
    assert read(client)["number"] == 1
    assert client.num_requests == 2


@pytest.mark.parametrize(
    "name",
    [
        *("500-after", "502-page-after", "reset-after", "half-body", "half-head", "timeout-after"),
        *("drip-forever", "200-no-json-after", "200-null-after", "200-list-after"),
    ],
)
def test_what_writes_is_never_asked_again_where_nobody_knows(server, client, name):
    server.inject(FAULTS[name], "POST")
    with pytest.raises(NoAnswer, match=r"^cannot say it: 127"):
        comment(client)
    assert len(server.repository.pulls[1].issue_comments) == 1


@pytest.mark.parametrize("name", ["403-secondary", "429-secondary-mute", "403-primary", "409"])
def test_what_was_refused_for_now_is_written_later(server, client, clock, name):
    server.inject(FAULTS[name], "POST")
    comment(client)
    assert len(server.repository.pulls[1].issue_comments) == 1
    assert sum(clock.pauses) >= 1


def test_a_minute_is_waited_where_a_limit_names_no_time_and_longer_each_time(server, client, clock):
    server.inject(FAULTS["403-secondary-mute"], "GET", times=2)
    read(client)
    assert clock.pauses == [60.0, 120.0]


@pytest.mark.parametrize("name", ["403-secondary-hour", "429-primary-hour"])
def test_no_hour_is_waited(server, client, clock, name):
    server.inject(FAULTS[name])
    with pytest.raises(OutOfTime, match=r"3,6\d\d s more to wait, of at most 600 s"):
        read(client)
    assert clock.pauses == []
    assert client.num_requests == 1


def test_the_pauses_between_attempts_double_and_end(server, client, clock):
    server.inject(FAULTS["502-always"])
    with pytest.raises(Unreachable, match=r"cannot read it: 127\.0\.0\.1:\d+: answers 502"):
        read(client)
    assert clock.pauses == [2.0, 4.0, 8.0]


def test_writes_keep_a_pace(server, clock):
    limits = WaitLimits(max_writes_per_minute=3)
    client = GitHub(server.url, server.token, Patience(limits, clock))
    for _ in range(4):
        comment(client)
    first, second, third = clock.pauses
    assert first == pytest.approx(1, abs=0.3)
    assert second == pytest.approx(1, abs=0.3)
    assert third == pytest.approx(58, abs=1)  # since the first of the last three


@pytest.mark.parametrize(
    ("status", "message", "said"),
    [
        (401, "Bad credentials", "does not know the token (Bad credentials)"),
        (403, "Resource not accessible by integration", "the token may not (Resource not"),
        (404, "Not Found", "it does not exist, or the token may not see it"),
        (451, "Blocked", "answers 451: Blocked"),
    ],
)
def test_a_refusal_is_said_in_one_line(server, client, status, message, said):
    server.inject(Fault("refused", "", lambda: error(status, message)))
    with pytest.raises(Refused) as refused:
        read(client)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)
    assert refused.value.status == status
    assert client.num_requests == 1


def test_the_permission_that_is_missing_is_named(server, client):
    headers = {"X-Accepted-GitHub-Permissions": "pull_requests=write"}
    reply = Reply(403, {"message": "Resource not accessible by integration"}, headers)
    server.inject(Fault("refused", "", lambda: reply))
    with pytest.raises(Refused, match="it needs pull_requests: write"):
        comment(client)


def test_no_redirect_is_followed(server, client):
    with FakeGitHub() as other:
        reply = Reply(301, {"message": "Moved"}, {"Location": f"{other.url}/user"})
        server.inject(Fault("moved", "", lambda: reply))
        with pytest.raises(Refused, match="was the repository renamed"):
            read(client)
        assert other.log == []
    assert client.num_requests == 1


def test_no_proxy_and_no_password_file_of_the_environment_is_used(
    server, client, monkeypatch, tmp_path
):
    password_file = tmp_path / "netrc"
    password_file.write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("NETRC", str(password_file))
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    read(client)
    assert server.log[-1].headers["authorization"] == f"token {server.token}"


def test_all_pages_are_read(server, client):
    pull = server.repository.pulls[1]
    writer = GitHub(
        server.url, server.token, Patience(WaitLimits(between_writes_s=0), CountingClock())
    )
    for _ in range(201):
        comment(writer)
    path = f"{PULL.conversation_path}/comments"
    ids = [entry["id"] for entry in client.pages(path, "list", 9)]
    assert ids == [each.id for each in pull.issue_comments]
    assert client.num_requests == 3
    assert len(list(client.pages(path, "list", 2))) == 200


def test_an_enterprise_server_has_its_own_paths(server, clock):
    client = GitHub(server.enterprise_url, server.token, Patience(WaitLimits(), clock))
    assert read(client)["number"] == 1
    assert client.query("query { viewer { login } }", "ask")["viewer"]["login"]


@pytest.mark.parametrize(
    "url",
    [
        *("http://api.github.com", "ftp://github.com", "api.github.com", "https://", ""),
        *("https://user@github.com", "https://github.com/?x=1", "http://127.0.0.1.evil.com"),
    ],
)
def test_the_token_is_only_sent_to_a_safe_address(url):
    with pytest.raises(UsageError, match="use the https address"):
        checked_base_url(url)


@pytest.mark.parametrize(
    ("owner", "name", "number"),
    [("..", "x", 1), ("a/b", "x", 1), ("a", "x?y", 1), ("a", "", 1), ("a", "x", 0)],
)
def test_names_that_would_lead_elsewhere_are_refused(owner, name, number):
    with pytest.raises(UsageError):
        PullAddress(owner, name, number)


def test_a_slow_answer_ends_in_time_also_where_each_byte_is_prompt(server, client, clock):
    drip = Fault("drip", "", wire=Wire.DRIP, drip_s=0.02, times=None)
    server.inject(drip)
    began = time.monotonic()
    with pytest.raises(Unreachable, match=r"no whole answer within 0\.3 s"):
        read(client)
    assert time.monotonic() - began < 4 * REQUEST_S + 2


def test_a_head_that_never_ends_is_not_waited_for(clock):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=send_a_header_at_a_time, args=(listener,), daemon=True).start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        limits = WaitLimits(request_s=REQUEST_S, max_tries=1)
        client = GitHub(url, "token", Patience(limits, clock))
        with pytest.raises(Unreachable, match=r"no whole answer within 0\.3 s"):
            read(client)


def send_a_header_at_a_time(listener):
    connection, _ = listener.accept()
    with connection, suppress(OSError):
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        for number in range(1000):
            time.sleep(REQUEST_S / 10)
            connection.sendall(b"X-%d: x\r\n" % number)


def test_the_time_of_a_command_ends_it(server, clock):
    client = GitHub(server.url, server.token, Patience(WaitLimits(total_s=10), clock))
    server.inject(FAULTS["502-always"])
    with pytest.raises(OutOfTime):
        read(client)
    assert sum(clock.pauses) <= 10


def test_the_token_is_in_no_error(server, client):
    for name in ("401", "404", "502-always", "reset-always"):
        server.inject(FAULTS[name], times=4)
        with pytest.raises((Refused, Unreachable)) as caught:
            read(client)
        assert server.token not in str(caught.value)
        for injection in server._answering.injections:
            injection.times = 0
    assert server.token not in os.environ.values()
