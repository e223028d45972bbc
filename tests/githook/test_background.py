"""A review that outlives its hook: what it reviews, who sees the result, and what can go wrong."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

BUG = "def add(item, items=[]):\n    items.append(item)\n    return items\n"
CLEAN = "def double(number):\n    return number * 2\n"
LEFT = "reviewing in the background"
NEWS = "from the review in the background"


@pytest.fixture
def behind(hooked):
    hooked.settings.write_text('mode = "background"\n')
    return hooked


def test_the_next_hook_shows_the_result_once(behind):
    ran = behind.commit({"shop.py": BUG})
    assert (ran.code, LEFT in ran.err, "shop.py" in ran.err) == (0, True, False)
    behind.wait_for_jobs()
    first = behind.commit({}, "--allow-empty")
    assert NEWS in first.err
    assert "HIGH  shop.py:1  py-mutable-default" in first.err
    assert "  >   1 │ def add(item, items=[]):" in first.err
    assert behind.commit({}, "--allow-empty").err == ""
    assert "HIGH  shop.py:1" in behind.run("last").out


@pytest.mark.slow
def test_last_shows_it_sooner_and_counts_as_shown(behind):
    behind.commit({"shop.py": BUG})
    behind.wait_for_jobs()
    assert NEWS in behind.run("last").out
    assert behind.commit({}, "--allow-empty").err == ""


@pytest.mark.slow
def test_what_was_staged_is_reviewed_whatever_becomes_of_the_index(behind):
    """Another commit, other content and the end of the branch do not matter to the job."""
    behind.repository.write({"shop.py": BUG})
    behind.repository.git("add", "-A")
    assert LEFT in behind.run("hook", "run", "pre-commit").err
    behind.repository.git("reset", "-q", "--hard")
    behind.repository.commit({"shop.py": CLEAN})
    behind.wait_for_jobs()
    shown = behind.run("last").out
    assert "shop.py:1  py-mutable-default" in shown
    assert "> " in shown


@pytest.mark.slow
def test_a_first_commit_is_reviewed_from_nothing(behind):
    behind.repository.git("checkout", "-q", "--orphan", "other")
    behind.commit({"shop.py": BUG})
    behind.wait_for_jobs()
    assert "shop.py:1  py-mutable-default" in behind.run("last").out


@pytest.mark.slow
def test_two_results_are_both_shown(behind):
    behind.commit({"one.py": BUG})
    behind.commit({"two.py": BUG})
    behind.wait_for_jobs()
    shown = behind.commit({}, "--allow-empty").err
    assert shown.count(NEWS) == 2
    assert shown.index("one.py:1") < shown.index("two.py:1")


def test_it_neither_holds_a_pipe_of_the_hook_nor_dies_with_its_group(behind):
    behind.repository.write({f"part{number}.py": BUG for number in range(30)})
    behind.repository.git("add", "-A")
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "dsreview", "hook", "run", "pre-commit"],
        cwd=behind.repository.folder,
        env=behind.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as hook:
        assert LEFT in hook.communicate(timeout=20)[1].decode()  # the ends of all its pipes
        assert list(behind.cache.glob("hooks/*/jobs/*.job")), "it goes on"
        with pytest.raises(ProcessLookupError):
            os.killpg(hook.pid, signal.SIGKILL)
    behind.wait_for_jobs()
    assert "30 findings" in behind.run("last").out


def job_process(hooked):
    (job,) = hooked.cache.glob("hooks/*/jobs/*.job")
    for entry in os.listdir("/proc"):
        try:
            links = os.listdir(f"/proc/{entry}/fd") if entry.isdigit() else ()
            if any(os.readlink(f"/proc/{entry}/fd/{fd}") == str(job) for fd in links):
                return int(entry)
        except OSError:
            continue
    raise AssertionError("nobody holds the job")


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="looks for the process in /proc")
def test_a_job_that_died_is_told_once(behind):
    behind.repository.write({f"part{number}.py": BUG for number in range(30)})
    behind.repository.git("add", "-A")
    behind.run("hook", "run", "pre-commit")
    process = job_process(behind)
    environment = Path(f"/proc/{process}/environ").read_bytes()
    assert not [entry for entry in environment.split(b"\0") if entry.startswith(b"GIT_")]
    assert os.getsid(process) == process
    assert "still going on" in behind.run("last").out
    os.kill(process, signal.SIGKILL)
    while os.path.exists(f"/proc/{process}/fd/0"):
        time.sleep(0.02)
    behind.repository.git("reset", "-q", "--hard")
    told = behind.run("hook", "run", "pre-commit").err
    assert told == "dsreview: a review in the background died; its files were not reviewed\n"
    assert behind.run("hook", "run", "pre-commit").err == ""


@pytest.mark.slow
def test_a_job_that_fails_says_why(behind):
    behind.settings.write_text('mode = "background"\nbackend = "scripted"\nmodel = "/"\n')
    behind.commit({"shop.py": CLEAN})
    behind.wait_for_jobs()
    shown = behind.run("last").out
    assert "the model could not be used" in shown
    assert "1 file only partly reviewed" in shown


@pytest.fixture
def desktop(behind, tmp_path):
    """A notify-send that writes down what it is given."""
    programs = tmp_path / "programs"
    programs.mkdir()
    told = tmp_path / "told"
    program = programs / "notify-send"
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > "{told}"\nenv > "{told}.env"\n')
    program.chmod(0o755)
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    return told, {"PATH": path, "DISPLAY": ":0"}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "darwin", reason="notify-send is of other desktops")
def test_the_desktop_is_told_of_findings_alone(behind, desktop):
    told, environment = desktop
    behind.commit({"shop.py": CLEAN}, **environment)
    behind.wait_for_jobs()
    assert not told.exists()
    behind.commit({"shop.py": BUG}, **environment)
    behind.wait_for_jobs()
    lines = told.read_text().splitlines()
    assert lines == [
        "--app-name=dsreview",
        "--",
        "dsreview: repository",
        "1 finding (1 high) in 1 file",
    ]
    assert "GIT_" not in (told.parent / "told.env").read_text()
    told.unlink()
    behind.settings.write_text('mode = "background"\nnotify = false\n')
    behind.commit({"again.py": BUG}, **environment)
    behind.wait_for_jobs()
    assert not told.exists()
