"""What is reviewed is what is committed, and the hook leaves everything as it was.

Real git makes the commits. A witness around the hook writes down every file of the
worktree, of git's folders and of the index before and after, and what the hook reviewed;
after the commit, git itself says what was committed, against what HEAD was then.
"""

import importlib.util
import re
from pathlib import Path

import pytest

from dsreview.githook.installation import COMMIT_STAGES

specification = importlib.util.spec_from_file_location(
    "situations", Path(__file__).with_name("situations.py")
)
situations = importlib.util.module_from_spec(specification)
specification.loader.exec_module(situations)
SITUATIONS = situations.SITUATIONS
SHORT = [row for row in SITUATIONS if row.is_short]
FIRST_OF_MERGE = {"clean_merge", "octopus_merge", "subtree_of_another_history"}

FOUND = re.compile(r"`(tok_\w+)` is used here")
ADDED = re.compile(r"^\+\s+return (tok_\w+)\(\)", re.MULTILINE)


def added_names(playground, play, before, commit):
    patch = playground.git(
        play, "diff-tree", "-p", "-M", "-U0", "--text", before, commit, "--", "*.py"
    )
    return set(ADDED.findall(patch.decode()))


def repository_of(play, commit):
    """The linked worktree, clone or submodule that a commit was made in."""
    for folder in (play.folder, *play.folder.parent.iterdir(), play.folder / "mod"):
        there = play.at(folder)
        if (folder / ".git").exists() and there.head() == commit:
            return there
    return play


def check(playground, play, situation, num_runs, stage_of):
    commits = situation.act(play)
    records = play.records()
    assert len(records) == num_runs
    if commits is None:
        commits = [play.head()]
    for record, commit in zip(records, commits[:num_runs], strict=True):
        there = repository_of(play, commit)
        before = record["head"] or playground.EMPTY_TREES[len(commit)]
        assert record["reviewed"] == playground.committed(there, before, commit)
        assert set(FOUND.findall(record["output"])) == added_names(
            playground, there, before, commit
        )
        assert record["changed"] == []
        assert record["files"] > 10
        assert record["code"] == 0, record["output"]
        assert record["stage"] == stage_of(situation)


def native_stage(situation):
    return COMMIT_STAGES[situation.name in FIRST_OF_MERGE]


@pytest.mark.parametrize("situation", SHORT, ids=lambda row: row.name)
def test_a_native_hook_reviews_what_is_committed(situation, playground, new_play):
    check(playground, new_play(playground.natively), situation, situation.runs, native_stage)


@pytest.mark.slow
@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda row: row.name)
def test_a_native_hook_in_every_situation(situation, object_format, playground, new_play):
    play = new_play(playground.natively, object_format)
    check(playground, play, situation, situation.runs, native_stage)


@pytest.mark.slow
@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda row: row.name)
def test_the_framework_in_every_situation(situation, playground, new_play):
    play = new_play(playground.by_the_framework)
    check(playground, play, situation, situation.framework_runs, lambda _: "framework")
