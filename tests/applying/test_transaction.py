"""One file rewritten: in all its places and nothing else, or not at all."""

import os
import stat

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


NAMES = ("with space", 'quo"te', "größe", "-x", "a\tb", "a,b", "caf\udce9")


def test_any_name_will_do(play):
    for name in NAMES:
        play.rewriting(play.rewrite.before, path=f"{name}/{name}.py")
        play.apply()
        assert play.file.read_bytes() == play.rewrite.after, name
        assert play.git("diff", "--name-only", "--", f"{name}/{name}.py") == "", name


def test_extended_attributes_stay(play):
    try:
        os.setxattr(play.file, "user.kept", b"1")
    except (AttributeError, OSError):
        pytest.skip("no extended attributes here")
    play.apply()
    assert os.getxattr(play.file, "user.kept") == b"1"


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


def test_the_owner_stays(play):
    """Only root can give files away; others are refused before anything is written."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    os.chown(play.file, 12345, 23456)
    play.apply()
    status = play.file.stat()
    assert (status.st_uid, status.st_gid) == (12345, 23456)
