"""What is reviewed is what is committed, and the hook leaves everything as it was.

Real git makes the commits. A witness around the hook writes down every file of the
worktree, of git's folders and of the index before and after, and what the hook reviewed;
after the commit, git itself says what was committed, against what HEAD was then.
"""

import importlib.util
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from dsreview.githook.installation import COMMIT_STAGES
from dsreview.githook.installing import install as install_hooks


def load(name):
    specification = importlib.util.spec_from_file_location(
        name, Path(__file__).with_name(f"{name}.py")
    )
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module  # dataclasses look themselves up there
    specification.loader.exec_module(module)
    return module


playground, situations = load("playground"), load("situations")
SITUATIONS = situations.SITUATIONS
SHORT = [row for row in SITUATIONS if row.is_short]
FIRST_OF_MERGE = {"clean_merge", "octopus_merge", "subtree_of_another_history"}
HOOKS_FILE = Path(__file__).parents[2] / ".pre-commit-hooks.yaml"
DSREVIEW = [sys.executable, "-P", "-m", "dsreview", "hook", "run"]

EMPTY_TREES = {
    40: "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
    64: "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
}
REGULAR = ("100644", "100755")
FOUND = re.compile(r"`(tok_\w+)` is used here")
ADDED = re.compile(r"^\+\s+return (tok_\w+)\(\)", re.MULTILINE)


def natively(play):
    """`dsreview hook install`, and the witness before what it wrote."""
    outcome = install_hooks(play.folder, COMMIT_STAGES)
    assert outcome.is_done, outcome.lines
    for stage in COMMIT_STAGES:
        path = git(play, "rev-parse", "--git-path", f"hooks/{stage}")
        written = play.folder / os.fsdecode(path).strip()
        moved = written.with_name(f"{stage}.written")
        written.rename(moved)
        command = shlex.join([*playground.witness(play.log, stage), str(moved)])
        written.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
        written.chmod(0o755)


def by_the_framework(play):
    """`pre-commit install` with our own row of hooks, the witness before its entry."""
    (row,) = (row for row in yaml.safe_load(HOOKS_FILE.read_text()) if row["language"] == "system")
    row["entry"] = shlex.join([*playground.witness(play.log, "framework"), *DSREVIEW])
    config = play.log.with_name("pre-commit-config.yaml")
    config.write_text(yaml.safe_dump({"repos": [{"repo": "local", "hooks": [row]}]}))
    types = [option for stage in COMMIT_STAGES for option in ("-t", stage)]
    command = [sys.executable, "-m", "pre_commit", "install", "--config", str(config), *types]
    subprocess.run(command, cwd=play.folder, env=play.environment, check=True, capture_output=True)


def git(play, *arguments):
    answer = subprocess.run(
        ["git", *arguments],
        cwd=play.folder,
        env=play.environment | {"GIT_NO_REPLACE_OBJECTS": "1"},
        check=True,
        capture_output=True,
    )
    return answer.stdout


def committed(play, before, commit):
    """Path and new content of all that a commit changed; None where there is none to read."""
    raw = git(play, "diff-tree", "-r", "--no-renames", "-z", before, commit).split(b"\0")
    found = {}
    for row, path in zip(raw[::2], raw[1::2], strict=False):
        _, mode, _, blob, _ = row.decode().split(" ")
        content = git(play, "cat-file", "blob", blob).hex() if mode in REGULAR else None
        found[path.decode()] = content
    return found


def added_names(play, before, commit):
    patch = git(play, "diff-tree", "-p", "-M", "-U0", "--text", before, commit, "--", "*.py")
    return set(ADDED.findall(patch.decode()))


def repository_of(play, commit):
    """The linked worktree, clone or submodule that a commit was made in."""
    for folder in (play.folder, *play.folder.parent.iterdir(), play.folder / "mod"):
        there = play.at(folder)
        if (folder / ".git").exists() and there.head() == commit:
            return there
    return play


def check(play, situation, num_runs, stage_of):
    commits = situation.act(play)
    records = play.records()
    assert len(records) == num_runs
    if commits is None:
        commits = [play.head()]
    for record, commit in zip(records, commits[:num_runs], strict=True):
        there = repository_of(play, commit)
        before = record["head"] or EMPTY_TREES[len(commit)]
        assert record["reviewed"] == committed(there, before, commit)
        assert set(FOUND.findall(record["output"])) == added_names(there, before, commit)
        assert record["changed"] == []
        assert record["files"] > 10
        assert record["code"] == 0, record["output"]
        assert record["stage"] == stage_of(situation)


def native_stage(situation):
    return COMMIT_STAGES[situation.name in FIRST_OF_MERGE]


@pytest.fixture
def new_play(tmp_path):
    def new(install, object_format="sha1", folder="a repö"):
        return playground.new_play(
            tmp_path / "work" / folder, tmp_path / "home", install, object_format
        )

    return new


@pytest.mark.parametrize("situation", SHORT, ids=lambda row: row.name)
def test_a_native_hook_reviews_what_is_committed(situation, new_play):
    check(new_play(natively), situation, situation.runs, native_stage)


@pytest.mark.slow
@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda row: row.name)
def test_a_native_hook_in_every_situation(situation, object_format, new_play):
    check(new_play(natively, object_format), situation, situation.runs, native_stage)


@pytest.mark.slow
@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda row: row.name)
def test_the_framework_in_every_situation(situation, new_play):
    play = new_play(by_the_framework)
    check(play, situation, situation.framework_runs, lambda _: "framework")
