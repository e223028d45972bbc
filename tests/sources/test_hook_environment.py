"""What git exports to hooks is used where it is meant and leaks nowhere."""

import os
import sys

import pytest

from dsreview.sources.clean_room import CleanRoom, find_git
from dsreview.sources.repository import find_repository

SCRIPT = """
import sys
sys.path[:0] = {path!r}
from pathlib import Path
from dsreview.sources import SourceRequest, open_change
with open_change(SourceRequest(Path.cwd(), is_staged=True)) as change:
    Path({log!r}).write_text(" ".join(file.path for file in change.patch.files))
"""


@pytest.fixture
def base(repo):
    repo.write("a.py", "1\n")
    repo.write("b.py", "1\n")
    repo.commit("first")
    repo.write("a.py", "2\n")
    repo.write("b.py", "2\n")
    return repo


@pytest.fixture
def hook(base, tmp_path):
    log = tmp_path / "log"
    script = tmp_path / "hook.py"
    script.write_text(SCRIPT.format(path=sys.path, log=str(log)))
    base.write(".git/hooks/pre-commit", f"#!/bin/sh\nexec {sys.executable} -I {script}\n")
    (base.top / ".git" / "hooks" / "pre-commit").chmod(0o755)
    return lambda: log.read_text()


@pytest.mark.parametrize(
    ("commit", "expected"),
    [
        (("commit", "-qam", "all"), "a.py b.py"),
        (("commit", "-qm", "one", "b.py"), "b.py"),
        (("commit", "-qm", "staged", "--allow-empty"), ""),
    ],
)
def test_a_hook_sees_the_index_of_its_commit(base, hook, commit, expected):
    base.git(*commit)
    assert hook() == expected


def test_a_hook_of_a_linked_worktree(base, hook, tmp_path):
    base.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "linked"))
    (tmp_path / "linked" / "b.py").write_text("3\n")
    base.git("-C", str(tmp_path / "linked"), "commit", "-qam", "linked")
    assert hook() == "b.py"


def other_index(base, monkeypatch, path):
    base.git("add", "b.py")
    index = base.top / ".git" / "index"
    (base.top / ".git" / "other").write_bytes(index.read_bytes())
    base.git("reset", "-q")
    monkeypatch.setenv("GIT_INDEX_FILE", path)


def test_a_relative_index_file_counts_from_the_top(base, monkeypatch):
    other_index(base, monkeypatch, ".git/other")
    (base.top / "sub").mkdir()
    monkeypatch.chdir(base.top / "sub")
    assert base.rows(is_staged=True) == [("modified", "b.py", "b.py")]


def test_the_index_of_one_repository_is_not_taken_for_another(base, make_repo, monkeypatch):
    other = make_repo("other")
    other.write("o.py", "1\n")
    other.commit()
    other_index(base, monkeypatch, str(base.top / ".git" / "other"))
    monkeypatch.chdir(base.top)
    assert other.rows(is_staged=True) == []
    assert base.rows(is_staged=True) == [("modified", "b.py", "b.py")]
    monkeypatch.setenv("GIT_DIR", str(base.top / ".git"))
    monkeypatch.chdir(other.top)
    assert other.rows(is_staged=True) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GIT_DIR", "/nowhere"),
        ("GIT_WORK_TREE", "/nowhere"),
        ("GIT_OBJECT_DIRECTORY", "/nowhere"),
        ("GIT_EXTERNAL_DIFF", "/bin/false"),
        ("GIT_DIFF_OPTS", "-u0"),
        ("GIT_CONFIG_PARAMETERS", "'color.ui=always' 'diff.noprefix=true'"),
        ("GIT_CONFIG_COUNT", "nonsense"),
        ("GIT_NAMESPACE", "elsewhere"),
        ("GIT_LITERAL_PATHSPECS", "0"),
        ("GIT_PAGER", "/bin/false"),
        ("GIT_TRACE", "1"),
        ("LC_ALL", "de_DE.UTF-8"),
    ],
)
def test_no_variable_changes_the_review(base, monkeypatch, name, value):
    expected = base.rows()
    monkeypatch.setenv(name, value)
    assert base.rows() == expected == [("modified", "a.py", "a.py"), ("modified", "b.py", "b.py")]


def test_git_sees_the_rooms_environment_and_nothing_else(base, monkeypatch):
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("A_SECRET", "token")
    with CleanRoom(find_repository(base.top)) as room:
        seen = room.run("-c", "alias.environment=!env -0", "environment")
        names = {line.split(b"=", 1)[0].decode() for line in seen.split(b"\0") if line}
        variables = dict(line.split(b"=", 1) for line in seen.split(b"\0") if line)
    assert "A_SECRET" not in names
    assert b"room.git" in variables[b"GIT_DIR"]
    from_git = {
        "GIT_LITERAL_PATHSPECS",
        "GIT_PREFIX",
        "GIT_CONFIG_PARAMETERS",
        "GIT_EXEC_PATH",
        "PWD",
        "OLDPWD",
        "SHLVL",
        "_",
    }
    assert names - from_git == set(room._environment())


def test_the_room_is_gone_afterwards(base, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = set(os.listdir(tmp_path))
    with base.change():
        assert set(os.listdir(tmp_path)) != before
    assert set(os.listdir(tmp_path)) == before


def test_a_git_that_the_repository_brings_along_is_never_found(base, monkeypatch):
    canary = base.top / "executed"
    base.write("git", f'#!/bin/sh\ntouch {canary}\nexec /usr/bin/git "$@"\n')
    (base.top / "git").chmod(0o755)
    monkeypatch.chdir(base.top)
    for entry in (".", "", str(base.top)):
        monkeypatch.setenv("PATH", f"{entry}{os.pathsep}{os.defpath}")
        assert find_git(find_repository(base.top)) != str(base.top / "git")
        assert len(base.rows()) == 2
    assert not canary.exists()
