"""`dsreview diff` in repositories that want to run a program: none of them gets to.

The traps are those of `sources/hostile.py`, several set at once; what is found is what is
found in the same repository without any.
"""

import copy
import importlib.util
import json
import os
import shutil
from pathlib import Path

import pytest


def load(name):
    place = Path(__file__).parent / "sources" / f"{name}.py"
    specification = importlib.util.spec_from_file_location(name, place)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


play = load("play")
traps = load("hostile")

HEAD = "import subprocess\n\n\ndef size(width):\n    return width\n\n\n"
FIRST = HEAD + "def area(width):\n    return width\n"
SECOND = HEAD + "def area(width, height):\n    return width * height\n"
STAGED = SECOND + '\n\ndef show(name):\n    subprocess.run(f"ls {name}", shell=True)\n'
ON_DISK = STAGED.replace("size(width)", "size(width, unit)")
PATCH = (
    "--- a/x.py\n+++ b/x.py\n@@ -8,2 +8,3 @@\n def area(width, height):\n"
    '+    subprocess.run(f"ls {width}", shell=True)\n     return width * height\n'
)
MODES = {
    "worktree": ("--untracked",),
    "staged": ("--staged",),
    "range": ("HEAD~1..HEAD",),
    "three dots": ("@{u}...HEAD",),
    "commit": ("--commit=HEAD",),
    "patch": ("--patch=-",),
}
NUM_GROUPS = 4  # the traps of a lazy fetch exclude each other: they stand side by side


def in_order(vectors):
    """The one that moves the git folder is set last."""
    return sorted(vectors, key=lambda vector: vector is traps.fsmonitor_by_git_file)


GROUPS = [in_order(traps.VECTORS[start::NUM_GROUPS]) for start in range(NUM_GROUPS)]
RUNS = [
    pytest.param(GROUPS[number], mode, id=f"group {number + 1}-{mode}")
    for number in range(NUM_GROUPS)
    for mode in ("worktree", ("staged", "range", "three dots", "patch")[number])
]
EVERY_RUN = [
    pytest.param([vector], mode, id=f"{vector.__name__}-{mode}")
    for vector in traps.VECTORS
    for mode in MODES
]


@pytest.fixture(autouse=True)
def _no_git_environment(monkeypatch):
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    repo = play.Repo(tmp_path_factory.mktemp("hostile") / "repo")
    repo.write("x.py", FIRST)
    repo.write("caller.py", "from x import area, size\n\nprint(area(3), size(3))\n")
    repo.write("other.py", "other = 1\n")
    repo.commit("first")
    repo.git("branch", "side")
    repo.git("config", "branch.main.remote", ".")
    repo.git("config", "branch.main.merge", "refs/heads/side")
    repo.write("x.py", SECOND)
    repo.commit("second")
    repo.write("x.py", STAGED)
    repo.git("add", "x.py")
    repo.write("x.py", ON_DISK)
    repo.write("untracked.py", "def add(item, items=[]):\n    items.append(item)\n")
    return repo


def copied(template, top):
    shutil.copytree(template.top, top, symlinks=True)
    repo = copy.copy(template)
    repo.top = top
    return repo


@pytest.fixture
def review(run_dsreview, tmp_path):
    """What is found in a folder, with everything about each finding."""

    def review(folder, mode, *options, environment=None):
        outcome = run_dsreview(
            "diff",
            *MODES[mode],
            "--format=json",
            *options,
            cwd=folder,
            stdin=PATCH.encode(),
            environment=environment,
        )
        assert outcome.err == ""
        report = json.loads(outcome.out)
        rows = [row for row in report["coverage"] if row["path"] in ("x.py", "untracked.py")]
        return outcome.code, report["findings"], report["refused"], rows

    return review


@pytest.fixture(scope="module")
def expected():
    """Reviews of the harmless repository, one a mode, made once."""
    return {}


def harmless(template, tmp_path, review, expected, mode):
    if mode not in expected:
        expected[mode] = review(copied(template, tmp_path / "harmless").top, mode)
    return expected[mode]


def set_traps(template, tmp_path, vectors):
    hostile = traps.Hostile(copied(template, tmp_path / "repo"), tmp_path)
    for vector in vectors:
        vector(hostile)
    if hostile.log.exists():
        hostile.log.unlink()  # setting a trap may set it off
    return hostile


RULES_OF_MODES = {
    "worktree": {"stale-caller", "py-shell-injection", "py-mutable-default"},
    "staged": {"py-shell-injection"},
    "range": {"stale-caller"},
    "patch": {"py-shell-injection"},
}


@pytest.mark.parametrize("mode", RULES_OF_MODES)
def test_the_harmless_repository_has_findings(template, tmp_path, review, expected, mode):
    code, findings, _, _ = harmless(template, tmp_path, review, expected, mode)
    assert (code, {finding["rule"] for finding in findings}) == (1, RULES_OF_MODES[mode])


def check(template, tmp_path, review, expected, vectors, mode):
    wanted = harmless(template, tmp_path, review, expected, mode)
    hostile = set_traps(template, tmp_path, vectors)
    assert review(hostile.repo.top, mode) == wanted
    assert hostile.executions == []


@pytest.mark.parametrize(("vectors", "mode"), RUNS)
def test_nothing_is_executed_and_nothing_is_hidden(
    template, tmp_path, review, expected, vectors, mode
):
    check(template, tmp_path, review, expected, vectors, mode)


@pytest.mark.slow
@pytest.mark.parametrize(("vectors", "mode"), EVERY_RUN)
def test_no_trap_is_sprung_in_any_mode(template, tmp_path, review, expected, vectors, mode):
    check(template, tmp_path, review, expected, vectors, mode)


ALL_BUT_THE_LAZY = [one for one in traps.VECTORS if one not in traps.LAZY]


def test_a_model_and_the_cache_execute_nothing_either(template, tmp_path, review):
    finding = {
        "rule": "lost-output",
        "severity": "medium",
        "line": 12,
        "quote": "def show(name):",
        "message": "The list is printed and never returned.",
        "scenario": "show('a') returns None, and its caller shows nothing.",
        "confidence": 0.8,
        "suggestion": {"start_line": 12, "end_line": 12, "replacement": ["def show(name: str):"]},
    }
    script = tmp_path / "answers.json"
    script.write_text(json.dumps([json.dumps({"findings": [finding]})] * 12))
    options = ("--backend=scripted", f"--model={script}", "--max-rounds=1")
    wanted = review(copied(template, tmp_path / "harmless").top, "worktree", *options)
    hostile = set_traps(template, tmp_path, in_order(ALL_BUT_THE_LAZY))
    first = review(hostile.repo.top, "worktree", "--cache", *options)
    script.write_text(json.dumps([json.dumps({"findings": [finding]})] * 12))
    again = review(hostile.repo.top, "worktree", "--cache", *options)
    assert "lost-output" in {finding["rule"] for finding in wanted[1]}
    assert (first, again) == (wanted, wanted)
    assert hostile.executions == []


MODULES = (
    "json", "typing", "subprocess", "typer", "rich", "git", "unidiff", "msgspec", "tree_sitter",
    "ast_grep_py", "dsreview", "dsengine", "sitecustomize", "usercustomize", "encodings", "codecs",
    "pathspec", "platformdirs", "tomllib", "resource", "signal",
)  # fmt: skip


def test_programs_and_modules_beside_the_code_are_not_taken_for_ours(
    template, tmp_path, review, expected
):
    """Modules that shadow ours, and a git in a folder that PATH names as "."."""
    wanted = {
        mode: harmless(template, tmp_path, review, expected, mode)[:2]
        for mode in ("staged", "range")
    }
    hostile = set_traps(template, tmp_path, ())
    top = hostile.repo.top
    for name in MODULES:
        (top / f"{name}.py").write_text(f"open({str(hostile.log)!r}, 'a').write({name!r})\n")
    for name in ("dsreview", "typing_extensions"):
        (top / name).mkdir()
        (top / name / "__init__.py").write_text(f"open({str(hostile.log)!r}, 'a').write('x')\n")
    for name in ("git", "ast-grep", "sg", "python", "python3", "sh", "less"):
        shutil.copy(hostile.canary, top / name)
    paths = {"PATH": os.pathsep.join([".", "", str(top), os.environ["PATH"]]), "PAGER": "less"}
    for mode in wanted:
        code, findings, _, _ = review(top, mode, environment=paths)
        assert (code, findings) == wanted[mode]
    assert hostile.executions == []
