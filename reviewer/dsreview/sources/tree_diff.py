"""The patch between two trees: git's, with every option that shapes it pinned."""

from collections.abc import Sequence

from dsreview.diff_parser import parse_git_diff
from dsreview.errors import ReviewError
from dsreview.patch import Patch
from dsreview.sources.clean_room import CleanRoom

MAX_DIFF_BYTES = 64 << 20
_OPTIONS = (
    "-r",
    "--raw",
    "-z",
    "-p",
    "--full-index",
    "--no-ext-diff",
    "--no-textconv",
    "--no-color",
    "--find-renames=50%",
    "--find-copies=50%",
    "-l1000",
    "--src-prefix=a/",
    "--dst-prefix=b/",
    "--submodule=short",
    "--ignore-submodules=none",
    "--unified=3",
    "--inter-hunk-context=0",
    "--diff-algorithm=default",
    "--indent-heuristic",
    "--no-relative",
    "--output-indicator-new=+",
    "--output-indicator-old=-",
    "--output-indicator-context= ",
)


def diff_trees(room: CleanRoom, base: str, head: str, limits: Sequence[str]) -> Patch:
    """The patch; where it is too large to hold, that of the limits alone.

    Raises:
        ReviewError: it is too large all the same.
    """
    output = room.run("diff-tree", *_OPTIONS, base, head)
    if len(output) > MAX_DIFF_BYTES and limits:
        # not at once: git finds no rename whose other name is outside the limits
        output = room.run("diff-tree", *_OPTIONS, base, head, "--", *limits)
    if len(output) > MAX_DIFF_BYTES:
        size, most = len(output) >> 20, MAX_DIFF_BYTES >> 20
        raise ReviewError(f"a diff of {size} MB, more than {most} MB; name the paths to review")
    return parse_git_diff(output)
