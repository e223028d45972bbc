"""Ctrl-C ends a review at once, however long a server is silent."""

import os
import signal
import socket
import subprocess
import sys

import pytest


@pytest.fixture
def silent_server():
    """Takes connections and requests, and never says anything."""
    with socket.create_server(("127.0.0.1", 0), backlog=16) as server:
        server.settimeout(20)
        yield server


def asking(repository, server, tmp_path):
    """A running `dsreview diff`, in a process group of its own as a shell would start it."""
    settings = {key: text for key, text in os.environ.items() if not key.startswith("GIT_")}
    settings |= {
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "DSREVIEW_CACHE_DIR": str(tmp_path / "cache"),
        "DSREVIEW_CONFIG": os.devnull,
    }
    url = f"http://127.0.0.1:{server.getsockname()[1]}"
    command = [sys.executable, "-P", "-m", "dsreview", "diff", "--backend=http", "--model=m"]
    return subprocess.Popen(
        [*command, "--base-url", url],
        cwd=repository.folder,
        env=settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def test_an_interrupt_does_not_wait_for_a_silent_server(repository, silent_server, tmp_path):
    names = [f"part_{number}.py" for number in range(6)]
    repository.commit(dict.fromkeys(names, "a = 1\n"))
    repository.write(dict.fromkeys(names, "a = 2\n"))
    process = asking(repository, silent_server, tmp_path)
    connections = []
    try:
        for _ in range(4):
            connection, _ = silent_server.accept()
            connections.append(connection)
            assert connection.recv(1)  # the request is on its way: the client waits
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=3)
        assert (process.returncode, out, err) == (130, b"", b"")
    finally:
        for connection in connections:
            connection.close()
        if process.poll() is None:
            process.kill()
            process.communicate()
