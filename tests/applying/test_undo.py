"""`undo` restores what still is as written, and says what it leaves."""

import pytest

from dsreview.applying.journal import open_journal
from dsreview.applying.state_folder import journal_folder
from dsreview.applying.values import NotApplied, Rewrite, Target
from dsreview.sources.repository import find_repository


def test_the_last_application_is_taken_back_in_both_places(play):
    before, entries = play.files(), play.entries()
    play.apply()
    assert [(one.is_done, one.message) for one in play.undo()] == [
        (True, "app/run.py: taken back: py-assert-tuple at line 5")
    ]
    assert (play.files(), play.entries()) == (before, entries)
    assert play.undo() == []


def second(play):
    """What is applied next to the same file."""
    after = play.rewrite.after + b"# more\n"
    return Rewrite(play.rewrite.path, play.rewrite.after, after, "more")


def test_a_whole_run_is_taken_back_from_its_end(play):
    before, entries = play.files(), play.entries()
    first = play.rewrite
    play.apply(run="earlier")
    play.undo()
    play.apply(run="last")
    play.rewrite = second(play)
    play.apply(run="last")
    assert [one.message for one in play.undo(whole_run=True)] == [
        "app/run.py: taken back: more",
        f"app/run.py: taken back: {first.summary}",
    ]
    assert (play.files(), play.entries()) == (before, entries)


def test_an_earlier_run_is_not_taken_back_with_the_last(play):
    play.apply(run="earlier")
    written = play.rewrite.after
    play.rewrite = second(play)
    play.apply(run="last")
    assert len(play.undo(whole_run=True)) == 1
    assert play.file.read_bytes() == play.staged_content() == written


def test_later_edits_are_never_lost(play):
    play.apply()
    entries = play.entries()
    play.file.write_bytes(play.rewrite.after + b"# mine\n")
    assert [(one.is_done, one.message) for one in play.undo()] == [
        (False, "app/run.py: changed since, and is left as it is")
    ]
    assert play.file.read_bytes() == play.rewrite.after + b"# mine\n"
    assert play.entries() == entries


def test_of_an_index_that_changed_since_only_the_file_is_restored(play):
    play.apply()
    play.git("reset", "-q")
    entries = play.entries()
    (result,) = play.undo()
    assert result.is_done
    assert "the index changed since and is left as it is" in result.message
    assert (play.file.read_bytes(), play.entries()) == (play.rewrite.before, entries)


def test_an_index_locked_by_git_leaves_all_for_another_time(play):
    play.apply()
    lock = play.folder / ".git/index.lock"
    lock.write_bytes(b"")
    before = play.state()
    with pytest.raises(NotApplied, match="locked"):
        play.undo()
    assert play.state() == before
    lock.unlink()
    assert [one.is_done for one in play.undo()] == [True]


@pytest.mark.parametrize("gone", ["file", "folder"])
def test_what_was_deleted_since_stays_deleted(play, gone):
    play.target = Target.WORKTREE
    play.apply()
    play.file.unlink()
    if gone == "folder":
        play.file.parent.rmdir()
    assert [one.is_done for one in play.undo()] == [False]
    assert not play.file.exists()


def test_what_somebody_restored_by_hand_is_only_forgotten(play):
    play.target = Target.WORKTREE
    play.apply()
    play.file.write_bytes(play.rewrite.before)
    assert [one.message for one in play.undo()] == ["app/run.py: is already as it was"]
    assert play.undo() == []


def test_the_journal_is_the_users_own_and_private(play, state_folder):
    play.apply()
    folder = journal_folder(find_repository(play.folder).git_dir)
    assert folder.is_relative_to(state_folder)
    for path in (state_folder, *state_folder.rglob("*")):
        assert path.stat().st_mode & 0o077 == 0, path


def test_two_at_once_wait_for_nobody_and_break_nothing(play):
    with open_journal(find_repository(play.folder)):
        before = play.state()
        with pytest.raises(NotApplied, match="another dsreview is writing"):
            play.apply()
        assert play.state() == before


def test_the_journal_drops_its_oldest_records(play):
    for _ in range(4):
        play.apply()
        play.rewrite = Rewrite(
            play.rewrite.path, play.rewrite.after, play.rewrite.before, "back and forth"
        )
    with open_journal(find_repository(play.folder)) as journal:
        journal.trim(max_records=2)
        assert [noted.number for noted in journal.records()] == [4, 3]
        journal.trim(max_bytes=1)
        assert journal.records() == []


def test_a_record_that_cannot_be_read_is_named(play):
    play.apply()
    (path,) = journal_folder(find_repository(play.folder).git_dir).glob("*.applied")
    path.write_bytes(b"\x00torn")
    with pytest.raises(NotApplied, match=f"{path.name}: a record that cannot be read"):
        play.undo()
