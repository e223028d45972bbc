"""A review opens no socket of any kind, and starts no program but git (through env) and its own parser.

An audit hook in the process of the command sees every socket that Python makes, and ends
the process at once: no caller can swallow that.
"""

import json
import os
import subprocess
import sys

import pytest

WATCHED = """
import os, sys

def watch(event, arguments):
    if event.startswith("socket."):
        os.write(2, f"SOCKET {event} {arguments}\\n".encode())
        os._exit(99)
    if event == "subprocess.Popen":
        with open(os.environ["STARTED"], "a") as log:
            log.write(os.path.basename(os.fspath(arguments[0])) + "\\n")

sys.addaudithook(watch)
"""
REVIEW = "from dsreview.cli import main\nsys.exit(main())\n"
BEFORE = "def pages(count, size):\n    return count\n"
AFTER = (
    "def pages(count, size):\n    if count == None:\n        return 0\n    return count // size\n"
)


@pytest.fixture
def watched(tmp_path, repository):
    """Runs the command, or another program, under the hook."""

    def run(*arguments, program=REVIEW, environment=None):
        settings = {key: text for key, text in os.environ.items() if not key.startswith("GIT_")}
        settings |= {
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
            "DSREVIEW_CACHE_DIR": str(tmp_path / "cache"),
            "DSREVIEW_CONFIG": os.devnull,
            "STARTED": str(tmp_path / "started"),
        }
        return subprocess.run(
            [sys.executable, "-P", "-c", WATCHED + program, *map(str, arguments)],
            cwd=repository.folder,
            env=settings | (environment or {}),
            capture_output=True,
            text=True,
        )

    return run


@pytest.fixture
def changed(repository):
    repository.commit({"a.py": AFTER})
    repository.commit({"a.py": BEFORE})
    repository.write({"a.py": AFTER})
    return repository


@pytest.mark.parametrize(
    "program",
    [
        "import socket; socket.socket(socket.AF_UNIX)",
        "import socket; socket.getaddrinfo('example.org', 80)",
        "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9')",
    ],
)
def test_the_hook_sees_sockets(watched, program):
    outcome = watched(program=program)
    assert (outcome.returncode, outcome.stderr[:6]) == (99, "SOCKET")


@pytest.mark.parametrize("options", [(), ("--staged",), ("HEAD~1..HEAD",)])
def test_the_checks_use_no_socket(watched, changed, tmp_path, options):
    if "--staged" in options:
        changed.git("add", "-A")
    outcome = watched("diff", *options, "--format=json")
    assert outcome.stderr == ""
    assert outcome.returncode in (0, 1)
    started = set((tmp_path / "started").read_text().split())
    assert started <= {"env", "git", os.path.basename(sys.executable)}


def test_a_scripted_model_uses_no_socket(watched, changed, tmp_path):
    script = tmp_path / "answers.json"
    script.write_text(json.dumps([json.dumps({"findings": []})]))
    outcome = watched("diff", "--backend=scripted", f"--model={script}", "--format=json")
    assert (outcome.stderr, outcome.returncode) == ("", 0)
    assert json.loads(outcome.stdout)["stats"]["model"] == "scripted"


@pytest.mark.slow
def test_a_local_model_uses_no_socket(watched, changed, tmp_path):
    testing = pytest.importorskip("dsengine.testing")
    model = testing.write_model(tmp_path / "model", "llama", [BEFORE, AFTER])
    outcome = watched("diff", f"--model={model}", "--device=cpu", "--budget=20s", "--format=json")
    assert outcome.returncode in (0, 1, 3), outcome.stderr
    assert json.loads(outcome.stdout)["stats"]["completion_tokens"] > 0


def test_a_model_that_is_not_here_is_not_fetched(watched, changed):
    """Offline stays offline, whatever the environment of the user says."""
    outcome = watched(
        "diff",
        "--model=deepseek-ai/deepseek-coder-1.3b-instruct",
        environment={"HF_HUB_OFFLINE": "0", "HF_HOME": "/nonexistent"},
    )
    assert "SOCKET" not in outcome.stderr
    assert "deepseek-coder-1.3b-instruct" in outcome.stdout + outcome.stderr
    assert outcome.returncode in (2, 3)


def test_settings_of_the_repository_bring_no_address(watched, repository):
    repository.commit({".dsreview.toml": 'base-url = "http://127.0.0.1:9/v1"\n', "a.py": BEFORE})
    repository.write({"a.py": AFTER})
    outcome = watched("diff")
    assert (outcome.returncode, outcome.stderr.count("\n")) == (2, 1)
    assert "base-url" in outcome.stderr
