"""`dsreview diff` and the resident server: used where it fits, never needed."""

import json
import os
import signal
import time

import pytest

from dsreview.backends import BackendSettings
from dsreview.backends.resident import ResidentBackend, ask_hello
from dsreview.backends.resident_place import place_in
from dsreview.errors import BackendError
from dsreview.resident_choice import open_resident
from dsreview.server.starting import stop

BEFORE = "def total(prices):\n    return sum(prices)\n"
AFTER = "def total(prices):\n    return sum(prices) + 1\n"
OPTIONS = ("--device=cpu", "--format=json", "--no-cache", "--budget=3s")


@pytest.fixture
def changed(repository):
    repository.commit({"a.py": BEFORE})
    repository.write({"a.py": AFTER})
    return repository


@pytest.fixture
def diff(run_dsreview, changed, tiny_model, tiny_server):
    """`dsreview diff` beside the server of all tests."""

    def run(*arguments, environment=None, model=tiny_model):
        return run_dsreview(
            *("diff", "--model", model, *OPTIONS, *arguments),
            cwd=changed.folder,
            environment=tiny_server.environment | (environment or {}),
        )

    return run


def model_of(outcome):
    return json.loads(outcome.out)["stats"]["model"]


def test_a_server_that_runs_is_used_unasked(diff, tiny_server, tiny_model):
    before = tiny_server.hello.num_prompts_answered
    outcome = diff()
    assert outcome.err == ""
    assert model_of(outcome) == str(tiny_model)
    assert tiny_server.hello.num_prompts_answered > before


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "variables"),
    [(("--no-daemon",), {}), ((), {"DSREVIEW_DAEMON": "never"})],
)
def test_nobody_is_asked_where_the_user_says_so(diff, tiny_server, options, variables):
    before = tiny_server.hello.num_prompts_answered
    outcome = diff(*options, environment=variables)
    assert json.loads(outcome.out)["stats"]["completion_tokens"] >= 0
    assert tiny_server.hello.num_prompts_answered == before


@pytest.mark.slow
def test_a_command_with_another_model_says_why_it_loads_it(diff, tiny_server, tmp_path):
    (tmp_path / "other").mkdir()
    before = tiny_server.hello.num_prompts_answered
    outcome = diff(model=tmp_path / "other")
    (line,) = outcome.err.splitlines()[:1]
    assert line.startswith("warning: the server that runs serves")
    assert "dsreview stop" in line
    assert tiny_server.hello.num_prompts_answered == before


@pytest.fixture
def beside(tiny_server, monkeypatch):
    """This process looks for servers where that of all tests is."""
    monkeypatch.setenv("DSREVIEW_CACHE_DIR", tiny_server.environment["DSREVIEW_CACHE_DIR"])


@pytest.mark.parametrize("daemon", ["auto", "start"])
def test_a_server_of_the_same_model_is_found(beside, tiny_model, tiny_server, daemon, capsys):
    settings = BackendSettings(str(tiny_model), device="cpu")
    backend = open_resident("local", settings, daemon)
    assert isinstance(backend, ResidentBackend)
    assert backend.identity == tiny_server.hello.facts.identity
    backend.close()
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("daemon", "device", "told"),
    [("never", "cpu", ""), ("auto", "cuda", "uses cpu, not cuda; `dsreview stop` ends it")],
)
def test_a_server_that_is_not_wanted_is_left(beside, tiny_model, capsys, daemon, device, told):
    assert open_resident("local", BackendSettings(str(tiny_model), device=device), daemon) is None
    err = capsys.readouterr().err
    assert err.count("\n") == bool(told)
    assert told in err


class OutOfTime(BackendError):
    """As a hook raises it, from the alarm of its deadline."""


def test_a_deadline_that_interrupts_the_wait_for_a_load_is_not_swallowed(
    serve, tmp_path, monkeypatch, capsys
):
    os.mkfifo(tmp_path / "never")
    server = serve("--backend=scripted", "--model", tmp_path / "never")
    while server.hello is None:
        time.sleep(0.02)
    monkeypatch.setenv("DSREVIEW_CACHE_DIR", server.environment["DSREVIEW_CACHE_DIR"])

    def ring(number, frame):
        raise OutOfTime("out of time")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    try:
        with pytest.raises(OutOfTime):
            open_resident("scripted", BackendSettings(str(tmp_path / "never")), "auto")
    finally:
        signal.signal(signal.SIGALRM, before)
    assert capsys.readouterr().err == ""


def test_a_server_of_another_model_is_told_and_not_used(beside, tmp_path, tiny_model, capsys):
    assert open_resident("local", BackendSettings(str(tmp_path), device="cpu"), "auto") is None
    assert f"serves {tiny_model}, not {tmp_path}" in capsys.readouterr().err


def test_where_no_server_runs_nothing_is_said(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("DSREVIEW_CACHE_DIR", str(tmp_path))
    assert open_resident("local", BackendSettings("m"), "auto") is None
    assert capsys.readouterr().err == ""
    assert list(tmp_path.iterdir()) == []


def test_a_repository_cannot_ask_for_a_server(diff, changed):
    changed.commit({".dsreview.toml": 'daemon = "start"\n'})
    changed.write({"a.py": BEFORE})
    outcome = diff()
    assert (outcome.code, outcome.out) == (2, "")
    assert "'daemon' cannot be set by a repository" in outcome.err


@pytest.mark.slow
def test_a_server_is_started_used_replaced_and_outlives_the_command(
    run_dsreview, changed, tiny_model, tmp_path
):
    """First the server of one model, then of another, which takes its place."""
    cache = tmp_path / "cache"
    place = place_in(cache / "server")
    environment = {"DSREVIEW_CACHE_DIR": str(cache), "DSREVIEW_ALLOW_ROOT": "1"}
    copy = tmp_path / "copy"
    os.symlink(tiny_model, tmp_path / "link")
    copy.mkdir()
    for file in tiny_model.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())

    def run(model):
        arguments = ("diff", "--daemon", "--model", model, *OPTIONS)
        outcome = run_dsreview(*arguments, cwd=changed.folder, environment=environment)
        assert outcome.err == ""
        return ask_hello(place)

    try:
        first = run(tiny_model)
        assert first.num_prompts_answered == 1
        assert run(tmp_path / "link").instance == first.instance
        second = run(copy)
        assert second.pid != first.pid
        assert second.served.model == str(copy)
    finally:
        stop(place)
