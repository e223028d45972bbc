"""`undo` restores what still is as written, and says what it leaves."""

import pytest

from dsreview.applying.journal import open_journal
from dsreview.applying.recovery import undo
from dsreview.applying.state_folder import journal_folder
from dsreview.applying.values import NotApplied, Rewrite, Target
from dsreview.sources.clean_room import CleanRoom
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


@pytest.mark.parametrize("gone", ["file", "folder", "file for folder"])
def test_what_was_deleted_since_stays_deleted_and_is_forgotten(play, gone):
    play.target = Target.WORKTREE
    play.apply()
    play.file.unlink()
    if gone != "file":
        play.file.parent.rmdir()
    if gone == "file for folder":
        play.file.parent.write_text("a file")
    assert [(one.is_done, one.message) for one in play.undo()] == [
        (False, "app/run.py: is gone; no longer to be taken back: py-assert-tuple at line 5")
    ]
    assert not play.file.exists()
    assert play.undo() == []


def test_what_cannot_be_read_as_a_file_is_not_gone(play):
    play.target = Target.WORKTREE
    play.apply()
    kept = play.file.rename(play.folder / "kept.py")
    play.file.symlink_to("../kept.py")
    assert [one.is_done for one in play.undo()] == [False]
    play.file.unlink()
    kept.rename(play.file)
    assert [one.is_done for one in play.undo()] == [True]


OTHER = "lib/other.py"


@pytest.fixture
def two(play):
    """One file written, then another, by different commands."""
    play.target = Target.WORKTREE
    first = play.rewrite
    play.rewriting(b"assert 'three'\n", path=OTHER)
    play.apply(run="earlier")
    play.rewrite = first
    play.apply(run="last")
    return play


KEPT = (False, "app/run.py: changed since, and is left as it is")
OTHER_DONE = (True, f"{OTHER}: taken back: rule at line 5")


@pytest.mark.parametrize("whole_run", [False, True])
def test_a_file_changed_since_keeps_no_other_from_being_taken_back(two, whole_run):
    two.file.write_bytes(b"mine\n")
    assert [(one.is_done, one.message) for one in two.undo(whole_run)] == [KEPT, OTHER_DONE]
    assert (two.folder / OTHER).read_bytes() == b"assert 'three'\n"
    assert two.file.read_bytes() == b"mine\n"
    assert [(one.is_done, one.message) for one in two.undo(whole_run)] == [KEPT]
    two.file.write_bytes(two.rewrite.after)
    assert [one.is_done for one in two.undo(whole_run)] == [True]
    assert two.file.read_bytes() == two.rewrite.before


@pytest.mark.parametrize("whole_run", [False, True])
def test_a_file_gone_since_keeps_no_other_from_being_taken_back(two, whole_run):
    two.file.unlink()
    results = two.undo(whole_run)
    assert [one.is_done for one in results] == [False, True]
    assert results[0].message.startswith("app/run.py: is gone")
    assert (two.folder / OTHER).read_bytes() == b"assert 'three'\n"
    assert two.undo(whole_run) == []


def test_after_a_hard_reset_what_is_older_is_taken_back(two):
    """The index and the file are as of the last commit: neither before nor after."""
    untracked = (two.folder / OTHER).read_bytes()
    two.git("rm", "-qf", "--cached", OTHER)
    two.git("reset", "-q", "--hard")
    assert (two.folder / OTHER).read_bytes() == untracked
    assert [(one.is_done, one.message) for one in two.undo()] == [KEPT, OTHER_DONE]


@pytest.mark.parametrize("whole_run", [False, True])
def test_below_what_is_left_nothing_of_the_same_file_is_taken_back(play, whole_run):
    """Edited by hand between two commands, and now as the first of them wrote it."""
    play.target = Target.WORKTREE
    play.apply(run="earlier")
    first = play.rewrite
    play.rewrite = Rewrite(first.path, b"mine\n", b"ours\n", "later")
    play.file.write_bytes(play.rewrite.before)
    play.apply(run="last")
    play.file.write_bytes(first.after)
    assert [(one.is_done, one.message) for one in play.undo(whole_run)] == [KEPT]
    assert play.file.read_bytes() == first.after
    play.file.write_bytes(b"ours\n")
    assert [one.is_done for one in play.undo(whole_run)] == [True]
    assert play.file.read_bytes() == b"mine\n"


def test_what_is_taken_back_before_a_failure_is_told(play):
    """Of a whole run, the index locked between the first and the second."""
    first = play.rewrite
    play.rewriting(b"assert 'three'\n", path=OTHER)
    play.apply()
    play.rewrite = first
    play.apply()
    repository = find_repository(play.folder)
    told = []
    with CleanRoom(repository) as room, open_journal(repository) as journal:
        results = undo(room, journal, whole_run=True)
        told.append(next(results).message)
        (play.folder / ".git/index.lock").write_bytes(b"")
        with pytest.raises(NotApplied, match="locked"):
            next(results)
    assert told == [f"app/run.py: taken back: {first.summary}"]


def test_what_somebody_restored_by_hand_is_only_forgotten(play):
    play.target = Target.WORKTREE
    play.apply()
    play.file.write_bytes(play.rewrite.before)
    assert [one.message for one in play.undo()] == ["app/run.py: is already as it was"]
    assert play.undo() == []


def test_of_what_is_as_it_was_nothing_else_is_said_where_the_index_changed(play):
    play.apply()
    play.git("reset", "-q")
    play.file.write_bytes(play.rewrite.before)
    assert [one.message for one in play.undo()] == [
        "app/run.py: is already as it was; the index changed since and is left as it is"
    ]


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
