"""The patch between two trees: git's, with every option that shapes it pinned."""

from collections.abc import Sequence

from dsreview.errors import ReviewError
from dsreview.patch import Patch
from dsreview.sources.clean_room import CleanRoom
from dsreview.sources.git_output import OutputTooLarge

MAX_DIFF_BYTES = 64 << 20
_TOO_LARGE = f"the diff is larger than {MAX_DIFF_BYTES >> 20} MB; name the paths to review"
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
    try:
        return _diff(room, base, head)
    except OutputTooLarge:
        if not limits:
            raise ReviewError(_TOO_LARGE) from None
    try:
        # not at once: git finds no rename whose other name is outside the limits
        return _diff(room, base, head, "--", *limits)
    except OutputTooLarge:
        raise ReviewError(_TOO_LARGE) from None


def _diff(room: CleanRoom, *trees_and_limits: str) -> Patch:
    output = room.run("diff-tree", *_OPTIONS, *trees_and_limits, max_bytes=MAX_DIFF_BYTES)
    if not output:
        return Patch(())
    from dsreview.diff_parser import parse_git_diff  # a hook with nothing to do is in a hurry

    return parse_git_diff(output)
