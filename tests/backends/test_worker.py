"""A model in a process of its own: it may die, be slow or be left, and nobody hangs."""

import gc
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from dsreview.backends import BackendSettings
from dsreview.backends import worker as worker_module
from dsreview.backends.worker import WorkerBackend, WorkerDied
from dsreview.errors import BackendError
from dsreview.prompt import Sampling, StopReason

SAMPLING = Sampling(max_new_tokens=24)
PATIENCE_S = 15
"""On a machine with other work; what is waited for takes longer where it is not ended."""
STORY = (
    '{"type": "object", "properties": {"a": {"type": "array", "minItems": 300,'
    ' "items": {"type": "integer"}}}, "required": ["a"], "additionalProperties": false}'
)
"""Random weights need hundreds of tokens for it."""


@pytest.fixture
def script(tmp_path):
    """A backend that answers from a list, in a process."""
    opened = []

    def start(*answers):
        place = tmp_path / f"answers{len(opened)}.json"
        place.write_text(json.dumps(answers))
        opened.append(WorkerBackend.open("scripted", BackendSettings(model=str(place))))
        return opened[-1]

    yield start
    for worker in opened:
        worker.close()


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    testing = pytest.importorskip("dsengine.testing")
    folder = testing.write_model(
        tmp_path_factory.mktemp("tiny"), "llama", ["Answer with JSON. Code: ", STORY]
    )
    worker = WorkerBackend.open("local", BackendSettings(model=str(folder), device="cpu"))
    yield worker
    worker.close()


def test_a_process_that_died_between_two_calls_is_started_again(script, prompt):
    worker = script("one", "two")
    first = worker.pid
    os.kill(first, signal.SIGKILL)
    while worker.pid is not None:
        time.sleep(0.01)
    assert [answer.text for answer in worker.complete([prompt()], SAMPLING)] == ["one"]
    assert worker.pid not in (None, first)


def test_a_process_killed_while_it_answers_fails_that_call_alone(tiny, prompt):
    killed = tiny.pid
    timer = threading.Timer(0.3, os.kill, (killed, signal.SIGKILL))
    timer.start()
    with pytest.raises(WorkerDied, match=rf"\({killed}\) crashed \(SIGKILL\)"):
        tiny.complete([prompt(schema=STORY)] * 8, Sampling(max_new_tokens=4_000))
    (answer,) = tiny.complete([prompt(schema=STORY)], Sampling(max_new_tokens=5))
    assert (answer.stop, answer.completion_tokens) == (StopReason.LENGTH, 5)
    assert tiny.pid != killed


def test_a_deadline_leaves_what_there_is(tiny, prompt):
    sampling = Sampling(max_new_tokens=4_000, deadline_s=0.3)
    started = time.monotonic()
    told = {}
    answers = tiny.complete([prompt(schema=STORY)] * 4, sampling, told.__setitem__)
    assert time.monotonic() - started < PATIENCE_S
    assert {answer.stop for answer in answers} == {StopReason.DEADLINE}
    assert told == dict(enumerate(answers))


def test_a_prompt_that_nobody_waits_for_makes_room(tiny, prompt):
    """The one that is wanted is short; the others would take many seconds."""
    started = time.monotonic()
    answers = tiny.complete(
        [prompt(schema=STORY)] * 3,
        Sampling(max_new_tokens=4_000),
        is_wanted=lambda index: False,
    )
    assert time.monotonic() - started < PATIENCE_S
    assert {answer.stop for answer in answers} == {StopReason.DEADLINE}


def test_a_prompt_makes_room_while_much_is_written(tiny, prompt):
    written = []
    started = time.monotonic()
    tiny.complete(
        [prompt(schema=STORY)] * 3,
        Sampling(max_new_tokens=4_000),
        is_wanted=lambda index: len(written) < 20,
        on_text=lambda index, offset, text: written.append(text),
    )
    assert time.monotonic() - started < PATIENCE_S
    assert len(written) < 1_000


def test_tokens_are_counted_while_an_answer_is_made(tiny, prompt):
    is_left = threading.Event()
    ended = []

    def ask():
        tiny.complete(
            [prompt(schema=STORY)],
            Sampling(max_new_tokens=4_000),
            is_wanted=lambda _: not is_left.is_set(),
        )
        ended.append(True)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        counts = {tiny.count_tokens(prompt("x" * size)) for size in (1, 100, 1_000)}
        assert len(counts) == 3
        assert ended == []
    finally:
        is_left.set()
        thread.join()


def test_a_process_that_answers_all_it_is_asked_is_kept(tiny, prompt, monkeypatch):
    monkeypatch.setattr(worker_module, "_STUCK_S", 0.5)
    pid = tiny.pid
    for _ in range(3):
        tiny.count_tokens(prompt())
        tiny.complete([prompt(schema=STORY)], Sampling(max_new_tokens=3))
        time.sleep(0.3)
    assert tiny.pid == pid


def test_a_process_that_is_stuck_is_replaced(script, prompt, monkeypatch):
    monkeypatch.setattr(worker_module, "_STUCK_S", 0.5)
    worker = script("one", "two")
    stuck = worker.pid
    os.kill(stuck, signal.SIGSTOP)
    (answer,) = worker.complete([prompt()], Sampling(24, deadline_s=0.1))
    assert answer.stop is StopReason.DEADLINE
    time.sleep(0.6)
    assert worker.complete([prompt()], SAMPLING)[0].text == "one"
    assert worker.pid != stuck


def test_a_call_that_is_interrupted_leaves_the_process_free(tiny, prompt):
    def interrupt(index, answer):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tiny.complete([prompt(schema=STORY)] * 9, Sampling(max_new_tokens=4), interrupt)
    pid = tiny.pid
    (answer,) = tiny.complete([prompt(schema=STORY)], Sampling(max_new_tokens=3))
    assert answer.completion_tokens == 3
    assert tiny.pid == pid


def test_a_model_that_is_not_there_is_an_error_of_one_line():
    with pytest.raises(BackendError) as caught:
        WorkerBackend.open("scripted", BackendSettings(model="/nowhere/at/all"))
    assert "/nowhere/at/all" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_closing_ends_a_load(tmp_path):
    """Also where it would take minutes: a pipe that nobody writes is read for ever."""
    os.mkfifo(tmp_path / "answers")
    worker = WorkerBackend("scripted", BackendSettings(str(tmp_path / "answers")))
    failed = []

    def load():
        try:
            worker.load()
        except WorkerDied as error:
            failed.append(error)

    thread = threading.Thread(target=load)
    thread.start()
    while worker.pid is None:
        time.sleep(0.01)
    worker.close()
    thread.join(timeout=10)
    assert len(failed) == 1


def test_text_that_is_not_unicode_is_refused_here(script, prompt):
    worker = script("one")
    with pytest.raises(BackendError, match="cannot be sent"):
        worker.complete([prompt("\ud800")], SAMPLING)
    assert worker.complete([prompt()], SAMPLING)[0].text == "one"


def test_the_process_knows_nothing_of_its_surroundings(script, monkeypatch, tmp_path):
    monkeypatch.setenv("GITHUB_TOKEN", "ghs_secret")
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    process = psutil.Process(script("one").pid)
    environment = process.environ()
    assert environment["HF_HOME"] == str(tmp_path)
    assert environment["HF_HUB_OFFLINE"] == "1"
    assert not {"GITHUB_TOKEN", "HF_TOKEN", "PYTHONPATH"} & set(environment)
    assert process.cwd() == "/"


def test_nothing_stays_behind(script, prompt):
    mine = psutil.Process()
    gc.collect()
    before = (mine.num_fds(), threading.active_count(), mine.children())
    for _ in range(5):
        worker = script("one", "two")
        worker.complete([prompt()], SAMPLING)
        os.kill(worker.pid, signal.SIGKILL)
        while worker.pid is not None:
            time.sleep(0.01)
        worker.complete([prompt()], SAMPLING)
        worker.close()
    assert (mine.num_fds(), threading.active_count(), mine.children()) == before


ORPHAN = """
import sys, time
from dsreview.backends import BackendSettings
from dsreview.backends import worker as worker_module
from dsreview.backends.worker import WorkerBackend
print(WorkerBackend.open("scripted", BackendSettings(sys.argv[1])).pid, flush=True)
time.sleep(60)
"""


def test_the_process_ends_with_whoever_started_it(tmp_path):
    (tmp_path / "answers.json").write_text("[]")
    starter = subprocess.Popen(
        [sys.executable, "-c", ORPHAN, str(tmp_path / "answers.json")],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )
    worker = psutil.Process(int(starter.stdout.readline()))
    starter.kill()
    starter.communicate()
    assert psutil.wait_procs([worker], timeout=10)[1] == []


def test_a_relative_path_means_the_folder_of_whoever_names_it(tmp_path, monkeypatch):
    (tmp_path / "answers.json").write_text('["one"]')
    monkeypatch.chdir(tmp_path)
    worker = WorkerBackend.open("scripted", BackendSettings(Path("answers.json").name))
    worker.close()
