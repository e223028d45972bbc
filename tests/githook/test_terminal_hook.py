"""A commit on a terminal whose hook offers what it suggests."""

import os
import pty
import select
import subprocess
import time

import pytest

BUG = "def read(text):\n    try:\n        return int(text)\n    except ValueError or KeyError:\n        return 0\n"
PROMPT = b"> "
FIXED = BUG.replace("ValueError or KeyError", "(ValueError, KeyError)")


def commit_on_a_terminal(hooked, answer, command=("git", "commit", "-q", "-m", "change")):
    """Exit code of git, and what was seen, where `answer` is typed when it is asked for."""
    child, master = pty.fork()
    if child == 0:
        os.chdir(hooked.repository.folder)
        environment = hooked.environment(TERM="xterm", COLUMNS="100", NO_COLOR="1")
        os.execvpe(command[0], command, environment)
    try:
        seen = talk(master, answer)
    finally:
        os.close(master)  # hangs up: what still runs there ends
        _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), seen.decode()


def talk(master, answer):
    seen, is_answered, end = b"", False, time.monotonic() + 30
    while time.monotonic() < end:
        if not select.select([master], [], [], 0.1)[0]:
            continue
        try:
            part = os.read(master, 4096)
        except OSError:  # how Linux says that nobody writes any more
            break
        if not part:
            break
        seen += part
        if not is_answered and seen.endswith(PROMPT):
            time.sleep(0.2)  # what is typed before the question does not count
            os.write(master, answer)
            is_answered = True
    return seen


@pytest.fixture
def asking(hooked):
    hooked.settings.write_text('mode = "block"\ninteractive = true\n')
    hooked.repository.write({"shop.py": BUG})
    hooked.repository.git("add", "-A")
    return hooked


def test_what_is_applied_is_committed(asking):
    code, seen = commit_on_a_terminal(asking, b"a")
    assert code == 0, seen
    assert asking.repository.git("show", "HEAD:shop.py") == FIXED
    assert (asking.repository.folder / "shop.py").read_text() == FIXED


@pytest.mark.slow
def test_what_is_skipped_counts(asking):
    code, seen = commit_on_a_terminal(asking, b"s")
    assert code == 1, seen
    assert "the commit is stopped (mode block" in seen
    assert (asking.repository.folder / "shop.py").read_text() == BUG


@pytest.mark.slow
def test_ctrl_c_ends_the_commit(asking):
    before = asking.repository.git("rev-parse", "HEAD")
    code, seen = commit_on_a_terminal(asking, b"\x03")
    assert code != 0, seen
    assert asking.repository.git("rev-parse", "HEAD") == before


def test_without_a_terminal_nobody_is_asked(asking):
    started = time.monotonic()
    with subprocess.Popen(
        ["git", "commit", "-q", "-m", "change"],
        cwd=asking.repository.folder,
        env=asking.environment(),
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        seen = process.stderr.read().decode()
    assert process.returncode == 1
    assert "py-except-or" in seen
    assert time.monotonic() - started < 20


def test_a_program_that_reads_what_git_writes_keeps_its_terminal(asking):
    """lazygit, tig and their like draw on all of it."""
    command = ("sh", "-c", "git commit -q -m change 2>&1 | cat >seen")
    _, seen = commit_on_a_terminal(asking, b"a", command)
    assert seen == ""
    assert "py-except-or" in (asking.repository.folder / "seen").read_text()
    assert asking.repository.git("show", ":shop.py") == BUG
