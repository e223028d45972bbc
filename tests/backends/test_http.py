"""Real sockets on the loopback; nothing of our own is replaced."""

import json
import re
import socket
import threading
import time
from dataclasses import replace

import pytest

from dsreview.backends.http import HttpBackend
from dsreview.errors import BackendError, PromptTooLongError, UsageError
from dsreview.prompt import Alternative, Sampling, StopReason, TokenChoice

SAMPLING = Sampling(max_new_tokens=50, temperature=0.25, seed=3)


def backend(server, **options):
    return HttpBackend(server.url, "served", **options)


def test_a_request_carries_prompt_schema_and_sampling(serve, prompt):
    server = serve()
    answers = backend(server, api_key="secret-1").complete([prompt("a < b")], SAMPLING)
    (asked,) = server.asked
    assert asked.path == "/v1/chat/completions"
    assert asked.headers["Authorization"] == "Bearer secret-1"
    assert [one["role"] for one in asked.body["messages"]] == ["system", "user"]
    assert asked.body["messages"][1]["content"] == "Code: a < b"
    assert asked.body["response_format"]["json_schema"]["schema"] == json.loads(prompt().schema)
    assert (asked.body["max_tokens"], asked.body["temperature"]) == (50, 0.25)
    assert (answers[0].prompt_tokens, answers[0].completion_tokens) == (101, 7)


def test_without_a_key_no_authorization_is_sent(serve, prompt):
    server = serve()
    backend(server).complete([prompt()], SAMPLING)
    assert "Authorization" not in server.asked[0].headers


@pytest.mark.parametrize(
    ("formats", "tried"),
    [
        (("json_schema",), ["json_schema"]),
        (("json_object",), ["json_schema", "json_object"]),
        (("text",), ["json_schema", "json_object", "json_object", "text"]),
    ],
)
def test_a_server_that_refuses_a_format_is_asked_for_a_simpler_one(serve, prompt, formats, tried):
    server = serve(formats=formats)
    one = backend(server)
    one.complete([prompt()], SAMPLING)
    kinds = [asked.body.get("response_format", {"type": "text"})["type"] for asked in server.asked]
    assert kinds == tried
    one.complete([prompt()], SAMPLING)
    assert len(server.asked) == len(tried) + 1  # what it takes is remembered


def test_a_server_that_knows_schemas_in_another_form_gets_it(serve, prompt, reply):
    """As llama-cpp-python does, which calls what it does not know an error of its own."""
    unknown = b"{'loc': ('body', 'response_format', 'type'), 'input': 'json_schema'}"

    def answer(asked):
        is_known = asked.body["response_format"]["type"] == "json_object"
        return reply('{"ok": true}') if is_known else reply(status=500, raw=unknown)

    server = serve(answer)
    (answered,) = backend(server).complete([prompt()], SAMPLING)
    assert answered.text == '{"ok": true}'
    assert server.asked[-1].body["response_format"]["schema"] == json.loads(prompt().schema)


TOKENS = {
    "content": [
        {
            "token": "[]",
            "logprob": -0.5,
            "bytes": [91, 93],
            "top_logprobs": [{"token": "[]", "logprob": -0.5}, {"token": "[{", "logprob": -1.5}],
        }
    ]
}
ASKING = replace(SAMPLING, top_logprobs=2)


def test_log_probabilities_are_read_where_they_are_asked_for(serve, prompt, reply):
    server = serve(lambda asked: reply(logprobs=TOKENS))
    (answer,) = backend(server).complete([prompt()], ASKING)
    alternatives = (Alternative("[]", -0.5), Alternative("[{", -1.5))
    assert answer.tokens == (TokenChoice("[]", -0.5, alternatives),)
    assert (server.asked[0].body["logprobs"], server.asked[0].body["top_logprobs"]) == (True, 2)
    backend(server).complete([prompt()], SAMPLING)
    assert "logprobs" not in server.asked[1].body


@pytest.mark.parametrize(
    "logprobs", [None, [], {}, {"content": None}, {"tokens": ["a"]}, {"content": [{"token": 1}]}]
)
def test_a_server_that_tells_of_tokens_otherwise_is_taken_without(serve, prompt, reply, logprobs):
    (answer,) = backend(serve(lambda asked: reply(logprobs=logprobs))).complete([prompt()], ASKING)
    assert (answer.tokens, answer.stop) == ((), StopReason.END)


@pytest.mark.parametrize("formats", [("json_schema",), ("text",)])
def test_a_server_that_refuses_log_probabilities_is_asked_once(serve, prompt, formats):
    server = serve(formats=formats, has_logprobs=False)
    one = backend(server)
    (answer,) = one.complete([prompt()], ASKING)
    assert (answer.tokens, answer.stop) == ((), StopReason.END)
    num_tries = len(server.asked)
    one.complete([prompt()], ASKING)
    assert len(server.asked) == num_tries + 1
    assert "logprobs" not in server.asked[-1].body


def test_votes_are_drawn_each_in_its_own_way(serve, prompt):
    server = serve()
    votes = [replace(prompt(), vote=vote) for vote in range(3)]
    backend(server, max_parallel=1).complete(votes, SAMPLING)
    drawn = [(asked.body["temperature"], asked.body["seed"]) for asked in server.asked]
    warm = SAMPLING.vote_temperature
    assert drawn == [(0.25, 3), (warm, 4), (warm, 5)]


def test_a_cut_answer_is_told(serve, prompt, reply):
    server = serve(lambda asked: reply('{"ok"', finish_reason="length"))
    (answer,) = backend(server).complete([prompt()], SAMPLING)
    assert answer.stop is StopReason.LENGTH


def test_tokens_that_the_server_does_not_count_are_estimated_and_said_to_be(serve, prompt, reply):
    one = backend(serve(lambda asked: reply("x" * 40, usage=False)))
    (answer,) = one.complete([prompt()], SAMPLING)
    assert answer.completion_tokens == 11
    assert one.counts_are_estimated


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_asked_again(serve, prompt, reply, status):
    replies = [reply(status=status, headers=(("Retry-After", "0"),)), reply()]
    server = serve(lambda asked: replies.pop(0))
    backend(server).complete([prompt()], SAMPLING)
    assert len(server.asked) == 2


def test_a_server_that_stays_busy_is_given_up(serve, prompt, reply):
    server = serve(lambda asked: reply(status=503, headers=(("Retry-After", "0"),)))
    (answer,) = backend(server).complete([prompt()], SAMPLING)
    assert answer.stop is StopReason.FAILED
    assert "503" in answer.problem
    assert len(server.asked) == 3


def test_a_broken_connection_is_tried_again(serve, prompt, reply):
    replies = [reply(breaks=True), reply()]
    server = serve(lambda asked: replies.pop(0))
    backend(server).complete([prompt()], SAMPLING)
    assert len(server.asked) == 2


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refusal_that_holds_for_all_is_an_error(serve, prompt, reply, status):
    server = serve(lambda asked: reply(status=status, raw=b'{"error": "not like this"}'))
    with pytest.raises(BackendError, match=f"{status}.*not like this"):
        backend(server, api_key="secret-2").complete([prompt()], SAMPLING)
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        ({"status": 500, "raw": b'{"error": "out of memory"}'}, "500.*out of memory"),
        ({"status": 413, "raw": b"too large"}, "413.*too large"),
        ({"raw": b"<html>"}, "no chat completion"),
        ({"raw": b'{"choices": []}'}, "no choice"),
        ({"breaks": True}, "cannot be used"),
    ],
)
def test_what_fails_for_one_prompt_leaves_the_others(serve, prompt, reply, bad, problem):
    def answer(asked):
        text = asked.body["messages"][1]["content"]
        return reply(**bad) if text.endswith("bad") else reply(text)

    prompts = [prompt(text) for text in ("one", "bad", "three")]
    told = {}
    answers = backend(serve(answer)).complete(prompts, SAMPLING, told.__setitem__)
    assert [one.stop for one in answers] == [StopReason.END, StopReason.FAILED, StopReason.END]
    assert [one.text for one in answers] == ["Code: one", "", "Code: three"]
    assert re.search(problem, answers[1].problem)
    assert told == dict(enumerate(answers))


def test_a_failure_of_one_prompt_is_not_tried_again(serve, prompt, reply):
    server = serve(lambda asked: reply(status=500, raw=b"no"))
    backend(server).complete([prompt()], SAMPLING)
    assert len(server.asked) == 1


def test_answers_are_told_as_they_come_even_before_an_error(serve, prompt, reply):
    def answer(asked):
        is_last = asked.body["messages"][1]["content"].endswith("last")
        return reply(status=401, delay_s=0.2) if is_last else reply("early")

    told = []
    with pytest.raises(BackendError, match="401"):
        backend(serve(answer)).complete(
            [prompt("last"), prompt("first")], SAMPLING, lambda *one: told.append(one)
        )
    assert [(index, one.text) for index, one in told] == [(1, "early")]


def test_the_key_is_in_no_message(serve, prompt, reply):
    server = serve(lambda asked: reply(status=401, raw=b"who are you"))
    with pytest.raises(BackendError) as raised:
        backend(server, api_key="secret-3").complete([prompt()], SAMPLING)
    assert "secret-3" not in str(raised.value)


def test_code_does_not_follow_a_redirect(serve, prompt, reply):
    other = serve()
    server = serve(
        lambda asked: reply(status=307, headers=(("Location", f"{other.url}/v1/chat/completions"),))
    )
    with pytest.raises(BackendError, match="redirects"):
        backend(server).complete([prompt()], SAMPLING)
    assert other.asked == []


def test_code_does_not_go_through_a_proxy(serve, prompt, monkeypatch):
    proxy, server = serve(), serve()
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, proxy.url)
    backend(server).complete([prompt()], SAMPLING)
    assert (len(proxy.asked), len(server.asked)) == (0, 1)


@pytest.mark.parametrize("kind", ["slow", "drips", "busy"])
def test_the_deadline_ends_every_wait(serve, prompt, reply, kind):
    replies = {
        "slow": reply(delay_s=3),
        "drips": reply(drips=True),
        "busy": reply(status=429, headers=(("Retry-After", "20"),)),
    }
    server = serve(lambda asked: replies[kind])
    started = time.monotonic()
    (answer,) = backend(server).complete([prompt()], Sampling(50, deadline_s=0.6))
    assert answer.stop is StopReason.DEADLINE
    assert time.monotonic() - started < 2.5


def test_answers_come_in_the_order_of_their_prompts(serve, prompt, reply):
    def answer(asked):
        text = asked.body["messages"][1]["content"]
        return reply(text, delay_s=0.05 if text.endswith("0") else 0)

    answers = backend(serve(answer)).complete([prompt(str(n)) for n in range(9)], SAMPLING)
    assert [one.text for one in answers] == [f"Code: {n}" for n in range(9)]


def test_only_so_many_requests_run_at_once(serve, prompt, reply):
    running, most, lock = 0, 0, threading.Lock()

    def answer(asked):
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.05)
        with lock:
            running -= 1
        return reply()

    backend(serve(answer), max_parallel=2).complete([prompt()] * 6, SAMPLING)
    assert most == 2


@pytest.mark.parametrize("raw", [b"", b"[]", b"<html>", b'{"choices": []}', b'{"choices": [{}]}'])
def test_what_is_no_completion_is_no_answer(serve, prompt, reply, raw):
    (answer,) = backend(serve(lambda asked: reply(raw=raw))).complete([prompt()], SAMPLING)
    assert (answer.stop, answer.text) == (StopReason.FAILED, "")
    assert answer.problem


def test_an_endless_answer_is_no_answer(serve, prompt, reply):
    server = serve(lambda asked: reply(raw=b"x" * 10_000_001))
    (answer,) = backend(server).complete([prompt()], SAMPLING)
    assert answer.stop is StopReason.FAILED
    assert "more than" in answer.problem


def test_a_prompt_that_cannot_fit_is_not_sent(serve, prompt):
    server = serve()
    with pytest.raises(PromptTooLongError):
        backend(server, max_tokens=100).complete([prompt("x" * 1000)], SAMPLING)
    assert server.asked == []


def test_nobody_listening_is_an_error(prompt):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(BackendError, match="cannot be used"):
        HttpBackend(url, "served").complete([prompt()], SAMPLING)


@pytest.mark.parametrize(
    "url", ["", "127.0.0.1:8000", "file:///etc/passwd", "ftp://a/b", "http://"]
)
def test_what_is_no_address_is_refused(url):
    with pytest.raises(UsageError):
        HttpBackend(url, "served")


def test_a_model_must_be_named():
    with pytest.raises(UsageError, match="name one"):
        HttpBackend("http://127.0.0.1:1", "")
