"""Takes back what was written, and puts right what was cut off."""

from collections.abc import Iterator
from dataclasses import dataclass

from dsreview.applying.interrupts import deferred_interrupt
from dsreview.applying.journal import Journal, Noted, open_journal
from dsreview.applying.restoring import Side, finish, restore, sides
from dsreview.applying.state_folder import State, has_unfinished
from dsreview.applying.targets import are_changes_aside
from dsreview.applying.values import NotApplied, OnStep, in_words, no_step
from dsreview.errors import ReviewError
from dsreview.sources.clean_room import CleanRoom
from dsreview.sources.index import index_path
from dsreview.sources.repository import Repository


@dataclass(frozen=True, slots=True)
class TakenBack:
    """What became of one application that was to be undone."""

    message: str
    is_done: bool = False
    is_kept: bool = False
    """Left as it is, to be taken back another time."""


def settle(repository: Repository) -> tuple[str, ...]:
    """Complete or take back what a killed process left half done in a repository.

    Not while pre-commit runs its hooks: the files are not there as they will be.

    Returns:
        One line for each, for people; none is the rule, and costs one look at a folder.
    """
    if are_changes_aside() or not has_unfinished(repository.git_dir):
        return ()
    if index_path(repository).resolve() != (repository.git_dir / "index").resolve():
        return ()  # the one git has made for this commit alone; the next command looks at its own
    try:
        with CleanRoom(repository) as room, open_journal(repository) as journal:
            return tuple(settle_all(room, journal))
    except NotApplied as error:
        return (str(error),)


def settle_all(room: CleanRoom, journal: Journal, on_step: OnStep = no_step) -> Iterator[str]:
    """What `settle` says, each line when it is done."""
    for noted in journal.unfinished():
        with deferred_interrupt():
            yield _settle(room, journal, noted, on_step)


def _settle(room: CleanRoom, journal: Journal, noted: Noted, on_step: OnStep) -> str:
    record = noted.record
    try:
        if noted.state is State.PENDING and finish(room, record):
            journal.mark(noted, State.APPLIED)
            return f"{record.file}: {record.summary}: was cut off when all was written; it holds"
        held = restore(room, record, on_step)
    except (ReviewError, OSError) as error:
        return f"{record.file}: was cut off and is not yet put right: {in_words(error)}"
    journal.forget(noted)
    if held.is_file_lost:
        words = "is gone" if held.file is Side.GONE else "changed since and is left"
        return f"{record.file}: {record.summary}: was cut off; the file {words}"
    return f"{record.file}: {record.summary}: was cut off and has been taken back"


def undo(
    room: CleanRoom, journal: Journal, *, whole_run: bool, on_step: OnStep = no_step
) -> Iterator[TakenBack]:
    """Take back the last application that can be, or all those of its run, the latest first.

    One whose file changed since is told and kept: the file may become again what was
    written. Nothing older of that file is taken back before it.

    Raises:
        NotApplied: a place could not be written; what was yielded by then is done.
    """
    kept: set[bytes] = set()
    run = ""
    for noted in journal.records():
        record = noted.record
        if noted.state is not State.APPLIED or record.path in kept:
            continue
        if run and (not whole_run or record.run != run):
            return
        result = _undo(room, journal, noted, on_step)
        if result.is_done:
            run = record.run
        elif result.is_kept:
            kept.add(record.path)
        yield result


def _undo(room: CleanRoom, journal: Journal, noted: Noted, on_step: OnStep) -> TakenBack:
    record = noted.record
    with deferred_interrupt():
        held = sides(room, record)
        if held.file is Side.GONE:
            journal.forget(noted)
            words = f"is gone; no longer to be taken back: {record.summary}"
            return TakenBack(f"{record.file}: {words}")
        if held.file is Side.OTHER:
            words = "changed since, and is left as it is"
            return TakenBack(f"{record.file}: {words}", is_kept=True)
        noted = journal.mark(noted, State.UNDOING)
        try:
            restore(room, record, on_step)
        except (ReviewError, OSError) as error:
            journal.mark(noted, State.APPLIED)
            raise NotApplied(in_words(error)) from None
        journal.forget(noted)
    is_written = Side.AFTER in (held.file, held.index)
    words = f"taken back: {record.summary}" if is_written else "is already as it was"
    if held.index is Side.OTHER:
        words += "; the index changed since and is left as it is"
    return TakenBack(f"{record.file}: {words}", is_done=True)
