"""One file rewritten, in the worktree or in the index as well: wholly or not at all.

The journal has the record before the first write and learns the end after the last, so
that whatever cuts the process off, `recovery` finds how far it got. All that is written
stands ready beside its place first; then the file is swapped, then the index renamed.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from dsreview.applying.file_place import FilePlace, open_place, refuse_unusual
from dsreview.applying.index_lock import IndexLock, entry_of, lock_index, with_blob
from dsreview.applying.interrupts import deferred_interrupt
from dsreview.applying.journal import IndexChange, Journal, Noted, Record, open_journal
from dsreview.applying.loose_object import store_blob
from dsreview.applying.restoring import restore
from dsreview.applying.state_folder import State
from dsreview.applying.values import NotApplied, OnStep, Rewrite, Step, Target, in_words, no_step
from dsreview.errors import GitError, ReviewError
from dsreview.patch import FileKind, kind_of_mode
from dsreview.sources.clean_room import CleanRoom
from dsreview.sources.index import IndexEntry, index_path
from dsreview.sources.objects import object_id


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes into one repository."""

    room: CleanRoom
    run: str
    """Shared by what `undo --all` takes back together."""
    on_step: OnStep = no_step

    def apply(self, rewrite: Rewrite, target: Target) -> Noted:
        """Give a file its new content, in all places of `target`.

        Raises:
            NotApplied: a place does not hold what was reviewed, or cannot be written; all
                are as they were.
        """
        spare = f"dsreview-{secrets.token_hex(8)}"
        repository = self.room.repository
        try:
            with (
                deferred_interrupt(),
                open_journal(repository) as journal,
                open_place(repository, rewrite.path, spare) as place,
            ):
                noted = journal.begin(self._record(rewrite, target, place, spare))
                with self._rolled_back_on_failure(journal, noted):
                    self.on_step(Step.NOTED)
                    self._write(noted.record, place)
                    applied = journal.mark(noted, State.APPLIED)
                self.on_step(Step.CLOSED)
                journal.trim()
                return applied
        except (GitError, OSError) as error:
            raise NotApplied(f"{rewrite.path}: {in_words(error)}") from None

    def _record(self, rewrite: Rewrite, target: Target, place: FilePlace, spare: str) -> Record:
        found = place.read()
        if found is None:
            raise NotApplied(f"{rewrite.path}: is no regular file on disk any more")
        if found.content != rewrite.before:
            raise NotApplied(f"{rewrite.path}: {_difference(found.content, rewrite.before)}")
        refuse_unusual(rewrite.path, found.status)
        index = self._index_change(rewrite) if target is Target.INDEX_AND_WORKTREE else None
        return Record(
            run=self.run,
            path=rewrite.path.encode("utf-8", "surrogateescape"),
            before=rewrite.before,
            after=rewrite.after,
            spare=spare,
            is_beside=place.spare_fd == place.folder_fd,
            summary=rewrite.summary,
            index=index,
        )

    def _index_change(self, rewrite: Rewrite) -> IndexChange:
        index = index_path(self.room.repository)
        try:
            content = index.read_bytes()
        except OSError as error:
            raise NotApplied(f"{index}: {error.strerror}") from None
        hash_name = self.room.repository.hash_name
        before, after = (
            object_id(hash_name, "blob", text) for text in (rewrite.before, rewrite.after)
        )
        mode = _usable(entry_of(self.room, content, rewrite.path), rewrite.path, before).mode
        return IndexChange(os.fsencode(index), mode, before, after)

    def _write(self, record: Record, place: FilePlace) -> None:
        if record.index is None:
            self._swap(record, place)
            return
        index = index_path(self.room.repository)
        store_blob(self.room.repository, record.after)
        self.on_step(Step.STORED)
        with lock_index(index, record.spare) as (lock, content):
            self.on_step(Step.LOCKED)
            self._prepare(record, record.index, lock, content)
            self.on_step(Step.INDEX_READY)
            self._swap(record, place)
            lock.commit()
            self.on_step(Step.INDEX_DONE)

    def _prepare(
        self, record: Record, change: IndexChange, lock: IndexLock, content: bytes
    ) -> None:
        _usable(entry_of(self.room, content, record.file), record.file, change.before)
        lock.write(with_blob(self.room, content, record.file, change.mode, change.after))

    def _swap(self, record: Record, place: FilePlace) -> None:
        found = place.read()
        if found is None or found.content != record.before:
            raise NotApplied(f"{record.file}: changed on disk a moment ago")
        place.write_spare(record.after, found.status)
        self.on_step(Step.FILE_READY)
        place.swap_in(record.before)
        self.on_step(Step.SWAPPED)
        place.drop_spare()
        self.on_step(Step.FILE_DONE)

    @contextmanager
    def _rolled_back_on_failure(self, journal: Journal, noted: Noted) -> Iterator[None]:
        try:
            yield
        except (ReviewError, OSError) as error:  # NotApplied is one, GitError another
            try:
                restore(self.room, noted.record)
            except (ReviewError, OSError) as failure:
                told = f"{in_words(error)}; what was written is not yet taken back"
                raise NotApplied(f"{told}: {in_words(failure)}") from None
            journal.forget(noted)
            raise


def _usable(entry: IndexEntry | None, path: str, oid: str) -> IndexEntry:
    """Raises NotApplied where the index does not hold the blob, or not in the usual way."""
    if entry is None or entry.oid != oid or entry.is_unmerged or entry.is_intent_to_add:
        raise NotApplied(f"{path}: the index holds something else than was reviewed")
    if kind_of_mode(entry.mode) is not FileKind.REGULAR:
        raise NotApplied(f"{path}: is no regular file in the index")
    if entry.is_taken_as_is:
        raise NotApplied(f"{path}: git was told not to look at it (--assume-unchanged, sparse)")
    return entry


def _difference(found: bytes, reviewed: bytes) -> str:
    if found.replace(b"\r\n", b"\n") == reviewed.replace(b"\r\n", b"\n"):
        return "its line ends on disk are not those that were reviewed (git converts them)"
    return "the file on disk is not what was reviewed"
