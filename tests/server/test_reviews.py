"""What reviews get from the server: the model's own answers, whoever else asks or dies."""

import os
import signal
import subprocess
import sys
import threading
import time

import psutil
import pytest

from dsreview.backends import BACKENDS, BackendSettings
from dsreview.backends.resident import ResidentBackend, ServerGone
from dsreview.errors import BackendError, PromptTooLongError
from dsreview.prompt import Sampling, StopReason
from dsreview.server.dispatch import MAX_JOBS

LONG = Sampling(max_new_tokens=4_000)
PATIENCE_S = 15
"""On a machine with other work; what is waited for takes longer where it is not ended."""


@pytest.fixture
def backend(tiny_server):
    opened = ResidentBackend(tiny_server.place, tiny_server.hello)
    yield opened
    opened.close()


def worker_of(server):
    (worker,) = psutil.Process(server.process.pid).children()
    return worker.pid


def until(condition, seconds=10):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


def test_it_says_and_answers_what_the_model_itself_does(
    backend, tiny_model, make_prompt, story_schema
):
    own = BACKENDS["local"](BackendSettings(str(tiny_model), device="cpu"))
    prompts = [make_prompt(f"question {n}" * (n + 1), story_schema) for n in range(5)]
    sampling = Sampling(max_new_tokens=20)
    assert backend.complete(prompts, sampling) == own.complete(prompts, sampling)
    assert [backend.count_tokens(one) for one in prompts] == [
        own.count_tokens(one) for one in prompts
    ]
    assert (backend.identity, backend.max_tokens, backend.device) == (
        own.identity,
        own.max_tokens,
        own.device,
    )


def test_a_prompt_that_does_not_fit_is_refused_as_by_any_backend(backend, make_prompt):
    with pytest.raises(PromptTooLongError):
        backend.complete([make_prompt()], Sampling(max_new_tokens=backend.max_tokens))


def test_a_schema_that_is_none_fails_its_prompts_alone(backend, make_prompt):
    (answer,) = backend.complete([make_prompt(schema='{"type": 7}')], LONG)
    assert answer.stop is StopReason.FAILED
    assert backend.complete([make_prompt()], LONG)[0].stop is StopReason.END


def test_text_that_is_not_unicode_is_refused(backend, make_prompt):
    with pytest.raises(BackendError, match="cannot be sent"):
        backend.complete([make_prompt("\ud800")], LONG)


def test_a_deadline_gives_what_there_is_by_then(backend, make_prompt, story_schema):
    started = time.monotonic()
    sampling = Sampling(max_new_tokens=4_000, deadline_s=0.5)
    answers = backend.complete([make_prompt(schema=story_schema)] * 3, sampling)
    assert time.monotonic() - started < PATIENCE_S
    assert {answer.stop for answer in answers} == {StopReason.DEADLINE}
    assert any(answer.text for answer in answers)


STORIES = """
import sys
from pathlib import Path
from dsreview.backends.resident import ResidentBackend, ask_hello
from dsreview.backends.resident_place import place_in
from dsreview.prompt import Message, Prompt, Role, Sampling, Text

place = place_in(Path(sys.argv[1]))
prompt = Prompt("test", "1", (Message(Role.USER, (Text("tell", False),)),), sys.argv[2])
ResidentBackend(place, ask_hello(place)).complete([prompt] * 16, Sampling(4_000))
"""
"""They would take a minute."""


def test_a_client_that_leaves_frees_the_model(tiny_server, backend, make_prompt, story_schema):
    client = subprocess.Popen(
        [sys.executable, "-c", STORIES, str(tiny_server.place.folder), story_schema],
        env=tiny_server.environment,
    )
    assert until(lambda: tiny_server.hello.num_jobs == 1)
    time.sleep(0.2)
    client.kill()
    client.wait()
    started = time.monotonic()
    assert backend.complete([make_prompt()], LONG)[0].stop is StopReason.END
    assert time.monotonic() - started < PATIENCE_S
    assert tiny_server.hello.num_jobs == 0


def test_a_killed_model_is_started_again_and_nobody_loses_an_answer(
    tiny_server, make_prompt, story_schema
):
    sampling = Sampling(max_new_tokens=150)
    killed = worker_of(tiny_server)
    before = tiny_server.hello.num_restarts
    results = []

    def ask(number):
        own = ResidentBackend(tiny_server.place, tiny_server.hello)
        results.append(own.complete([make_prompt(f"n{number}", story_schema)] * 2, sampling))
        own.close()

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    assert until(lambda: tiny_server.hello.num_jobs == 4)
    time.sleep(0.1)
    os.kill(killed, signal.SIGKILL)
    for thread in threads:
        thread.join()
    assert len(results) == 4
    assert {answer.stop for answers in results for answer in answers} == {StopReason.LENGTH}
    assert tiny_server.hello.num_restarts == before + 1
    assert worker_of(tiny_server) != killed


def test_the_health_is_told_while_answers_are_made(tiny_server, make_prompt, story_schema):
    def ask():
        own = ResidentBackend(tiny_server.place, tiny_server.hello)
        own.complete([make_prompt(schema=story_schema)] * 8, Sampling(4_000, deadline_s=2))
        own.close()

    thread = threading.Thread(target=ask)
    thread.start()
    slowest = 0.0
    while thread.is_alive():
        started = time.monotonic()
        assert tiny_server.hello is not None
        slowest = max(slowest, time.monotonic() - started)
        time.sleep(0.05)
    assert slowest < 0.5


def test_whoever_waits_is_told_that_the_server_stops(serve, script, make_prompt, tmp_path):
    """A pipe that nobody writes: the model's process cannot be started again."""
    server = serve("--backend=scripted", "--model", script("one")).wait_until_ready()
    backend = ResidentBackend(server.place, server.hello)
    model = tmp_path / "answers.json"
    model.unlink()
    os.mkfifo(model)
    os.kill(worker_of(server), signal.SIGKILL)
    told = []

    def ask():
        with pytest.raises(BackendError) as caught:
            backend.complete([make_prompt()], LONG)
        told.append(caught.value)

    thread = threading.Thread(target=ask)
    thread.start()
    time.sleep(0.5)
    assert server.end() == 0
    thread.join(timeout=5)
    assert len(told) == 1
    backend.close()


def test_an_ended_server_is_an_error_not_a_hang(serve, script, make_prompt):
    server = serve("--backend=scripted", "--model", script("one")).wait_until_ready()
    backend = ResidentBackend(server.place, server.hello)
    server.end()
    with pytest.raises(ServerGone):
        backend.complete([make_prompt()], LONG)
    with pytest.raises(ServerGone):
        backend.count_tokens(make_prompt())
    backend.close()


def test_another_server_in_its_place_is_not_asked(serve, script, make_prompt):
    first = serve("--backend=scripted", "--model", script("one")).wait_until_ready()
    backend = ResidentBackend(first.place, first.hello)
    first.end()
    second = serve("--backend=scripted", "--model", script("two")).wait_until_ready()
    assert second.place == first.place
    with pytest.raises(BackendError, match="started anew"):
        backend.complete([make_prompt()], LONG)
    backend.close()


@pytest.mark.slow
def test_a_server_killed_while_it_answers_is_an_error(serve, tiny_model, make_prompt, story_schema):
    server = serve("--model", tiny_model, "--device=cpu").wait_until_ready()
    backend = ResidentBackend(server.place, server.hello)
    timer = threading.Timer(0.5, server.process.kill)
    timer.start()
    with pytest.raises(ServerGone, match="before it had answered"):
        backend.complete([make_prompt(schema=story_schema)] * 8, LONG)
    timer.join()
    backend.close()


def test_no_code_and_no_prompt_is_logged(tiny_server, backend, make_prompt):
    backend.complete([make_prompt("canary_4711")], LONG)
    with pytest.raises(PromptTooLongError):
        backend.complete([make_prompt("canary_4711 " * 9_000)], LONG)
    backend.complete([make_prompt("canary_4711", schema='{"canary_4711": 7, "type": 7}')], LONG)
    assert "canary_4711" not in tiny_server.log
    assert "review: 1 prompts" in tiny_server.log


def test_a_review_comes_back_to_a_busy_server(tiny_server, backend, make_prompt, story_schema):
    """It is full with stories of four seconds; one review has the time to wait, another has not."""
    stories = []

    def tell_story():
        own = ResidentBackend(tiny_server.place, tiny_server.hello)
        sampling = Sampling(4_000, deadline_s=4.0)
        stories.append(own.complete([make_prompt(schema=story_schema)], sampling))
        own.close()

    threads = [threading.Thread(target=tell_story) for _ in range(MAX_JOBS)]
    for thread in threads:
        thread.start()
    assert until(lambda: tiny_server.hello.num_jobs == MAX_JOBS)
    hurried = ResidentBackend(tiny_server.place, tiny_server.hello)
    (answer,) = hurried.complete([make_prompt()], Sampling(24, deadline_s=0.2))
    assert answer.stop is StopReason.DEADLINE
    assert backend.complete([make_prompt()], LONG)[0].stop is StopReason.END
    for thread in threads:
        thread.join()
    hurried.close()
    assert {answer.stop for (answer,) in stories} == {StopReason.DEADLINE}
