"""Repositories that want to run a program when looked at: none of them gets to.

Each vector plants a canary that appends to a log when it is run. The first test
makes sure that the vectors are live: git itself, asked plainly, does run most.
"""

import copy
import importlib.util
import itertools
import os
import shutil
from pathlib import Path

import pytest

specification = importlib.util.spec_from_file_location(
    "hostile", Path(__file__).with_name("hostile.py")
)
traps = importlib.util.module_from_spec(specification)
specification.loader.exec_module(traps)

BASE = "".join(f"line {number}\n" for number in range(20))
PATCH = b"--- a/x.py\n+++ b/x.py\n@@ -1,3 +1,3 @@\n line 0\n-line 1\n+patched\n line 2\n"
REQUESTS = {
    "worktree": {"with_untracked": True},
    "staged": {"is_staged": True},
    "revision": {"revision": "HEAD~1"},
    "three dots": {"revision": "@{u}...HEAD"},
    "commit": {"commit": "HEAD"},
    "patch": {"patch": PATCH},
}


@pytest.fixture(scope="module")
def template(new_repo, tmp_path_factory):
    repo = new_repo(tmp_path_factory.mktemp("hostile") / "repo")
    repo.write("x.py", BASE)
    repo.write("other.py", "other\n")
    repo.commit("first")
    repo.git("branch", "side")
    repo.git("config", "branch.main.remote", ".")
    repo.git("config", "branch.main.merge", "refs/heads/side")
    repo.write("x.py", BASE.replace("line 9\n", "nine\n"))
    repo.commit("second")
    return repo


@pytest.fixture
def hostile(template, tmp_path):
    shutil.copytree(template.top, tmp_path / "repo", symlinks=True)
    repo = copy.copy(template)
    repo.top = tmp_path / "repo"
    dirty(repo)
    return traps.Hostile(repo, tmp_path)


def dirty(repo):
    """Something to see, staged and in the worktree, written without any git hook or filter."""
    repo.write("x.py", BASE.replace("line 9\n", "nine\n").replace("line 15\n", "fifteen\n"))
    repo.write("untracked.py", "u\n")


def review(repo):
    seen = {}
    for name, request in REQUESTS.items():
        with repo.change(**request) as change:
            files = {file.path: file for file in change.patch.files}
            content = {path: change.head.read(path) for path in files}
            seen[name] = (files.get("x.py"), content.get("x.py"))
    return seen


@pytest.fixture(scope="module")
def expected(template, tmp_path_factory):
    """What a review sees where nothing is hostile."""
    repo = copy.copy(template)
    repo.top = tmp_path_factory.mktemp("honest") / "repo"
    shutil.copytree(template.top, repo.top, symlinks=True)
    dirty(repo)
    return review(repo)


def test_the_review_of_the_honest_repository_is_not_empty(expected):
    assert {name for name, (file, _) in expected.items() if file is None} == {"staged"}


@pytest.mark.parametrize("vector", traps.LIVE, ids=lambda vector: vector.__name__)
def test_the_vector_is_live(hostile, vector):
    vector(hostile)
    os.utime(hostile.repo.top / "x.py")
    for arguments in (
        ("status",),
        ("diff", "HEAD~1"),
        ("log", "-p", "-1"),
        ("diff", "--no-ext-diff", "HEAD~1"),
        ("cat-file", "blob", "HEAD:other.py"),
    ):
        hostile.repo.git(*arguments, check=False)
    assert hostile.executions


@pytest.mark.parametrize("vector", traps.VECTORS, ids=lambda vector: vector.__name__)
def test_nothing_is_executed_and_nothing_is_hidden(hostile, expected, vector):
    vector(hostile)
    if hostile.log.exists():
        hostile.log.unlink()  # setting a trap may set it off
    assert review(hostile.repo) == expected
    assert hostile.executions == []


def pairs():
    """Each two vectors once; the one that moves the git folder goes last."""
    for pair in itertools.combinations(traps.VECTORS, 2):
        if not set(pair) <= traps.LAZY:
            yield tuple(sorted(pair, key=lambda vector: vector is traps.fsmonitor_by_git_file))


@pytest.mark.slow
@pytest.mark.parametrize(("first", "second"), list(pairs()), ids=lambda vector: vector.__name__)
def test_no_pair_of_vectors_executes_anything(hostile, expected, first, second):
    for vector in (first, second):
        vector(hostile)
    if hostile.log.exists():
        hostile.log.unlink()  # setting a trap may set it off
    assert review(hostile.repo) == expected
    assert hostile.executions == []
