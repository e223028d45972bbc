"""One file rewritten: in all its places and nothing else, or not at all."""

import os
import stat
import subprocess
from dataclasses import replace

import pytest

from dsreview.applying.values import NotApplied, Step, Target


def others(files, path):
    return {name: found for name, found in files.items() if name != path}


def test_the_index_and_the_file_get_the_new_content_and_nothing_else_changes(play):
    before = play.files()
    play.apply()
    assert play.file.read_bytes() == play.staged_content() == play.rewrite.after
    assert others(play.files(), play.rewrite.path) == others(before, play.rewrite.path)
    assert play.git("status", "--short").split("\n") == [
        "M  app/run.py",
        " M other.py",
        "?? new.py",
        "",
    ]
    play.git("fsck", "--strict", "--no-dangling")
    assert not [name for name in play.git_files() if "dsreview" in name or "lock" in name]


def test_of_a_worktree_review_the_index_stays_as_it_is(play):
    play.target = Target.WORKTREE
    entries = play.git_files()["index"]
    play.apply()
    assert play.file.read_bytes() == play.rewrite.after
    assert play.git_files()["index"] == entries


def test_what_was_applied_is_committed_by_a_plain_commit(play):
    play.apply()
    play.git("commit", "-q", "-m", "with the suggestion")
    assert play.git("show", "HEAD:app/run.py").encode() == play.rewrite.after
    assert play.git("status", "--short") == " M other.py\n?? new.py\n"


@pytest.mark.parametrize(
    "before",
    [
        b"a\r\n'three'\r\nb\r\n",
        b"\xef\xbb\xbfa\n'three'\n",
        b"a\n'three'",
        b"a\r\n'three'",
        b"caf\xe9\n'three'\n",
    ],
    ids=["crlf", "bom", "no newline at the end", "crlf without the last", "latin 1"],
)
def test_every_byte_but_the_edited_ones_stays(play, before):
    play.git("config", "core.autocrlf", "false")
    play.rewriting(before)
    play.apply()
    assert play.file.read_bytes() == play.rewrite.after
    assert play.git("rev-parse", ":app/run.py") == play.git("hash-object", "app/run.py")


@pytest.mark.parametrize("mode", [0o755, 0o640, 0o600])
def test_the_mode_stays(play, mode):
    play.file.chmod(mode)
    play.git("add", "-A", "--", "app")
    entry = play.git("ls-files", "--stage", "app/run.py").split()[0]
    play.apply()
    assert stat.S_IMODE(play.file.stat().st_mode) == mode
    assert play.git("ls-files", "--stage", "app/run.py").split()[0] == entry


@pytest.mark.parametrize(
    "name", ["with space", 'quo"te', "größe", "-x", "a\tb", "a,b", "caf\udce9"]
)
def test_any_name_will_do(play, name):
    play.rewriting(play.rewrite.before, path=f"{name}/{name}.py")
    play.apply()
    assert play.file.read_bytes() == play.rewrite.after
    assert play.git("diff", "--name-only", "--", f"{name}/{name}.py") == ""


def test_extended_attributes_stay(play):
    try:
        os.setxattr(play.file, "user.kept", b"1")
    except (AttributeError, OSError):
        pytest.skip("no extended attributes here")
    play.apply()
    assert os.getxattr(play.file, "user.kept") == b"1"


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


@pytest.mark.parametrize(
    "path", [".git/config", ".GIT/config", ".g\u200cit/config", "git~1/config", "../x", "a//b"]
)
def test_a_path_of_a_crafted_index_leads_nowhere(play, path):
    play.rewrite = replace(play.rewrite, path=path)
    play.target = Target.WORKTREE
    before = play.state()
    with pytest.raises(NotApplied, match="git's own folder"):
        play.apply()
    assert play.state() == before


def when(step, action):
    """Calls `action` once, right after `step`."""

    def on_step(reached):
        if reached is step:
            action()

    return on_step


def test_an_edit_made_right_before_the_swap_is_kept(play):
    entries = play.entries()
    edited = play.rewrite.before + b"# typed a moment ago\n"
    with pytest.raises(NotApplied, match="changed on disk a moment ago"):
        play.apply(when(Step.FILE_READY, lambda: play.file.write_bytes(edited)))
    assert (play.file.read_bytes(), play.entries()) == (edited, entries)
    assert not [name for name in play.git_files() if "dsreview" in name or "lock" in name]


def test_a_file_replaced_by_a_folder_right_before_the_swap_is_kept(play):
    def replace_it():
        play.file.unlink()
        play.file.mkdir()
        (play.file / "inside").write_text("kept")

    with pytest.raises(NotApplied):
        play.apply(when(Step.FILE_READY, replace_it))
    assert (play.file / "inside").read_text() == "kept"


def test_an_index_that_cannot_be_renamed_takes_the_file_back(play):
    before = play.state()

    def block():
        (play.folder / ".git/index.lock").unlink()

    with pytest.raises(NotApplied):
        play.apply(when(Step.SWAPPED, block))
    assert play.state() == before


def test_a_journal_that_cannot_be_written_means_that_nothing_is(play, state_folder):
    state_folder.write_text("a file")
    before = play.state()
    with pytest.raises(NotApplied):
        play.apply()
    assert play.state() == before


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


def test_a_disk_that_cannot_swap_is_written_by_renaming(play, monkeypatch):
    monkeypatch.setattr("dsreview.applying.file_place.exchange", lambda *_names: False)
    before, entries = play.files(), play.entries()
    play.apply()
    assert play.file.read_bytes() == play.staged_content() == play.rewrite.after
    play.undo()
    assert (play.files(), play.entries()) == (before, entries)
    edited = play.rewrite.before + b"# typed a moment ago\n"
    with pytest.raises(NotApplied, match="changed on disk a moment ago"):
        play.apply(when(Step.FILE_READY, lambda: play.file.write_bytes(edited)))
    assert (play.file.read_bytes(), play.entries()) == (edited, entries)


def test_what_git_remembers_of_untracked_files_stays_right(play):
    play.git("config", "core.untrackedCache", "true")
    play.git("update-index", "--untracked-cache")
    before = play.git("status", "--short")
    play.apply()
    assert play.git("status", "--short") == before
    (play.folder / "new.py").unlink()
    (play.folder / "second.py").write_text("z = 1\n")
    assert play.git("status", "--short") == before.replace("new.py", "second.py")


def test_the_owner_stays(play):
    """Only root can give files away; others are refused before anything is written."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    os.chown(play.file, 12345, 23456)
    play.apply()
    status = play.file.stat()
    assert (status.st_uid, status.st_gid) == (12345, 23456)


def test_a_broken_index_is_a_reason_and_no_crash(play):
    index = play.folder / ".git/index"
    index.write_bytes(b"DIRC" + index.read_bytes()[4:60])
    before = play.state()
    with pytest.raises(NotApplied):
        play.apply()
    assert play.state() == before
