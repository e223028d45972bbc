"""Suggestions are written only where what was reviewed lies, and stays."""

from pathlib import Path

import pytest

from dsreview.applying.targets import target_of
from dsreview.applying.values import Target
from dsreview.sources import SourceRequest


def asked(environment=None, **request):
    return target_of(SourceRequest(folder=Path(), **request), environment or {})


def test_what_lies_on_disk_is_written_there():
    assert asked() is asked(revision="HEAD~1") is Target.WORKTREE
    assert asked(is_staged=True) is Target.INDEX_AND_WORKTREE


@pytest.mark.parametrize("index", [".git/index", "/r/.git/index.lock", "/r/.git/worktrees/x/index"])
def test_the_index_of_a_whole_commit_is_written(index):
    environment = {"GIT_INDEX_FILE": index}
    assert asked(environment, is_staged=True) is Target.INDEX_AND_WORKTREE


@pytest.mark.parametrize(
    ("environment", "request_", "reason"),
    [
        ({}, {"revision": "a..b"}, "commits were reviewed"),
        ({}, {"revision": "a...b"}, "commits were reviewed"),
        ({}, {"commit": "HEAD"}, "commits were reviewed"),
        ({}, {"patch": b""}, "a patch was reviewed"),
        ({"GIT_INDEX_FILE": "/r/.git/next-index-7.lock"}, {"is_staged": True}, "some paths only"),
        ({"PRE_COMMIT": "1"}, {"is_staged": True}, "unstaged changes aside"),
    ],
)
def test_what_lies_nowhere_is_a_reason(environment, request_, reason):
    assert reason in asked(environment, **request_)
