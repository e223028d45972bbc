"""Where the suggestions of a review may be written, by what was reviewed."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from dsreview.applying.values import Target
from dsreview.sources import SourceRequest
from dsreview.sources.revisions import read_range

_PARTIAL_COMMIT = re.compile(r"next-index-\d+\.lock")


def are_changes_aside(environment: Mapping[str, str] = os.environ) -> bool:
    """The files on disk may be as staged for now: pre-commit brings unstaged work back later."""
    return environment.get("PRE_COMMIT") == "1"


def target_of(request: SourceRequest, environment: Mapping[str, str] = os.environ) -> Target | str:
    """The places that hold what was reviewed, or the reason why none may be written."""
    if request.patch is not None:
        return "a patch was reviewed, not the files on disk"
    if request.commit or read_range(request.revision) is not None:
        return "commits were reviewed, not the files on disk"
    if not request.is_staged:
        return Target.WORKTREE
    index = environment.get("GIT_INDEX_FILE", "")
    if _PARTIAL_COMMIT.fullmatch(Path(index).name):
        return "this commit takes some paths only, from an index that git throws away after it"
    if are_changes_aside(environment):
        return "pre-commit has put unstaged changes aside and could not bring them back"
    return Target.INDEX_AND_WORKTREE
