"""Indexes, hashes and repositories of every kind are written as git would."""

import subprocess
from dataclasses import replace

import pytest


@pytest.mark.parametrize("version", ["2", "3", "4"])
def test_other_entries_keep_their_flags_in_every_version_of_the_index(play, version):
    play.git("update-index", "--index-version", version)
    play.git("add", "-N", "new.py")
    play.git("update-index", "--assume-unchanged", "other.py")
    play.git("update-index", "--skip-worktree", "bin/tool")
    before = play.entries()
    signature = play.git_files()["index"][:8]
    play.apply()
    after = play.entries()
    changed = [
        new for old, new in zip(before.split("\0"), after.split("\0"), strict=True) if old != new
    ]
    assert [line.split("\t")[1] for line in changed] == ["app/run.py"]
    assert play.git_files()["index"][:8] == signature


def test_a_repository_of_the_other_hash(tmp_path, repository, play_in, play):
    folder = tmp_path / "sha256"
    subprocess.run(["git", "init", "-q", "--object-format=sha256", folder], check=True)
    other = play_in(replace(repository, folder=folder), play.rewrite)
    other.rewriting(play.rewrite.before)
    other.apply()
    assert other.staged_content() == other.file.read_bytes() == other.rewrite.after
    other.git("fsck", "--strict", "--no-dangling")


def test_a_linked_worktree_has_its_own_index_and_journal(play, tmp_path, repository, play_in):
    main = play.state()
    repository.git("worktree", "add", "-q", "--detach", tmp_path / "linked")
    main = play.state()
    linked = play_in(replace(repository, folder=tmp_path / "linked"), play.rewrite)
    linked.rewriting(play.rewrite.before)
    linked.apply()
    assert linked.staged_content() == linked.file.read_bytes() == linked.rewrite.after
    assert play.undo() == []
    assert play.files() == main[0]
    assert play.git_files()["index"] == main[1]["index"]
    assert [one.is_done for one in linked.undo()] == [True]


def test_a_submodule_is_a_repository_of_its_own(play, tmp_path, repository, play_in):
    inner = tmp_path / "inner"
    subprocess.run(["git", "init", "-q", inner], check=True)
    replace(repository, folder=inner).commit({"a.py": "1\n"})
    play.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", inner, "sub")
    outer = play.git_files()["index"]
    sub = play_in(replace(repository, folder=play.folder / "sub"), play.rewrite)
    sub.rewriting(play.rewrite.before)
    sub.apply()
    assert sub.staged_content() == sub.rewrite.after
    assert play.git_files()["index"] == outer


def test_an_index_behind_a_link_is_replaced_where_it_lies(play, tmp_path):
    index = play.folder / ".git/index"
    index.rename(tmp_path / "index")
    index.symlink_to(tmp_path / "index")
    play.apply()
    assert index.is_symlink()
    assert play.staged_content() == play.rewrite.after


def test_what_git_remembers_of_untracked_files_stays_right(play):
    play.git("config", "core.untrackedCache", "true")
    play.git("update-index", "--untracked-cache")
    before = play.git("status", "--short")
    play.apply()
    assert play.git("status", "--short") == before
    (play.folder / "new.py").unlink()
    (play.folder / "second.py").write_text("z = 1\n")
    assert play.git("status", "--short") == before.replace("new.py", "second.py")
