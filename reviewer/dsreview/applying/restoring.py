"""A file given back its content of before, where it still is what was written.

Serves failures, crashes and `undo` alike, and can be repeated: cut off at any point, the
next call finds what is left to do.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from dsreview.applying.file_place import FilePlace, open_place
from dsreview.applying.index_lock import IndexLock, entry_of, index_lock, lock_index, with_blob
from dsreview.applying.journal import IndexChange, Record
from dsreview.applying.loose_object import store_blob
from dsreview.applying.values import NotApplied, OnStep, Step, no_step
from dsreview.sources.clean_room import CleanRoom
from dsreview.sources.data_files import read_data
from dsreview.sources.index import index_path


class Side(Enum):
    """What a place holds, by a record."""

    BEFORE = "as before"
    AFTER = "as written"
    OTHER = "changed since"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Sides:
    file: Side
    index: Side | None
    """None where the record is not about the index."""

    @property
    def are_written(self) -> bool:
        return self.file is Side.AFTER and self.index in (None, Side.AFTER)

    @property
    def is_file_lost(self) -> bool:
        """It is neither as before nor as written."""
        return self.file in (Side.OTHER, Side.GONE)


def sides(room: CleanRoom, record: Record) -> Sides:
    """What each place holds now; nothing is written."""
    with _place(room, record) as place:
        file = Side.OTHER if place is None else _file_side(place, record)
    if file is Side.OTHER and _is_gone(room, record):
        file = Side.GONE
    return Sides(file, None if record.index is None else _index_side(room, record, record.index))


def restore(room: CleanRoom, record: Record, on_step: OnStep = no_step) -> Sides:
    """Take back what still is as written; a file changed since is left, and its index too.

    Returns:
        What each place held; what was `AFTER` is as before now.

    Raises:
        NotApplied: a place could not be written.
    """
    drop_lock(record)
    held = sides(room, record)
    with ExitStack() as stack:
        place = stack.enter_context(_place(room, record))
        lock = None
        if held.index is Side.AFTER and not held.is_file_lost:
            lock = stack.enter_context(_index_of_before(room, record))
            on_step(Step.INDEX_READY)
        if place is not None and held.file is Side.AFTER:
            _give_back(place, record, on_step)
        if lock is not None:
            lock.commit()
            on_step(Step.INDEX_DONE)
        if place is not None:
            _drop_leftover(place, record)
    return held


def finish(room: CleanRoom, record: Record) -> bool:
    """Clear up behind a writing that got everything in place; False where it did not."""
    if not sides(room, record).are_written:
        return False
    drop_lock(record)
    with _place(room, record) as place:
        if place is None or place.read_spare() not in (None, record.before):
            return False  # what was swapped out was no longer what was reviewed
        place.drop_spare()
    return True


def drop_lock(record: Record) -> None:
    """Remove the lock of the index that the record's process may have left behind."""
    if record.index is not None:
        index_lock(Path(os.fsdecode(record.index.index)), record.spare).release()


@contextmanager
def _place(room: CleanRoom, record: Record) -> Iterator[FilePlace | None]:
    """None where the file's folder is gone."""
    with ExitStack() as stack:
        opened = open_place(room.repository, record.file, record.spare, is_beside=record.is_beside)
        try:
            place = stack.enter_context(opened)
        except NotApplied:
            place = None
        yield place


def _file_side(place: FilePlace, record: Record) -> Side:
    found = place.read()
    return _side(None if found is None else found.content, record.before, record.after)


def _is_gone(room: CleanRoom, record: Record) -> bool:
    """There is nothing of that name, neither a file nor anything else."""
    worktree = room.repository.worktree
    if worktree is None:
        return False
    try:
        (worktree / record.file).lstat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def _index_side(room: CleanRoom, record: Record, change: IndexChange) -> Side:
    content = read_data(index_path(room.repository))
    entry = None if content is None else entry_of(room, content, record.file)
    return _side(None if entry is None else entry.oid, change.before, change.after)


def _side(found: object, before: object, after: object) -> Side:
    return {before: Side.BEFORE, after: Side.AFTER}.get(found, Side.OTHER)


@contextmanager
def _index_of_before(room: CleanRoom, record: Record) -> Iterator[IndexLock]:
    """The locked index, its old entry written but not yet in place."""
    change = record.index
    assert change is not None
    store_blob(room.repository, record.before)  # gc may have dropped it meanwhile
    with lock_index(index_path(room.repository), record.spare) as (lock, content):
        lock.write(with_blob(room, content, record.file, change.mode, change.before))
        yield lock


def _give_back(place: FilePlace, record: Record, on_step: OnStep) -> None:
    spare = place.read_spare()
    if spare is None or (_is_ours(spare, record) and spare != record.before):
        place.drop_spare()
        found = place.read()
        if found is None:
            raise NotApplied(f"{record.file}: changed on disk a moment ago")
        place.write_spare(record.before, found.status)
    # else it is what was swapped out: the old file itself, or an edit made at that moment
    on_step(Step.FILE_READY)
    place.swap_in(record.after)
    on_step(Step.SWAPPED)
    place.drop_spare()
    on_step(Step.FILE_DONE)


def _drop_leftover(place: FilePlace, record: Record) -> None:
    spare = place.read_spare()
    if spare is None:
        return
    if not _is_ours(spare, record):
        name = place.spare.decode()
        raise NotApplied(f"{record.file}: what stood there for a moment is kept in {name}")
    place.drop_spare()


def _is_ours(spare: bytes, record: Record) -> bool:
    """A content that was written here, or the start of one."""
    return record.before.startswith(spare) or record.after.startswith(spare)
