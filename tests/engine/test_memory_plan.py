"""What is planned before a load is what is taken; minutes, so the figures are in RESULTS.md."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "bench" / "memory_plan.py"


@pytest.mark.slow
@pytest.mark.timeout(1_800)
@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_four_shapes_take_what_was_planned():
    command = [sys.executable, str(SCRIPT), "--rows", "4", "--new-tokens", "4"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}  # others would wait for each other
    ran = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert ran.returncode == 0, ran.stderr
    rows = [line.strip("| ").split(" | ") for line in ran.stdout.splitlines()[2:]]
    assert len(rows) == 4 * 3
    for row in rows:
        shape, weights, of_it, load = row[0], row[1], float(row[5]), float(row[6])
        assert 0.9 <= of_it <= 1.1, (shape, weights)
        assert load <= 1.15, (shape, weights)
