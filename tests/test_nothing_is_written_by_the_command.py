"""`dsreview diff` leaves the repository as it was, in every mode: bytes, modes and times."""

import hashlib
import json
import os
from pathlib import Path

import pytest

PATCH = b"--- a/app.py\n+++ b/app.py\n@@ -1,2 +1,2 @@\n-def two():\n+def three():\n     return 2\n"
MODES = {
    "worktree": (),
    "staged": ("--staged",),
    "range": ("HEAD~1..HEAD",),
    "untracked": ("--untracked",),
    "patch": ("--patch=-",),
    "commit": ("--commit=HEAD",),
    "revision": ("HEAD~1",),
}


def state(top):
    """Content, mode and times of everything below a folder, but when it was last read."""
    found = {}
    for folder, folders, files in os.walk(top):
        for name in [".", *folders, *files]:
            path = Path(folder) / name
            status = path.lstat()
            content = b""
            if path.is_symlink():
                content = os.fsencode(path.readlink())
            elif path.is_file():
                content = hashlib.sha256(path.read_bytes()).digest()
            times = status.st_mtime_ns, status.st_ctime_ns
            found[str(path)] = (content, status.st_mode, status.st_ino, *times)
    return found


@pytest.fixture
def changed(repository):
    """Something staged, something not, something unknown, and an index that git would renew."""
    repository.commit({"app.py": "def one():\n    return 1\n", "lib/b.py": "b = 1\n"})
    repository.commit({"app.py": "def two():\n    return 2\n"})
    repository.git("tag", "v1")
    (repository.folder / "link").symlink_to("app.py")
    repository.write({"lib/b.py": "b = 2\n", "lib/c.py": "c = 3\n"})
    repository.git("add", "-A")
    repository.write({"app.py": "def two():\n    return 2 == None\n", "new.py": "n = None == 1\n"})
    os.utime(repository.folder / "lib" / "b.py")
    return repository


@pytest.mark.parametrize("mode", MODES)
def test_the_repository_is_the_same_afterwards(mode, changed, run_dsreview):
    before = state(changed.folder)
    outcome = run_dsreview("diff", *MODES[mode], "--format=json", cwd=changed.folder, stdin=PATCH)
    assert json.loads(outcome.out)["coverage"]
    assert outcome.code in (0, 1)
    assert state(changed.folder) == before


def test_a_model_and_a_report_file_write_only_where_told(changed, run_dsreview, tmp_path):
    script = tmp_path / "answers.json"
    script.write_text(json.dumps([json.dumps({"findings": []})] * 9))
    before = state(changed.folder)
    outcome = run_dsreview(
        "diff",
        "--untracked",
        "--backend=scripted",
        f"--model={script}",
        f"--output={tmp_path / 'report.txt'}",
        cwd=changed.folder / "lib",
    )
    assert outcome.out == ""
    assert (tmp_path / "report.txt").read_text()
    assert state(changed.folder) == before
    made = {path.name for path in tmp_path.iterdir()}
    assert made == {"repository", "cache", "answers.json", "report.txt"}


def test_nothing_temporary_is_left(changed, run_dsreview, tmp_path):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    for mode in ("worktree", "patch"):
        run_dsreview(
            "diff",
            *MODES[mode],
            cwd=changed.folder,
            stdin=PATCH,
            environment={"TMPDIR": str(scratch), "HOME": str(scratch)},
        )
    assert list(scratch.iterdir()) == []


def test_a_repository_that_cannot_be_written_is_reviewed(changed, run_dsreview):
    folders = [Path(folder) for folder, _, _ in os.walk(changed.folder)]
    for folder in folders:
        folder.chmod(0o555)
    try:
        outcome = run_dsreview("diff", "--staged", cwd=changed.folder)
    finally:
        for folder in folders:
            folder.chmod(0o755)
    assert (outcome.code, outcome.err) == (0, "")
