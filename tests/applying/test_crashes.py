"""Killed with -9 at any step and at any line: each place is as before or as after, and the
next command finishes what was begun. What was not asked for is never touched.
"""

import os
import random
import signal
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

import dsreview.applying
from dsreview.applying.recovery import settle
from dsreview.applying.values import Step, Target
from dsreview.sources.repository import find_repository

CODE = str(Path(dsreview.applying.__file__).parent)
RESTORING = (Step.INDEX_READY, Step.FILE_READY, Step.SWAPPED, Step.FILE_DONE, Step.INDEX_DONE)


@pytest.fixture(autouse=True)
def _own_temporary_folder(tmp_path, monkeypatch):
    """Killed processes leave theirs behind."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def in_a_child(action):
    """Runs it in a process of its own; whether that lived to its end."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            action()
            status = 0
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    assert status == 0 or os.WIFSIGNALED(status), "the child failed by itself"
    return status == 0


def dying_at(step):
    def on_step(reached):
        if reached is step:
            die()

    return on_step


def dying_at_line(number, action):
    """Runs `action`, but only so many lines of the code that writes."""
    left = number

    def trace(frame, event, argument):
        nonlocal left
        if not frame.f_code.co_filename.startswith(CODE):
            return None
        if event == "line":
            left -= 1
            if left == 0:
                die()
        return trace

    def run():
        sys.settrace(trace)
        action()
        sys.settrace(None)

    return run


def check_places(play):
    """Nothing is torn: every place holds one content or the other."""
    known = (play.rewrite.before, play.rewrite.after)
    assert play.file.read_bytes() in known
    assert play.staged_content() in known


def check_end(play, before, entries):
    """All places agree, nothing is left over; undone, all is as it was."""
    assert play.unfinished() == []
    names = [path.name for path in (play.folder / ".git").rglob("*")]
    assert not [name for name in names if "dsreview" in name or name.endswith(".lock")]
    if play.target is Target.INDEX_AND_WORKTREE:
        assert play.file.read_bytes() == play.staged_content()
    was_applied = play.file.read_bytes() == play.rewrite.after
    assert [one.is_done for one in play.undo()] == [True] * was_applied
    assert play.files() == before
    assert play.entries() == entries
    play.git("fsck", "--strict", "--no-dangling")


OF_THE_INDEX = (Step.STORED, Step.LOCKED, Step.INDEX_READY, Step.INDEX_DONE)
STEPS = [(Target.INDEX_AND_WORKTREE, step) for step in Step] + [
    (Target.WORKTREE, step) for step in Step if step not in OF_THE_INDEX
]


@pytest.mark.parametrize(("target", "step"), STEPS)
def test_death_at_a_step_of_applying(play, step, target):
    play.target = target
    before, entries = play.files(), play.entries()
    assert not in_a_child(lambda: play.apply(dying_at(step)))
    check_places(play)
    messages = play.settle()
    assert len(messages) == (step is not Step.CLOSED)
    check_end(play, before, entries)


@pytest.mark.parametrize("step", RESTORING)
def test_death_at_a_step_of_undoing(play, step):
    before, entries = play.files(), play.entries()
    play.apply()
    assert not in_a_child(lambda: play.undo(on_step=dying_at(step)))
    check_places(play)
    assert ["has been taken back" in one for one in play.settle()] == [True]
    assert play.file.read_bytes() == play.rewrite.before
    check_end(play, before, entries)


@pytest.mark.parametrize("second", RESTORING)
def test_death_while_a_death_is_put_right(play, second):
    before, entries = play.files(), play.entries()
    assert not in_a_child(lambda: play.apply(dying_at(Step.FILE_DONE)))
    in_a_child(lambda: play.settle(dying_at(second)))
    check_places(play)
    play.settle()
    assert play.file.read_bytes() == play.rewrite.before
    check_end(play, before, entries)


def num_lines(play, action):
    """How many lines the code that writes runs for it, counted by dying ever later."""
    seen = 0

    def trace(frame, event, argument):
        nonlocal seen
        if not frame.f_code.co_filename.startswith(CODE):
            return None
        seen += event == "line"
        return trace

    sys.settrace(trace)
    try:
        action()
    finally:
        sys.settrace(None)
    return seen


@pytest.mark.parametrize("every", [None, pytest.param(1, marks=pytest.mark.slow)])
def test_death_at_any_line(play, every):
    """Of applying and undoing; a few lines drawn at random, or each one."""
    before, entries = play.files(), play.entries()
    lines = {"apply": num_lines(play, play.apply), "undo": num_lines(play, play.undo)}
    assert min(lines.values()) > 100
    places = [(kind, number) for kind, num in lines.items() for number in range(1, num + 1)]
    chosen = places if every else random.Random(0).sample(places, 8)
    ends = set()
    num_survived = 0
    for kind, number in chosen:
        if kind == "undo":
            play.apply()
        # the first time ran a few lines more: folders were made
        num_survived += in_a_child(dying_at_line(number, getattr(play, kind)))
        check_places(play)
        play.settle()
        ends.add((kind, play.file.read_bytes() == play.rewrite.after))
        check_end(play, before, entries)
    assert num_survived <= max(1, len(chosen) // 20)
    assert len(ends) == 4 or not every


def test_an_edit_after_a_death_is_never_lost(play):
    entries = play.entries()
    assert not in_a_child(lambda: play.apply(dying_at(Step.SWAPPED)))
    play.file.write_bytes(b"typed after the crash\n")
    assert ["changed since and is left" in one for one in play.settle()] == [True]
    assert play.file.read_bytes() == b"typed after the crash\n"
    assert (play.entries(), play.unfinished()) == (entries, [])
    assert not list((play.folder / ".git").glob("*dsreview*"))


def test_a_file_gone_after_a_death_stays_gone(play):
    assert not in_a_child(lambda: play.apply(dying_at(Step.SWAPPED)))
    play.file.unlink()
    assert ["was cut off; the file is gone" in one for one in play.settle()] == [True]
    assert not play.file.exists()
    assert play.unfinished() == []
    assert not list((play.folder / ".git").glob("*dsreview*"))


def test_an_edit_swapped_out_at_the_moment_of_death_comes_back(play):
    """Typed between the check and the swap, by a process that then dies."""
    typed = play.rewrite.before + b"# typed at the last moment\n"

    def on_step(reached):
        if reached is Step.SWAPPED:
            die()

    def apply_with_a_late_edit():
        from dsreview.applying import file_place

        swap = file_place.exchange

        def late(*arguments):
            play.file.write_bytes(typed)
            done = swap(*arguments)
            die()
            return done

        file_place.exchange = late
        play.apply(on_step)

    assert not in_a_child(apply_with_a_late_edit)
    assert play.file.read_bytes() == play.rewrite.after
    play.settle()
    assert play.file.read_bytes() == typed
    assert not list((play.folder / ".git").glob("*dsreview*"))


def test_a_lock_of_git_itself_is_never_taken_away(play):
    assert not in_a_child(lambda: play.apply(dying_at(Step.STORED)))
    lock = play.folder / ".git/index.lock"
    lock.write_bytes(b"of git")
    play.settle()
    assert lock.read_bytes() == b"of git"


def test_an_index_that_git_made_for_one_commit_is_left_for_another_time(play, monkeypatch):
    assert not in_a_child(lambda: play.apply(dying_at(Step.FILE_DONE)))
    monkeypatch.chdir(play.folder)
    monkeypatch.setenv("GIT_INDEX_FILE", str(play.folder / ".git/next-index-1.lock"))
    before = play.files()
    assert settle(find_repository(play.folder)) == ()
    assert play.files() == before
    monkeypatch.delenv("GIT_INDEX_FILE")
    assert len(settle(find_repository(play.folder))) == 1
    assert settle(find_repository(play.folder)) == ()
    assert play.file.read_bytes() == play.rewrite.before


def test_while_pre_commit_has_changes_aside_nothing_is_put_right(play, monkeypatch):
    """The file lies there as staged; when it comes back, it comes back as written."""
    play.target = Target.WORKTREE
    play.file.write_bytes(b"# unstaged\n" + play.rewrite.before)
    play.rewrite = replace(
        play.rewrite, before=play.file.read_bytes(), after=b"# unstaged\n" + play.rewrite.after
    )
    assert not in_a_child(lambda: play.apply(dying_at(Step.SWAPPED)))
    written = play.file.read_bytes()
    monkeypatch.setenv("PRE_COMMIT", "1")
    for aside in (play.staged_content(), play.rewrite.before):
        play.file.write_bytes(aside)
        before = play.state()
        assert settle(find_repository(play.folder)) == ()
        assert play.state() == before
    play.file.write_bytes(written)
    monkeypatch.delenv("PRE_COMMIT")
    assert ["it holds" in one for one in settle(find_repository(play.folder))] == [True]
    assert play.file.read_bytes() == written == play.rewrite.after
    assert [one.is_done for one in play.undo()] == [True]
    assert play.file.read_bytes() == play.rewrite.before


@pytest.mark.parametrize("step", [Step.NOTED, Step.LOCKED, Step.SWAPPED, Step.CLOSED])
def test_ctrl_c_waits_until_all_is_written(play, step):
    def interrupt(reached):
        if reached is step:
            os.kill(os.getpid(), signal.SIGINT)

    before, entries = play.files(), play.entries()
    with pytest.raises(KeyboardInterrupt):
        play.apply(interrupt)
    assert play.file.read_bytes() == play.staged_content() == play.rewrite.after
    check_end(play, before, entries)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


def test_ctrl_c_is_not_lost_where_nothing_could_be_written(play):
    (play.folder / ".git/index.lock").write_bytes(b"")

    def interrupt(reached):
        if reached is Step.STORED:
            os.kill(os.getpid(), signal.SIGINT)

    before = play.files()
    with pytest.raises(KeyboardInterrupt):
        play.apply(interrupt)
    assert (play.files(), play.unfinished()) == (before, [])
