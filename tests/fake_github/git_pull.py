"""A pull request as GitHub would make it of two commits of a real repository."""

import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from dsreview.fake_github.moves import with_counts
from dsreview.fake_github.world import FileChange, Version

# GitHub's documented limits of the diffs that its API gives
MOST_PATCH_BYTES = 500 << 10
MOST_PATCH_LINES = 20000
MOST_BYTES_OF_ALL = 1 << 20
MOST_LINES_OF_ALL = 20000

STATUSES = {"A": "added", "D": "removed", "M": "modified", "R": "renamed", "T": "changed"}
RENAME_SIMILARITY = "-M50%"
NO_BLOB = "0" * 40


@dataclass(frozen=True, slots=True)
class GitFolder:
    folder: Path

    def run(self, *arguments: str) -> bytes:
        """What git writes. Of the user's settings it reads none.

        Raises:
            subprocess.CalledProcessError: git failed.
        """
        own = {key: text for key, text in os.environ.items() if not key.startswith("GIT_")}
        command = ["git", "-C", str(self.folder), "-c", "core.quotePath=false", *arguments]
        settings = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        return subprocess.run(command, env=own | settings, check=True, capture_output=True).stdout

    def sha(self, revision: str) -> str:
        return self.run("rev-parse", "--verify", f"{revision}^{{commit}}").decode().strip()


def version(folder: Path, base: str, head: str) -> Version:
    """The pull request that would bring `head` into `base`: from where they parted."""
    git = GitFolder(folder)
    base_sha, head_sha = git.sha(base), git.sha(head)
    parted = git.run("merge-base", base_sha, head_sha).decode().strip()
    commits = git.run("rev-list", "--reverse", f"{parted}..{head_sha}").decode().split()
    files = tuple(_limited(_files(git, parted, head_sha)))
    return Version(base_sha, head_sha, files, tuple(commits) or (head_sha,))


def _files(git: GitFolder, old: str, new: str) -> Iterator[FileChange]:
    fields = git.run("diff-tree", "-r", "-z", RENAME_SIMILARITY, old, new).decode().split("\0")
    patches = _patches(git, old, new)
    at = 0
    while at < len(fields) - 1:
        *_, blob, letter = fields[at].split(" ")
        renamed = letter.startswith("R")
        before, path = fields[at + 1], fields[at + 1 + renamed]
        at += 2 + renamed
        yield with_counts(
            FileChange(
                path=path,
                patch=_patch(patches, letter),
                status=STATUSES[letter[0]],
                previous_path=before if renamed else None,
                sha=blob if blob != NO_BLOB else fields[at - 2 - renamed].split(" ")[2],
            )
        )


def _patch(patches: Iterator[str | None], letter: str) -> str | None:
    patch = next(patches)
    if letter == "T":  # git writes it as a removal and an addition
        next(patches)
        return None
    return patch


def _patches(git: GitFolder, old: str, new: str) -> Iterator[str | None]:
    """Of each file, in git's order: from its first hunk on; None without one."""
    diff = git.run("diff-tree", "-r", "-p", "--no-ext-diff", "--no-textconv", "--no-color", "--src-prefix=a/",
                   "--dst-prefix=b/", RENAME_SIMILARITY, old, new)  # fmt: skip
    text = diff.decode("utf-8", errors="replace")
    for section in re.split(r"(?m)^diff --git ", text)[1:]:
        hunk = re.search(r"(?m)^@@ ", section)
        yield section[hunk.start() :].removesuffix("\n") if hunk else None


def _limited(files: Iterator[FileChange]) -> Iterator[FileChange]:
    """Without the patches that are too large for the API, one by one or together."""
    bytes_left, lines_left = MOST_BYTES_OF_ALL, MOST_LINES_OF_ALL
    for file in files:
        patch = file.patch or ""
        size, lines = len(patch.encode()), patch.count("\n") + 1
        alone = size > MOST_PATCH_BYTES or lines > MOST_PATCH_LINES
        if alone or size > bytes_left or lines > lines_left:
            yield replace(file, patch=None)
            continue
        bytes_left, lines_left = bytes_left - size, lines_left - lines
        yield file
