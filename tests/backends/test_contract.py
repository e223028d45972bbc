"""What every row of BACKENDS does, whatever stands behind it."""

import json
import os
from contextlib import contextmanager
from dataclasses import replace

import pytest

from dsreview.backends import BACKENDS, BackendSettings, LocalBackend
from dsreview.backends.resident import ResidentBackend, wait_until_ready
from dsreview.backends.resident_place import default_place
from dsreview.backends.worker import WorkerBackend
from dsreview.errors import PromptTooLongError
from dsreview.prompt import Sampling, StopReason
from dsreview.server.starting import start, stop

QUESTIONS = ("is it one", "is it two", "and three")
SCHEMA = (
    '{"type": "object", "properties": {"ok": {"const": true}}, "required": ["ok"],'
    ' "additionalProperties": false}'
)
SAMPLING = Sampling(max_new_tokens=24)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Random weights: the schema alone makes its answers."""
    testing = pytest.importorskip("dsengine.testing")
    texts = ['Answer with JSON. Code: {"ok": true}', *QUESTIONS]
    return testing.write_model(tmp_path_factory.mktemp("model"), "llama", texts, window=1024)


def settings_of(name, request, tmp_path, serve, reply):
    if name == "local":
        return BackendSettings(model=str(request.getfixturevalue("model")), device="cpu")
    if name == "scripted":
        script = tmp_path / "answers.json"
        script.write_text(json.dumps(['{"ok": true}'] * len(QUESTIONS)))
        return BackendSettings(model=str(script))
    server = serve(lambda asked: reply('{"ok": true}'))
    return BackendSettings(model="served", base_url=server.url, max_tokens=1024)


@pytest.fixture(scope="module")
def local_worker(model):
    """One for all tests: its process takes seconds to load torch."""
    worker = WorkerBackend.open("local", BackendSettings(model=str(model), device="cpu"))
    yield worker
    worker.close()


@contextmanager
def resident(name, settings, tmp_path, monkeypatch):
    monkeypatch.setenv("DSREVIEW_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("DSREVIEW_CONFIG", os.devnull)
    monkeypatch.setenv("DSREVIEW_ALLOW_ROOT", "1")
    place = default_place()
    hello = wait_until_ready(place, start(name, settings, place))
    opened = ResidentBackend(place, hello)
    yield opened
    opened.close()
    assert stop(place)


@pytest.fixture(
    params=[
        *BACKENDS,
        *(f"worker {name}" for name in BACKENDS if name != "local"),
        "resident scripted",
        pytest.param("worker local", marks=pytest.mark.slow),
        pytest.param("resident local", marks=pytest.mark.slow),
    ]
)
def backend(request, tmp_path, serve, reply, monkeypatch):
    place, _, name = request.param.rpartition(" ")
    if request.param == "worker local":
        yield request.getfixturevalue("local_worker")
        return
    settings = settings_of(name, request, tmp_path, serve, reply)
    if place == "resident":
        with resident(name, settings, tmp_path, monkeypatch) as opened:
            yield opened
        return
    opened = WorkerBackend.open(name, settings) if place else BACKENDS[name](settings)
    yield opened
    opened.close()


def test_every_backend_keeps_the_contract(backend, prompt):
    prompts = [prompt(question, SCHEMA) for question in QUESTIONS]
    told = {}
    answers = backend.complete(prompts, SAMPLING, told.__setitem__)
    assert told == dict(enumerate(answers))
    assert [json.loads(answer.text) for answer in answers] == [{"ok": True}] * len(QUESTIONS)
    assert {answer.stop for answer in answers} == {StopReason.END}
    assert all(answer.prompt_tokens > 0 for answer in answers)
    assert all(answer.completion_tokens > 0 for answer in answers)
    assert backend.complete([], SAMPLING) == []


def test_the_local_model_tells_each_answer_while_others_wait(model, prompt):
    engine = pytest.importorskip("dsengine").Engine(model, device="cpu", batch_size=1)
    steps = {}
    LocalBackend(engine, "tiny").complete(
        [prompt(question, SCHEMA) for question in QUESTIONS],
        SAMPLING,
        lambda index, _: steps.setdefault(index, engine.stats.decode_steps),
    )
    assert set(steps) == {0, 1, 2}
    assert len(set(steps.values())) == 3


def test_the_local_model_tells_its_tokens_and_draws_each_vote(model, prompt):
    one = LocalBackend.open(BackendSettings(model=str(model), device="cpu"))
    votes = [replace(prompt(QUESTIONS[0], schema=""), vote=vote) for vote in (0, 1, 2, 1)]
    answers = one.complete(votes, replace(SAMPLING, top_logprobs=3))
    texts = [answer.text for answer in answers]
    assert len(set(texts)) == 3
    assert texts[1] == texts[3]
    for answer in answers:
        num_ends = answer.completion_tokens - len(answer.tokens)
        assert num_ends == (answer.stop is StopReason.END)
        assert {len(choice.top) for choice in answer.tokens} == {3}


def test_every_backend_says_what_it_is(backend):
    assert backend.model
    assert backend.device
    assert len(backend.identity) == 64
    assert backend.max_tokens > 0


def test_every_backend_counts_and_refuses_what_does_not_fit(backend, prompt):
    assert backend.count_tokens(prompt("x" * 400)) > backend.count_tokens(prompt("x"))
    huge = Sampling(max_new_tokens=backend.max_tokens)
    with pytest.raises(PromptTooLongError):
        backend.complete([prompt()], huge)
