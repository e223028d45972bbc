"""A review leaves the repository as it was: every byte, and every time of change."""

import hashlib
import os
from pathlib import Path

import pytest


def state(top):
    """Content, mode and time of everything below a folder."""
    found = {}
    for folder, folders, files in os.walk(top):
        for name in [*folders, *files]:
            path = Path(folder) / name
            status = path.lstat()
            content = b""
            if path.is_symlink():
                content = os.fsencode(path.readlink())
            elif path.is_file():
                content = hashlib.sha256(path.read_bytes()).digest()
            found[str(path)] = (content, status.st_mode, status.st_mtime_ns, status.st_ctime_ns)
    return found


REQUESTS = {
    "worktree": {"with_untracked": True},
    "staged": {"is_staged": True},
    "revision": {"revision": "HEAD~1"},
    "range": {"revision": "HEAD~1...HEAD"},
    "commit": {"commit": "HEAD"},
    "patch": {"patch": b"--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-two\n+patched\n"},
}
LAYOUTS = {
    "plain": (),
    "packed": (("gc", "-q"), ("pack-refs", "--all")),
    "split index": (("update-index", "--split-index"),),
    "untracked cache": (("update-index", "--force-untracked-cache"), ("status",)),
    "sparse index": (("sparse-checkout", "set", "--sparse-index", "d"),),
}


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_repository_is_the_same_afterwards(make_repo, layout, object_format):
    repo = make_repo("repo", f"--object-format={object_format}")
    repo.write("x.py", "one\n")
    repo.write("d/y.py", "y\n")
    repo.write("sub/z.py", "z\n")
    repo.commit("first")
    repo.write("x.py", "two\n")
    repo.commit("second")
    for arguments in LAYOUTS[layout]:
        repo.git(*arguments)
    repo.write("d/staged.py", "staged\n")
    repo.git("add", "d/staged.py")
    repo.write("x.py", "two\nthree\n")
    repo.write("untracked.py", "u\n")
    os.utime(repo.top / "d" / "y.py")
    before = state(repo.top)
    for request in REQUESTS.values():
        with repo.change(**request) as change:
            assert change.patch.files
            assert change.head.read("d/y.py") == b"y\n"
    assert state(repo.top) == before


def test_a_linked_worktree_is_the_same_afterwards(repo, tmp_path):
    repo.write("x.py", "one\n")
    repo.commit("first")
    repo.git("worktree", "add", "-q", str(tmp_path / "linked"))
    (tmp_path / "linked" / "x.py").write_text("two\n")
    before = state(tmp_path)
    assert repo.rows(folder=tmp_path / "linked") == [("modified", "x.py", "x.py")]
    assert state(tmp_path) == before


def test_a_repository_that_cannot_be_written_is_reviewed(repo):
    repo.write("x.py", "one\n")
    repo.commit("first")
    repo.write("x.py", "two\n")
    folders = [Path(folder) for folder, _, _ in os.walk(repo.top)]
    for folder in folders:
        folder.chmod(0o555)
    try:
        assert repo.rows() == [("modified", "x.py", "x.py")]
    finally:
        for folder in folders:
            folder.chmod(0o755)
