"""Time and memory of a review of 400 files and 20,000 changed lines, with no model.

    python bench/large_diff.py [--files 400] [--lines 50]

Prints wall seconds, the largest memory of the whole process tree, and the coverage.
Exits with 1 where one of the goals below is missed; they are for the default size.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
from scratch import write_history

MAX_SECONDS = 30
MAX_MEMORY_BYTES = 500_000_000

ENDINGS = {
    "py": "def f{n}(a, b):\n    total = a + b * {n}\n    return total\n\n",
    "js": "export function f{n}(a, b) {{\n  const total = a + b * {n};\n  return total;\n}}\n",
    "go": "func F{n}(a int, b int) int {{\n\ttotal := a + b*{n}\n\treturn total\n}}\n",
    "java": "class C{n} {{\n  int f(int a, int b) {{\n    return a + b * {n};\n  }}\n}}\n",
}


def text(ending: str, lines: int, shift: int) -> bytes:
    head = "package main\n\n" if ending == "go" else ""
    block = ENDINGS[ending]
    count = -(-lines // block.count("\n"))
    return (head + "".join(block.format(n=shift + n) for n in range(count))).encode()


def tree(files: int, lines: int, shift: int) -> dict[str, bytes]:
    endings = sorted(ENDINGS)
    return {
        f"src/d{n % 20}/m{n}.{endings[n % len(endings)]}": text(
            endings[n % len(endings)], lines, shift * 1000
        )
        for n in range(files)
    }


def memory_bytes(process: psutil.Process) -> int:
    total = 0
    for one in (process, *process.children(recursive=True)):
        try:
            total += one.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=400)
    parser.add_argument("--lines", type=int, default=50)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        repository = Path(folder) / "repository"
        trees = [tree(arguments.files, arguments.lines, shift) for shift in (0, 1)]
        write_history(repository, trees)
        command = [
            sys.executable,
            "-m",
            "dsreview",
            "diff",
            "HEAD~1..HEAD",
            "--backend=none",
            "--no-cache",
            "--format=json",
            f"--output={folder}/report.json",
            f"-C{repository}",
        ]
        started = time.perf_counter()
        review = psutil.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
        peak = 0
        while review.poll() is None:
            peak = max(peak, memory_bytes(review))
            time.sleep(0.05)
        seconds = time.perf_counter() - started
        report = json.loads((Path(folder) / "report.json").read_text())
    states = [row["state"] for row in report["coverage"]]
    print(
        f"{arguments.files} files: {seconds:.1f} s, {peak / 1e6:.0f} MB, exit {review.returncode}, "
        f"status {report['status']}, reviewed {states.count('reviewed')}, "
        f"findings {len(report['findings'])}"
    )
    missed = [
        goal
        for goal, is_met in {
            f"at most {MAX_SECONDS} s": seconds <= MAX_SECONDS,
            f"at most {MAX_MEMORY_BYTES / 1e6:.0f} MB": peak <= MAX_MEMORY_BYTES,
            "exit 0 or 1": review.returncode in (0, 1),
            "a complete review": report["status"] == "complete",
            "every file reviewed": states == ["reviewed"] * arguments.files,
        }.items()
        if not is_met
    ]
    for goal in missed:
        print(f"missed: {goal}", file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
