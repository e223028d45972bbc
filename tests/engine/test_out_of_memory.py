"""Memory that runs out for real: the system refuses it, and no request is lost."""

import json
import subprocess
import sys

import pytest

from dsengine.testing import write_model

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="needs RLIMIT_AS and /proc"),
]

TEXTS = ["".join(f"line {number} of the text\n" for number in range(200))]

# Logits of a few rows are larger than the slack, so that steps and prefixes ask the system.
LIMITED = """
import json
import resource
import sys
from pathlib import Path
import torch
from dsengine import Engine, Message, Piece
from dsengine.errors import DeviceError

ROWS, SLACK = 6, 512 << 10
folder = sys.argv[1]
torch.set_num_threads(1)
shared = "".join(f"line {number} of the text\\n" for number in range(30))
texts = [shared + f"line {n} of the text\\n" * (2 + 4 * n) for n in range(ROWS)]
prompts = [[Message("user", (Piece(text),))] for text in texts]


def limit(more):
    size = next(
        int(line.split()[1]) * 1024
        for line in Path("/proc/self/status").read_text().splitlines()
        if line.startswith("VmSize")
    )
    resource.setrlimit(resource.RLIMIT_AS, (size + more, resource.RLIM_INFINITY))


def unlimit():
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY,) * 2)


def answers(engine, **options):
    return [done.token_ids for done in engine.generate(prompts, max_new_tokens=8, **options)]


def survive(moment):
    engine = Engine(folder, device="cpu", batch_size=ROWS, drafts=(), weights="full")
    expected = answers(engine)
    seen = []

    def squeeze(index, count, text):
        if not seen:
            limit(-4 * ROWS * 60_000 * 4)  # what this step gives back serves no other one
        seen.append(index)

    if moment == "entry":
        limit(int(engine._runner.bytes_per_token * ROWS * 128 * 0.8))
    elif moment == "prefix":
        engine._scheduler._prefixes.clear()
        limit(SLACK)
    try:
        found = answers(engine, **({"on_text": squeeze} if moment == "step" else {}))
        problem = ""
    except DeviceError as error:
        found, problem = expected, str(error)
    unlimit()
    again = answers(engine)
    return found == expected, again == expected, problem, engine.stats.batches_halved


print(json.dumps({moment: survive(moment) for moment in ("entry", "step", "prefix")}))
"""


@pytest.fixture(scope="module")
def wide_model(tmp_path_factory):
    """Keys, values and logits outweigh the rest."""
    changes = {"num_hidden_layers": 12, "hidden_size": 256, "vocab_size": 60_000, "head_dim": 128}
    folder = tmp_path_factory.mktemp("wide")
    return write_model(folder, "llama", TEXTS, changes=changes, window=2_048)


def test_no_request_is_lost_where_memory_runs_out(wide_model):
    command = [sys.executable, "-c", LIMITED, str(wide_model)]
    # what is given back is asked for again, so that the system can refuse
    environment = {"MALLOC_MMAP_THRESHOLD_": "65536", "PATH": "/usr/bin:/bin"}
    ran = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert ran.returncode == 0, ran.stderr[-3_000:]
    outcomes = json.loads(ran.stdout)
    for moment, (is_found, is_found_again, problem, num_halved) in outcomes.items():
        assert is_found, moment
        assert is_found_again, moment
        if moment == "prefix":
            assert "cpu has no memory for a prompt of" in problem
        else:
            assert problem == "", moment
            assert num_halved > 0, moment
