"""`kill -9` while somebody's answer is carried out, at random moments of it."""

import os
import random
import signal
import time
from collections import Counter

import pytest

BEFORE_FIX = '    assert (total == 3, "three")\n'
AFTER_FIX = '    assert total == 3, "three"\n'
UNTRACKED = "mine, not git's\n"


def places(repository):
    return (
        (repository.folder / "app/run.py").read_text(),
        repository.git("show", ":app/run.py"),
    )


def seconds_of_an_application(repository, start):
    session = start("diff", "--staged", "-i", cwd=repository.folder)
    session.answer("a")
    began = time.monotonic()
    session.expect("✓ applied")
    seconds = time.monotonic() - began
    session.answer("q")
    session.wait()
    assert start("undo", cwd=repository.folder).wait() == 0
    return seconds


def check_others(repository):
    """What nobody asked to be changed."""
    assert (repository.folder / "other.py").read_text() == "x = 2  # unstaged work\n"
    assert (repository.folder / "notes.txt").read_text() == UNTRACKED
    assert repository.git("show", ":other.py") == "x = 1\n"


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("num", [1, 300])
def test_killed_at_a_random_moment_nothing_is_torn_and_undo_restores(buggy, start, num):
    choices = random.Random(num)
    buggy.write({"notes.txt": UNTRACKED})
    before, entries = places(buggy)[0], buggy.git("ls-files", "--stage")
    after = before.replace(BEFORE_FIX, AFTER_FIX)
    window_s = seconds_of_an_application(buggy, start)
    found = Counter()
    for _ in range(num):
        session = start("diff", "--staged", "-i", cwd=buggy.folder)
        session.answer("a")
        time.sleep(choices.uniform(0, window_s))
        os.killpg(session.process.pid, signal.SIGKILL)
        session.process.wait()
        assert set(places(buggy)) <= {before, after}
        check_others(buggy)
        undo = start("undo", cwd=buggy.folder)
        code = undo.wait()
        was_cut = "was cut off" in undo.screen
        found["put right" if was_cut else "applied" if code == 0 else "not begun"] += 1
        assert code == 0 or "nothing that dsreview applied is left" in undo.screen
        assert places(buggy) == (before, before)
        assert buggy.git("ls-files", "--stage") == entries
        assert not list((buggy.folder / ".git").glob("*dsreview*"))
        assert not (buggy.folder / ".git/index.lock").exists()
        check_others(buggy)
        start.close()
    print(f"{num} kills within {window_s * 1000:.0f} ms: {dict(found)}")
    assert num < 100 or min(found[end] for end in ("put right", "not begun")) > 0
