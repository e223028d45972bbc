"""The command itself, killed, interrupted and resumed; what came is loaded without a network."""

import hashlib
import os
import random
import signal
import subprocess
import sys
import time

import pytest

from dsreview.models.catalogue import CATALOGUE

NAME = "some/model"
COMMIT = "5" * 40


@pytest.fixture
def environment(hub, tmp_path):
    return {
        "HF_ENDPOINT": hub.endpoint,
        "HF_HOME": str(tmp_path / "home"),
        "HF_HUB_OFFLINE": "",
        "DSREVIEW_CONFIG": os.devnull,
    }


@pytest.fixture
def start(environment):
    def run(*arguments):
        settings = os.environ | environment
        settings["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
        command = [sys.executable, "-P", "-m", "dsreview", "models", "pull", *arguments]
        return subprocess.Popen(
            command, env=settings, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    return run


def large(num_bytes):
    return {
        "config.json": b"{}",
        "tokenizer.json": b"{}",
        "model.safetensors": random.Random(0).randbytes(num_bytes),
    }


def parts(tmp_path):
    return [path for path in tmp_path.rglob("*.incomplete") if path.stat().st_size > 100_000]


def wait_for(condition, deadline_s=20):
    deadline = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def whole(tmp_path):
    snapshot = tmp_path / "home" / "hub" / "models--some--model" / "snapshots" / COMMIT
    return {path.name: path.read_bytes() for path in snapshot.iterdir()}


@pytest.mark.parametrize(("number", "code"), [(signal.SIGKILL, -9), (signal.SIGINT, 130)])
def test_an_ended_pull_shows_nothing_and_is_gone_on_with(hub, start, tmp_path, number, code):
    hub.add(NAME, files := large(4 << 20))
    hub.block_pause_s = 0.02
    first = start(NAME)
    wait_for(lambda: parts(tmp_path))
    first.send_signal(number)
    _, error = first.communicate()
    assert first.returncode == code
    assert ("goes on with it" in error) is (number is signal.SIGINT)
    assert not list(tmp_path.rglob("snapshots"))
    hub.block_pause_s = 0
    hub.requests.clear()
    second = start(NAME)
    out, error = second.communicate()
    assert second.returncode == 0, error
    assert hub.ranges("model.safetensors")[0].startswith("bytes=")
    assert whole(tmp_path) == files
    assert (
        f"sha256:{hashlib.sha256(files['model.safetensors']).hexdigest()}  model.safetensors" in out
    )
    assert f"{NAME} at commit {COMMIT}: 3 files" in out


@pytest.mark.slow
def test_killed_at_forty_random_points(hub, start, tmp_path):
    hub.add(NAME, files := large(24 << 20))
    hub.block_pause_s = 0.005
    randomness = random.Random(1)
    num_killed = 0
    for _ in range(40):
        pull = start(NAME)
        try:
            pull.wait(randomness.uniform(0.3, 1.2))
        except subprocess.TimeoutExpired:
            pull.kill()
            num_killed += 1
            assert not list(tmp_path.rglob("refs/main")) or whole(tmp_path) == files
        pull.communicate()
    hub.block_pause_s = 0
    last = start(NAME)
    last.communicate()
    assert (last.returncode, whole(tmp_path)) == (0, files)
    assert num_killed > 10


def test_a_pulled_model_is_used_by_its_name(hub, run_dsreview, environment, small_model, tmp_path):
    hub.add(NAME, {path.name: path.read_bytes() for path in small_model.iterdir()})
    settings = tmp_path / "config.toml"
    settings.touch()
    pulled = run_dsreview("models", "pull", NAME, environment=environment)
    assert pulled.code == 0, pulled.err
    offline = environment | {"HF_ENDPOINT": "http://127.0.0.1:1", "DSREVIEW_CONFIG": str(settings)}
    used = run_dsreview("models", "use", NAME, environment=offline)
    assert (used.code, settings.read_text()) == (0, f'model = "{NAME}"\n'), used.err


@pytest.mark.slow
def test_a_pulled_model_answers_without_a_network(hub, start, environment, tmp_path):
    pytest.importorskip("torch")
    from dsengine.testing import write_model

    folder = write_model(tmp_path / "model", "llama", ["a few words"])
    hub.add(NAME, {path.name: path.read_bytes() for path in folder.iterdir()})
    _, error = start(NAME).communicate()
    program = (
        f"from dsengine import Engine, Message, Piece\n"
        f"engine = Engine({NAME!r}, device='cpu')\n"
        f"done = engine.generate([[Message('user', (Piece('hello'),))]], max_new_tokens=4)\n"
        f"assert done[0].completion_tokens == 4, done\n"
    )
    offline = environment | {"HF_ENDPOINT": "http://127.0.0.1:1"}
    loaded = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | offline | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
    )
    assert loaded.returncode == 0, error + loaded.stderr


def test_a_row_of_the_catalogue_is_asked_for_at_its_pin(hub, run_dsreview, environment):
    known = CATALOGUE[0]
    outcome = run_dsreview("models", "pull", known.short_name, environment=environment)
    assert outcome.code == 3
    assert known.name in outcome.err
    (asked,) = [path for path, _ in hub.requests]
    assert asked == f"/api/models/{known.name}/revision/{known.revision}"


def test_what_the_hub_says_cannot_reach_the_terminal(hub, run_dsreview, environment):
    hub.add(NAME, {"config.json": b"{}", "\x1b]0;evil\x07\x7f": b""})
    hub.listed["config.json"] = {"blobId": "\x1b[2J"}
    outcome = run_dsreview("models", "pull", NAME, environment=environment)
    assert outcome.code == 3
    assert "\x1b" not in outcome.err
    assert "\x07" not in outcome.err


def test_switched_off_downloads_stay_off(hub, run_dsreview, environment):
    outcome = run_dsreview(
        "models", "pull", NAME, environment=environment | {"HF_HUB_OFFLINE": "1"}
    )
    assert (outcome.code, hub.requests) == (2, [])
    assert "HF_HUB_OFFLINE" in outcome.err
