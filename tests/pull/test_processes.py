"""Who has the token, and who has the network: one process, and it has nothing else."""

import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from contextlib import closing, suppress

import psutil
import pytest

from dsreview.errors import GitHubError
from dsreview.fake_github.faults import Fault
from dsreview.outputs.github_pr.client import PullAddress
from dsreview.outputs.github_pr.poster_process import RemotePoster, start_poster

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")

TOKEN = "ghs_0123456789abcdefghijklmnopqrstuvwxyzA"
KINDS = {
    "poster": "poster_child",
    "model": "worker_child",
    "checker": os.path.join("sandbox", "child.py"),
    "git": "--literal-pathspecs",
    "collector": "--poster=",
}


@pytest.fixture
def ready(opened, tmp_path):
    """A pull request, a token that may write, and a model that has something to say."""
    opened.github.world.tokens[TOKEN] = opened.github.world.tokens[opened.github.token]
    script = tmp_path / "answers.json"
    finding = {
        "rule": "no-list",
        "severity": "medium",
        "line": 8,
        "quote": "def show(name):",
        "message": "It is printed and never returned.",
        "scenario": "show('a') returns None, and its caller shows nothing.",
        "confidence": 0.8,
        "suggestion": None,
    }
    script.write_text(json.dumps([json.dumps({"findings": [finding]})] * 4))
    opened.model = ("--backend=scripted", f"--model={script}")
    return opened


def command(world):
    name = f"octo/project#{world.pull.number}"
    return [sys.executable, "-P", "-m", "dsreview", "pr", name, *world.model]


def environment(world):
    kept = {name: text for name, text in os.environ.items() if not name.startswith("GIT_")}
    return kept | {
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "DSREVIEW_CACHE_DIR": str(world.folder / "cache"),
        "DSREVIEW_STATE_DIR": str(world.folder / "state"),
        "DSREVIEW_CONFIG": os.devnull,
        "GITHUB_API_URL": world.github.url,
        "GITHUB_TOKEN": TOKEN,
        "GH_TOKEN": TOKEN,
        "INPUT_TOKEN": f"Bearer {TOKEN}",
        "ACTIONS_RUNTIME_TOKEN": "another",
    }


def kind_of(arguments):
    return next((kind for kind, mark in KINDS.items() if mark in arguments), "other")


class Watch:
    """Looks at a process and all that it starts, again and again."""

    def __init__(self, process):
        self.root = psutil.Process(process.pid)
        self.seen = {}
        self.connected = set()
        self.is_over = False
        self.thread = threading.Thread(target=self.look, daemon=True)
        self.thread.start()

    def look(self):
        while not self.is_over:
            with suppress(psutil.Error):
                for one in (self.root, *self.root.children(recursive=True)):
                    self.note(one.pid)
            time.sleep(0.002)

    def note(self, pid):
        """Nobody but root may look into the poster: then only its arguments are seen."""
        try:
            one = psutil.Process(pid)
            arguments = " ".join(one.cmdline())
        except psutil.Error:
            return
        kind = kind_of(arguments)
        variables = b""
        with suppress(OSError, psutil.Error):
            with open(f"/proc/{pid}/environ", "rb") as file:
                variables = file.read()
            if one.net_connections("inet"):
                self.connected.add(kind)
        if arguments:
            self.seen.setdefault(kind, set()).add((arguments.encode(), variables))


def memory_holds(pid, text):
    """Whether a process has `text` in its memory; None where it cannot be read."""
    try:
        with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb") as memory:
            return any(text in part for part in parts_of(memory, maps))
    except PermissionError:
        return None


def parts_of(memory, maps):
    for line in maps:
        bounds, rights = re.match(r"(\S+) (\S+)", line).groups()
        start, stop = (int(part, 16) for part in bounds.split("-"))
        if rights.startswith("rw") and stop - start <= 1 << 30:
            with suppress(OSError):
                memory.seek(start)
                yield memory.read(stop - start)


def test_one_process_has_the_token_and_the_network(ready):
    found = {}

    def look_at_memory(_):
        for one in (root := psutil.Process(process.pid), *root.children(recursive=True)):
            kind = kind_of(" ".join(one.cmdline()))
            found[kind] = memory_holds(one.pid, TOKEN.encode())

    ready.github.inject(Fault("look", "while it posts", change=look_at_memory), "POST", "/reviews$")
    process = subprocess.Popen(
        command(ready),
        cwd=ready.repository.folder,
        env=environment(ready),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    watch = Watch(process)
    out, err = process.communicate()
    watch.is_over = True
    watch.thread.join()
    assert (process.returncode, err) == (1, b""), out
    assert {comment.line for comment in ready.pull.comments} == {8, 9}
    assert set(watch.seen) >= {"poster", "model", "checker", "collector"}
    for kind in ("poster", "model", "checker", "git", "collector"):
        for arguments, variables in watch.seen.get(kind, ()):
            assert TOKEN.encode() not in arguments + variables, kind
            assert b"ACTIONS_RUNTIME_TOKEN" not in variables, kind
    is_root = os.geteuid() == 0
    assert watch.connected == ({"poster"} if is_root else set())
    assert found["poster"] is (True if is_root else None), "its memory is closed to others"
    assert found["collector"] is False
    assert TOKEN.encode() not in out


CALL = re.compile(r"^(\d+) +(?:[\d.:]+ )?(\w+)\((.*)$")


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
def test_of_all_processes_that_ever_ran_one_opened_a_socket_to_the_network(ready, tmp_path):
    """Complete, as the system saw it; the test above only looks now and then."""
    log = tmp_path / "calls"
    trace = ["strace", "-f", "-v", "-s", "1000000", "-e", "trace=execve,socket,connect", "-o", log]
    answer = subprocess.run(
        [*trace, *command(ready)],
        cwd=ready.repository.folder,
        env=environment(ready),
        capture_output=True,
    )
    assert answer.returncode == 1, answer.stderr
    kinds, with_token, with_network = {}, [], set()
    for line in log.read_text(errors="replace").splitlines():
        match = CALL.match(line)
        if match is None:
            continue
        pid, call, rest = match.groups()
        if call == "execve":
            kinds[pid] = kind_of(rest.replace('", "', " "))
            if TOKEN in rest:
                with_token.append(kinds[pid])
        elif re.search(r"AF_INET6?\b", rest):
            with_network.add(kinds[pid])
    assert with_token == ["other"], "the command as it was started, and nothing after it"
    assert with_network == {"poster"}
    assert {"git", "checker", "model", "poster", "collector"} <= set(kinds.values())


@pytest.mark.slow
def test_a_poster_that_is_killed_takes_no_finding_along(ready):
    """The page of the run has them all; the next run posts them, once."""

    def kill(_):
        for one in psutil.Process(process.pid).children(recursive=True):
            if kind_of(" ".join(one.cmdline())) == "poster":
                one.kill()

    page = ready.folder / "page"
    given = environment(ready) | {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(page)}
    ready.github.inject(Fault("kill", "while it posts", change=kill), "POST", "/reviews$")
    told = []
    for _ in range(2):
        process = subprocess.Popen(
            command(ready),
            cwd=ready.repository.folder,
            env=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        out, err = process.communicate()
        assert process.returncode == 1, err
        told += [out, err]
    first, _, second, resumed = told
    assert resumed == "dsreview: what an earlier run had begun is posted\n"
    assert first.count("::error file=shop.py,line=9") == 1
    assert first.count("::warning file=shop.py,line=8") == 1
    assert "the poster is gone" in first
    assert "no-list" in page.read_text()
    assert "::error" not in second
    assert len(ready.pull.submitted) == 1
    assert sorted(comment.line for comment in ready.pull.comments) == [8, 9]


@pytest.mark.slow
def test_a_local_model_is_in_a_process_of_its_own(ready, tmp_path):
    testing = pytest.importorskip("dsengine.testing")
    folder = testing.write_model(tmp_path / "model", "llama", ["def show(name):", "items"])
    ready.model = (f"--model={folder}", "--device=cpu", "--budget=60s", "--format=json")
    process = subprocess.Popen(
        command(ready),
        cwd=ready.repository.folder,
        env=environment(ready),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    watch = Watch(process)
    out, err = process.communicate()
    watch.is_over = True
    watch.thread.join()
    assert process.returncode in (1, 3), err
    assert "model" in watch.seen
    assert watch.connected <= {"poster"}
    assert str(folder) in json.loads(out)["plan"]["job_summary"]
    assert len(ready.pull.submitted) == 1


def test_a_poster_serves_the_pull_request_that_it_was_started_for_and_no_other(opened, tmp_path):
    mine, other = PullAddress("octo", "project", 1), PullAddress("octo", "project", 2)
    opened.repository.git("branch", "another")
    opened.github.add_pull_from_git(opened.repository.folder, "main", "another")
    process, connection = start_poster(
        opened.github.token, tmp_path / "outbox", opened.github.url, only=mine
    )
    with closing(RemotePoster(connection)) as poster:
        plan = opened.review(is_dry_run=True).plan
        num_requests = len(opened.github.log)
        with pytest.raises(GitHubError, match=r"serves octo/project#1 and no other"):
            poster.post(other, plan)
        with pytest.raises(GitHubError, match="no other"):
            poster.fetch(other)
        assert len(opened.github.log) == num_requests
        assert poster.fetch(mine).pull.number == 1
    assert process.wait(timeout=60) == 0
