"""How long a commit waits for the hook, against an empty hook and against `ruff check`.

    python bench/hook_times.py [--runs 20] [--model]

Needs hyperfine. The hook is the script that `dsreview hook install` writes, called as git
calls it, in a repository of 300 Python files. Medians of wall time, and CPU time, which a busy
machine changes less. `--model` adds a tiny Llama, trained here to find nothing: loaded for each
commit, and kept by the resident server (needs the extra `local`).
Exits with 1 where a goal is missed.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from scratch import write_history

NUM_FOLDERS, NUM_FILES = 30, 10
TEXT = """import os


def join_{n}(folder, name):
    return os.path.join(folder, name)


class Store{n}:
    def path(self, name):
        return join_{n}(name, name)
"""
GOALS_S = {"nothing staged": 0.150, "docs only": 0.150, "10 files, cold": 0.5}


@dataclass(frozen=True)
class Case:
    name: str
    folder: Path
    command: Sequence[str]
    prepare: Sequence[str] = ()


@dataclass(frozen=True)
class Times:
    """In seconds."""

    median: float
    cpu: float


def tree(changed: int, docs: bool = False) -> dict[str, bytes]:
    """The files, the first `changed` of them with another body."""
    names = [f"src/part{n // NUM_FILES}/m{n}.py" for n in range(NUM_FOLDERS * NUM_FILES)]
    files = {name: TEXT.format(n=n).encode() for n, name in enumerate(names)}
    for name in names[:changed]:
        files[name] = files[name].replace(b"(folder, name)\n\n", b"(folder, name).strip()\n\n")
    return files | {"README.md": b"new words\n" if docs else b"words\n"}


def staged(folder: Path, changed: int, docs: bool = False) -> list[str]:
    """A repository with a commit and a staged change; the changed files."""
    write_history(folder, [tree(0)])
    git = ["git", "-C", str(folder)]
    subprocess.run([*git, "reset", "-q", "--hard"], check=True)
    new = tree(changed, docs)
    different = [path for path, text in new.items() if (folder / path).read_bytes() != text]
    for path in different:
        (folder / path).write_bytes(new[path])
    subprocess.run([*git, "add", "-A"], check=True)
    install = [sys.executable, "-P", "-m", "dsreview", "hook", "install", "-C", str(folder)]
    subprocess.run(install, check=True, stdout=subprocess.DEVNULL)
    return different


def cases(top: Path, cache: Path) -> Iterator[Case]:
    hook = ".git/hooks/pre-commit"
    wipe = ["rm", "-rf", str(cache)]
    empty = top / "empty-hook"
    empty.write_text("#!/bin/sh\nexit 0\n")
    empty.chmod(0o755)
    ruff = shutil.which("ruff", path=str(Path(sys.executable).parent)) or "ruff"
    paths = {}
    for name, changed, docs in (("none", 0, False), ("docs", 0, True), ("one", 1, False)):
        paths[name] = staged(top / name, changed, docs)
    paths["ten"] = staged(top / "ten", 10)
    yield Case("an empty hook", top / "none", [str(empty)])
    yield Case("ruff check, 1 file", top / "one", [ruff, "check", "--no-cache", *paths["one"]])
    yield Case("ruff check, 10 files", top / "ten", [ruff, "check", "--no-cache", *paths["ten"]])
    yield Case("nothing staged", top / "none", [hook])
    yield Case("docs only", top / "docs", [hook])
    yield Case("1 file, cold", top / "one", [hook], wipe)
    yield Case("10 files, cold", top / "ten", [hook], wipe)
    yield Case("10 files, again", top / "ten", [hook])


def trained(folder: Path, repository: Path) -> Path:
    """A model that finds nothing in what is staged there, in so many words."""
    from dsengine.message import Message, Piece
    from dsengine.testing import train_tiny
    from dsreview.backends import ScriptedBackend
    from dsreview.cache import NoCache
    from dsreview.config import Config
    from dsreview.progress import SilentProgress
    from dsreview.review import Tools, review
    from dsreview.sandbox import Sandbox
    from dsreview.sources import SourceRequest, open_change

    answer = '{"findings": []}'
    backend = ScriptedBackend([answer] * NUM_FILES)
    with open_change(SourceRequest(repository, is_staged=True)) as change, Sandbox() as sandbox:
        review(change, Config(), Tools(sandbox, NoCache(), lambda: backend, SilentProgress()))
    lessons = [
        (
            tuple(
                Message(one.role.value, tuple(Piece(p.text, p.is_trusted) for p in one.pieces))
                for one in prompt.messages
            ),
            answer,
        )
        for prompts, _ in backend.batches
        for prompt in prompts
    ]
    return train_tiny(folder, "llama", lessons)


def model_cases(top: Path, environment: dict[str, str]) -> Iterator[Case]:
    """With the model loaded for each commit, then with the server on; it goes off at the end."""
    environment |= {"DSREVIEW_MODEL": str(trained(top / "model", top / "ten"))}
    environment |= {"DSREVIEW_DEVICE": "cpu"}
    program = [sys.executable, "-P", "-m", "dsreview"]
    for where, command in (
        ("model loaded for it", None),
        ("resident server", [*program, "serve", "--background", "--allow-root"]),
    ):
        if command is not None:
            subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
        for answers, cache in (("new", "false"), ("known", "true")):
            environment["DSREVIEW_CACHE"] = cache
            hook = [".git/hooks/pre-commit"]
            yield Case(f"10 files, {where}, answers {answers}", top / "ten", hook)
    subprocess.run([*program, "stop"], env=environment, check=True, stdout=subprocess.DEVNULL)


def measure(case: Case, environment: dict[str, str], runs: int, out: Path) -> Times:
    """Raises RuntimeError where the hook fails: it lets commits pass, and would look fast."""
    once = subprocess.run(case.command, cwd=case.folder, env=environment, capture_output=True)
    if once.returncode or b"not reviewed" in once.stderr or b"partly" in once.stderr:
        raise RuntimeError(f"{case.name}: {once.stderr.decode()}")
    prepare = ["--prepare", " ".join(case.prepare)] if case.prepare else []
    subprocess.run(
        [
            *("hyperfine", "-N", "--style=none", "--warmup=2", f"--runs={runs}"),
            *(*prepare, f"--export-json={out}", " ".join(case.command)),
        ],
        cwd=case.folder,
        env=environment,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    (result,) = json.loads(out.read_text())["results"]
    return Times(result["median"], result["user"] + result["system"])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--model", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        cache = top / "cache"
        environment = {key: text for key, text in os.environ.items() if "DSREVIEW" not in key}
        environment |= {
            "DSREVIEW_CACHE_DIR": str(cache),
            "DSREVIEW_CONFIG": os.devnull,
            "GIT_INDEX_FILE": ".git/index",
        }
        wanted = list(cases(top, cache))
        found: dict[str, Times] = {}
        for case in wanted:
            found[case.name] = measure(case, environment, arguments.runs, top / "out.json")
        for case in model_cases(top, environment) if arguments.model else ():
            found[case.name] = measure(case, environment, arguments.runs, top / "out.json")
    print("| hook | median ms | CPU ms |\n|---|---|---|")
    for name, times in found.items():
        print(f"| {name} | {times.median * 1000:.0f} | {times.cpu * 1000:.0f} |")
    missed = [name for name, goal_s in GOALS_S.items() if found[name].median >= goal_s]
    for name in missed:
        print(f"missed: {name}: {GOALS_S[name] * 1000:.0f} ms", file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
