"""A commit at a terminal whose hook asks: what is accepted is what is committed."""

import shutil
import sys

import pytest

FIRST = '    assert (total == 3, "three")\n'
FIRST_FIXED = '    assert total == 3, "three"\n'
AUTHOR = {
    "GIT_AUTHOR_NAME": "Ann Author",
    "GIT_AUTHOR_EMAIL": "ann@example.org",
    "GIT_COMMITTER_NAME": "Ann Author",
    "GIT_COMMITTER_EMAIL": "ann@example.org",
    "GIT_CONFIG_NOSYSTEM": "1",
}


@pytest.fixture
def commit(buggy, start):
    """Runs `git commit` at a terminal, with the hook in place."""
    hook = buggy.folder / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(
        f'#!/bin/sh\nexec "{sys.executable}" -P -m dsreview hook run pre-commit --interactive\n'
    )
    hook.chmod(0o755)

    def run(*arguments, cwd=buggy.folder):
        return start.program(shutil.which("git"), "commit", *arguments, cwd=cwd, **AUTHOR)

    return run


def committed(repository):
    return repository.git("show", "HEAD:app/run.py")


@pytest.mark.slow
def test_a_plain_commit_takes_what_was_applied(buggy, commit):
    session = commit("-m", "x")
    session.answer("a")
    session.expect("applied to the index and the file on disk")
    session.answer("s")
    assert session.wait() == 0
    on_disk = (buggy.folder / "app/run.py").read_text()
    assert committed(buggy) == on_disk
    assert FIRST_FIXED in on_disk
    assert buggy.git("status", "--short") == " M other.py\n"


def test_a_commit_of_all_takes_what_was_applied_through_its_own_index(buggy, commit):
    session = commit("-a", "-m", "x")
    session.answer("a")
    session.expect("applied to the index and the file on disk")
    session.answer("s")
    assert session.wait() == 0
    assert FIRST_FIXED in committed(buggy)
    assert buggy.git("show", "HEAD:other.py") == "x = 2  # unstaged work\n"
    assert buggy.git("status", "--short") == ""


@pytest.mark.slow
def test_in_a_commit_of_some_paths_nothing_is_applied_and_it_is_said(buggy, commit):
    session = commit("-m", "x", "--", "app/run.py")
    session.expect("nothing can be applied: this commit takes some paths only")
    session.expect("> $")
    session.type("q")
    assert session.wait() == 0
    assert FIRST in committed(buggy)
    assert buggy.git("status", "--short") == " M other.py\n"


@pytest.mark.slow
def test_ctrl_c_ends_the_commit_and_keeps_what_was_applied(buggy, commit):
    head = buggy.git("rev-parse", "HEAD")
    session = commit("-m", "x")
    session.answer("a")
    session.answer("\x03")
    assert session.wait() != 0
    assert buggy.git("rev-parse", "HEAD") == head
    assert FIRST_FIXED in buggy.git("show", ":app/run.py")
    assert not (buggy.folder / ".git/index.lock").exists()


@pytest.mark.slow
def test_a_linked_worktree_commits_what_was_applied_there(buggy, commit, tmp_path):
    main = buggy.git("show", ":app/run.py")
    linked = tmp_path / "linked"
    buggy.git("worktree", "add", "-q", "--detach", linked)
    (linked / "app/run.py").write_text(main)
    buggy.git("-C", linked, "add", "-A")
    session = commit("-m", "x", cwd=linked)
    session.answer("a")
    session.answer("s")
    assert session.wait() == 0
    assert FIRST_FIXED in buggy.git("-C", linked, "show", "HEAD:app/run.py")
    assert buggy.git("show", ":app/run.py") == main


def test_a_hook_takes_back_what_a_killed_process_left(buggy, commit, start, tmp_path):
    staged = buggy.git("show", ":app/run.py")
    assert start("fix", "--staged", cwd=buggy.folder).wait() == 0
    (record,) = (tmp_path / "state").rglob("*.applied")
    record.rename(record.with_suffix(".undoing"))
    session = commit("-m", "x")
    session.expect("note: app/run.py: .* was cut off and has been taken back")
    session.answer("q")
    assert session.wait() == 0
    assert committed(buggy) == staged
