"""Start, hello, stop: one server a user, and nothing left behind."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace

import psutil
import pytest

from dsreview.backends import BackendSettings
from dsreview.backends.daemon_threads import as_answered
from dsreview.backends.resident import (
    OtherVersion,
    ResidentBackend,
    ask_hello,
    mismatch,
    wait_until_ready,
)
from dsreview.backends.resident_place import place_in
from dsreview.backends.resident_wire import Served, State
from dsreview.errors import BackendError
from dsreview.prompt import Sampling
from dsreview.server.starting import start, stop

SAMPLING = Sampling(max_new_tokens=24)
COMMAND = (sys.executable, "-P", "-m", "dsreview", "serve")
CONTINUE = "import os, sys, time; time.sleep(1); os.kill(int(sys.argv[1]), int(sys.argv[2]))"


def ready(serve, script, *more):
    return serve("--backend=scripted", "--model", script, *more).wait_until_ready()


def test_a_signal_ends_it_cleanly(serve, script):
    server = ready(serve, script("one"))
    worker = psutil.Process(server.process.pid).children()
    assert len(worker) == 1
    assert server.end() == 0
    assert not server.place.is_occupied()
    assert psutil.wait_procs(worker, timeout=5)[1] == []
    out, err = server.process.communicate()
    assert err == ""
    assert str(server.place.socket) in out
    assert server.log.splitlines()[-1].endswith("ended")


def test_a_signal_ends_it_while_the_model_is_loading(serve, tmp_path):
    os.mkfifo(tmp_path / "never")
    server = serve("--backend=scripted", "--model", tmp_path / "never")
    while server.hello is None:
        time.sleep(0.02)
    assert server.hello.state is State.LOADING
    assert server.end() == 0


@pytest.mark.slow
def test_a_signal_at_any_moment_ends_it(serve, script, tmp_path):
    """Also before anybody listens for signals: it ends soon, and by no other signal."""
    for number in range(12):
        server = serve("--backend=scripted", "--model", script("one"), cache=tmp_path / str(number))
        while not server.place.lock.exists():
            time.sleep(0.001)
        time.sleep(0.02 * number)
        assert server.end() in (0, -signal.SIGTERM)
        assert server.process.returncode == 0 or not server.place.socket.exists()


def test_nobody_asks_and_it_ends(serve, script):
    server = ready(serve, script("one"), "--idle", "0.5s")
    for _ in range(5):  # looking at it is not using it
        ask_hello(server.place)
        time.sleep(0.1)
    assert server.process.wait(timeout=10) == 0
    assert "nobody asked" in server.log


def test_a_second_one_is_refused(serve, script):
    first = ready(serve, script("one"))
    second = serve("--backend=scripted", "--model", script("one"))
    out, err = second.process.communicate(timeout=20)
    assert second.process.returncode == 3
    assert (out, err.count("\n")) == ("", 1)
    assert f"runs already (process {first.process.pid})" in err
    assert first.hello.state is State.READY


def test_a_model_that_cannot_be_loaded_ends_it_with_one_line(serve, tmp_path):
    server = serve("--backend=scripted", "--model", tmp_path / "missing.json")
    _, err = server.process.communicate(timeout=20)
    assert server.process.returncode == 3
    assert (err.count("\n"), "missing.json" in err) == (1, True)


@pytest.mark.skipif(os.geteuid() != 0, reason="not root")
def test_root_is_refused_unless_it_says_so(script, tmp_path):
    environment = {name: text for name, text in os.environ.items() if name != "DSREVIEW_ALLOW_ROOT"}
    environment |= {
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "DSREVIEW_CACHE_DIR": str(tmp_path),
        "DSREVIEW_CONFIG": os.devnull,
    }
    answer = subprocess.run(
        [*COMMAND, "--backend=scripted", "--model", script("one")],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert (answer.returncode, "--allow-root" in answer.stderr) == (2, True)


@pytest.mark.parametrize(
    "options",
    [
        ("--http", "0.0.0.0:0"),
        ("--http", "example.org:80"),
        ("--idle", "soon"),
        ("--backend", "http", "--base-url", "http://127.0.0.1:9"),
    ],
)
def test_wrong_usage_is_one_line_and_leaves_no_socket(serve, script, options):
    server = serve("--model", script("one"), "--backend=scripted", *options)
    _, err = server.process.communicate(timeout=20)
    assert (server.process.returncode, err.count("\n")) == (2, 1), err
    assert not server.place.is_occupied()


@pytest.mark.slow
def test_a_killed_server_takes_its_model_along_and_is_replaced(serve, script):
    first = ready(serve, script("one"))
    worker = psutil.Process(first.process.pid).children()
    first.process.kill()
    first.process.wait()
    assert psutil.wait_procs(worker, timeout=10)[1] == []
    assert ask_hello(first.place) is None
    second = ready(serve, script("one"))
    assert second.hello.pid == second.process.pid


def test_a_server_that_is_started_in_the_background_is_found_used_and_stopped(
    tmp_path, script, make_prompt, monkeypatch
):
    monkeypatch.setenv("DSREVIEW_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("DSREVIEW_CONFIG", os.devnull)
    monkeypatch.setenv("DSREVIEW_ALLOW_ROOT", "1")
    monkeypatch.setenv("GITHUB_TOKEN", "ghs_secret")
    monkeypatch.setenv("DSREVIEW_MY_KEY", "sk_secret")
    place = place_in(tmp_path / "cache" / "server")
    settings = BackendSettings(str(script("one")))
    hello = wait_until_ready(place, start("scripted", settings, place))
    try:
        assert start("scripted", settings, place).pid == hello.pid
        server = psutil.Process(hello.pid)
        assert not {"GITHUB_TOKEN", "DSREVIEW_MY_KEY"} & set(server.environ())
        assert server.cwd() == "/"
        backend = ResidentBackend(place, hello)
        assert [answer.text for answer in backend.complete([make_prompt()], SAMPLING)] == ["one"]
        backend.close()
    finally:
        assert stop(place)
    assert psutil.wait_procs([server], timeout=10)[1] == []
    assert not stop(place)


def test_a_start_in_the_background_fails_where_the_model_cannot_be_loaded(
    tmp_path, monkeypatch, run_dsreview, script
):
    monkeypatch.setenv("DSREVIEW_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("DSREVIEW_ALLOW_ROOT", "1")
    (tmp_path / "broken.json").write_text("no list")
    options = ("serve", "--background", "--backend", "scripted", "--model")
    failed = run_dsreview(*options, str(tmp_path / "broken.json"), cwd=tmp_path)
    assert failed.code == 3
    assert len(failed.err.splitlines()) == 1
    assert "broken.json" in failed.err
    good = run_dsreview(*options, str(script("one")), cwd=tmp_path)
    try:
        assert (good.code, good.err) == (0, "")
    finally:
        assert stop(place_in(tmp_path / "cache" / "server"))


def test_a_start_that_fails_says_what_the_server_said(tmp_path, monkeypatch):
    monkeypatch.setenv("DSREVIEW_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("DSREVIEW_CONFIG", os.devnull)
    monkeypatch.delenv("DSREVIEW_ALLOW_ROOT", raising=False)
    if os.geteuid() != 0:
        pytest.skip("not root")
    place = place_in(tmp_path / "cache" / "server")
    with pytest.raises(BackendError, match="--allow-root"):
        start("scripted", BackendSettings("x.json"), place)


@pytest.mark.slow
def test_a_server_that_does_not_answer_is_ended_by_force(serve, script):
    server = ready(serve, script("one"))
    server.process.send_signal(signal.SIGSTOP)
    server.place.socket.unlink()
    pid, number = str(server.process.pid), str(int(signal.SIGCONT))
    timer = subprocess.Popen([sys.executable, "-c", CONTINUE, pid, number])
    assert stop(server.place)
    timer.wait()
    assert server.process.wait(timeout=5) == 0


@pytest.mark.slow
def test_many_starts_at_once_make_one_server(tmp_path, script, monkeypatch):
    monkeypatch.setenv("DSREVIEW_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("DSREVIEW_CONFIG", os.devnull)
    monkeypatch.setenv("DSREVIEW_ALLOW_ROOT", "1")
    place = place_in(tmp_path / "cache" / "server")
    settings = BackendSettings(str(script("one")))
    try:
        ask = lambda _: start("scripted", settings, place).pid  # noqa: E731
        pids = {pid for _, pid in as_answered(ask, range(8), 8)}
        assert len(pids) == 1
    finally:
        stop(place)


def test_a_hello_tells_other_models_devices_and_versions_apart(serve, script):
    hello = ready(serve, script("one")).hello
    served = hello.served
    assert mismatch(hello, served) == ""
    assert mismatch(hello, Served("scripted", served.model, "none")) == ""
    assert "not other" in mismatch(hello, Served("scripted", "other", "auto"))
    assert "not cuda" in mismatch(hello, Served("scripted", served.model, "cuda"))
    assert "of dsreview 0.0.9" in mismatch(replace(hello, version="0.0.9"), served)


def test_somebody_who_says_hello_in_another_way_is_not_used(tmp_path):
    place = place_in(tmp_path / "server")
    place.prepare()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(place.socket))
    listener.listen()

    def answer():
        connection, _ = listener.accept()
        connection.recv(1 << 16)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
        connection.close()

    thread = threading.Thread(target=answer)
    thread.start()
    with pytest.raises(OtherVersion):
        ask_hello(place)
    thread.join()
    listener.close()


def test_status_and_stop_say_what_there_is(serve, script, run_dsreview, tmp_path):
    assert run_dsreview("status").out == "no server runs\n"
    assert run_dsreview("status").code == 3
    assert run_dsreview("stop").out == "no server runs\n"
    server = ready(serve, script("one"), "--http", "127.0.0.1:0")
    status = run_dsreview("status")
    assert status.code == 0
    assert f"process {server.process.pid}" in status.out
    assert server.hello.http_address in status.out
    assert server.token not in status.out
    assert run_dsreview("stop").out == "stopped\n"
    assert server.process.wait(timeout=10) == 0
