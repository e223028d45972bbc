"""kill -9 at random moments, by the same program that makes the figures."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[4] / "bench"


def kill(num, fault_rate):
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    arguments = ["--kills", str(num), "--fault-rate", str(fault_rate)]
    return subprocess.run(
        [sys.executable, BENCH / "posting_kills.py", *arguments],
        env=environment,
        capture_output=True,
        text=True,
    )


def test_a_poster_that_is_killed_loses_nothing_and_posts_nothing_twice():
    done = kill(2, 0.2)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 kills" in done.stdout


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("fault_rate", [0.0, 0.3])
def test_twenty_kills_lose_nothing_and_post_nothing_twice(fault_rate):
    done = kill(20, fault_rate)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "20 kills" in done.stdout


@pytest.mark.slow
@pytest.mark.timeout(7_200)
@pytest.mark.parametrize("fault_rate", [0.0, 0.3])
def test_five_hundred_kills_lose_nothing_and_post_nothing_twice(fault_rate):
    done = kill(500, fault_rate)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "500 kills" in done.stdout
