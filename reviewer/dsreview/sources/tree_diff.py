"""The patch between two trees: git's, with every option that shapes it pinned."""

from dsreview.diff_parser import parse_git_diff
from dsreview.patch import Patch
from dsreview.sources.clean_room import CleanRoom

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


def diff_trees(room: CleanRoom, base: str, head: str) -> Patch:
    return parse_git_diff(room.run("diff-tree", *_OPTIONS, base, head))
