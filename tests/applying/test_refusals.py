"""What is not as it was reviewed is left alone, with a reason."""

import os
from dataclasses import replace

import pytest

from dsreview.applying.values import NotApplied, Target


# what is done to the repository after the review: why nothing is applied
def edited(play):
    play.file.write_bytes(play.rewrite.before + b"# unstaged work\n")


def line_ends(play):
    play.file.write_bytes(play.rewrite.before.replace(b"\n", b"\r\n"))


def restaged(play):
    play.file.write_bytes(b"other\n")
    play.git("add", "-A")
    play.file.write_bytes(play.rewrite.before)


def unstaged(play):
    play.git("reset", "-q", "--", "app/run.py")


def deleted(play):
    play.file.unlink()


def link(play):
    play.file.rename(play.folder / "target.py")
    play.file.symlink_to("../target.py")


def linked_folder(play):
    (play.folder / "app").rename(play.folder / "real")
    (play.folder / "app").symlink_to("real")


def hard_link(play):
    os.link(play.file, play.folder / "second.py")


def read_only(play):
    play.file.chmod(0o444)


def assumed_unchanged(play):
    play.git("update-index", "--assume-unchanged", "app/run.py")


def skipped(play):
    play.git("update-index", "--skip-worktree", "app/run.py")


def locked(play):
    (play.folder / ".git/index.lock").write_bytes(b"")


def split(play):
    play.git("update-index", "--split-index")


def sparse(play):
    play.git("commit", "-q", "-m", "all", "--", "app")
    play.git("checkout", "-q", "--", "other.py")
    play.git("sparse-checkout", "set", "--cone", "--sparse-index", "app")


def added_by_name_only(play):
    play.git("rm", "-q", "--cached", "app/run.py")
    play.git("add", "-N", "app/run.py")


def gone_from_the_index(play):
    play.git("rm", "-q", "--cached", "app/run.py")


def no_index(play):
    (play.folder / ".git/index").unlink()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (edited, "the file on disk is not what was reviewed"),
        (line_ends, "its line ends on disk are not those that were reviewed"),
        (restaged, "the index holds something else"),
        (unstaged, "the index holds something else"),
        (deleted, "no regular file on disk any more"),
        (link, "no regular file on disk any more"),
        (linked_folder, "is a link"),
        (hard_link, "2 hard links"),
        (read_only, "is read-only"),
        (assumed_unchanged, "not to look at it"),
        (skipped, "not to look at it"),
        (locked, "locked by another git command"),
        (split, "a split index is not written"),
        (sparse, "a sparse index is not written"),
        (added_by_name_only, "the index holds something else"),
        (gone_from_the_index, "the index holds something else"),
        (no_index, "No such file"),
    ],
)
def test_what_is_not_as_reviewed_is_left_alone_with_a_reason(play, change, reason):
    change(play)
    before = play.state()
    with pytest.raises(NotApplied, match=reason):
        play.apply()
    assert play.state() == before
    assert play.undo() == []


CRAFTED = (".git/config", ".GIT/config", ".g\u200cit/config", "git~1/config", "../x", "a//b")


def test_a_path_of_a_crafted_index_leads_nowhere(play):
    play.target = Target.WORKTREE
    before = play.state()
    for path in CRAFTED:
        play.rewrite = replace(play.rewrite, path=path)
        with pytest.raises(NotApplied, match="git's own folder"):
            play.apply()
        assert play.state() == before, path


def test_a_broken_index_is_a_reason_and_no_crash(play):
    index = play.folder / ".git/index"
    index.write_bytes(b"DIRC" + index.read_bytes()[4:60])
    before = play.state()
    with pytest.raises(NotApplied):
        play.apply()
    assert play.state() == before
