"""What a hook costs beside the model's own time, where a server keeps the model warm.

    python bench/hook_server.py [--rounds 15]

A commit of one changed function is looked at by `dsreview hook run pre-commit`, in turn
with no model and with a tiny one in a warm server; no answer is kept, so that each is made.
The server says what the model took. Prints medians of wall and CPU time: of the hook
without a model, and of what the server adds to it beside the model's time.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from serve_load import Server, start

from dsengine.testing import write_model
from dsreview.backends.resident import ask_hello

GOAL_S = 0.150
BEFORE = "def pages(count, size):\n    return count\n"
AFTER = "def pages(count, size):\n    return count // size\n"
CLEAN = json.dumps({"findings": []})


def write_repository(folder: Path) -> None:
    """One commit, and a change of it in the index."""

    def git(*arguments: str) -> None:
        identity = ("-c", "user.name=bench", "-c", "user.email=bench@localhost")
        subprocess.run(["git", "-C", folder, *identity, *arguments], check=True)

    folder.mkdir()
    git("init", "-q")
    (folder / "a.py").write_text(BEFORE)
    git("add", "a.py")
    git("commit", "-q", "-m", "first")
    (folder / "a.py").write_text(AFTER)
    git("add", "a.py")


def seconds(repository: Path, environment: dict[str, str]) -> tuple[float, float]:
    """Wall and CPU time of one hook, its children included."""
    command = [sys.executable, "-P", "-m", "dsreview", "hook", "run", "pre-commit"]
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, cwd=repository, env=environment, capture_output=True, check=True)
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def model_seconds(server: Server) -> float:
    """What the server spent on answers so far."""
    lines = server.place.log.read_text().splitlines()
    return sum(float(line.split()[-2]) for line in lines if " review: " in line)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        repository, cache = Path(folder, "repository"), Path(folder, "cache")
        write_repository(repository)
        model = write_model(Path(folder, "model"), "llama", [BEFORE, AFTER, CLEAN])
        server = start(model, cache)
        environment = {name: text for name, text in os.environ.items() if "GIT_" not in name}
        environment |= {
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
            "DSREVIEW_CACHE_DIR": str(cache),
            "DSREVIEW_CONFIG": os.devnull,
            "DSREVIEW_CACHE": "false",
            "DSREVIEW_DEVICE": "cpu",
        }
        bare, warm, own = [], [], []
        try:
            for _ in range(rounds + 2):  # the first two warm up and are dropped
                bare.append(seconds(repository, environment))
                so_far = model_seconds(server)
                warm.append(seconds(repository, environment | {"DSREVIEW_MODEL": str(model)}))
                own.append(model_seconds(server) - so_far)
            hello = ask_hello(server.place)
            assert hello is not None
            if hello.num_prompts_answered < rounds:
                raise RuntimeError("the hook did not ask the server")
        finally:
            server.process.terminate()
            server.process.wait(timeout=30)
    walls, cpus = zip(*bare[2:], strict=True)
    beside = [wall - model for (wall, _), model in zip(warm[2:], own[2:], strict=True)]
    added = [one - other for one, other in zip(beside, walls, strict=True)]
    added_cpu = [one - other for (_, one), other in zip(warm[2:], cpus, strict=True)]
    print("| hook | wall s | CPU s |\n|---|---|---|")
    print(f"| without a model | {statistics.median(walls):.3f} | {statistics.median(cpus):.3f} |")
    print(f"| model's own time | {statistics.median(own[2:]):.3f} | |")
    print(f"| with it, beside its own time | {statistics.median(beside):.3f} | |")
    print(f"| of it for the server | {statistics.median(added):.3f}"
          f" | {statistics.median(added_cpu):.3f} |")  # fmt: skip
    return 0 if statistics.median(added) < GOAL_S else 1


if __name__ == "__main__":
    sys.exit(main())
