"""What is written holds, or the old is still there."""

import errno
import os
import stat
import threading
from pathlib import Path

import pytest

import dsreview
from dsreview.durable import flush_folder, replace_durably, write_all, write_new

SOURCES = Path(dsreview.__file__).parent


def test_one_place_alone_knows_how_the_cache_of_a_drive_is_flushed():
    flushing = [path for path in SOURCES.rglob("*.py") if "F_FULLFSYNC" in path.read_text()]
    assert flushing == [SOURCES / "durable.py"]


def test_a_file_is_replaced_and_only_its_owner_reads_it(tmp_path):
    path = tmp_path / "kept"
    path.write_bytes(b"old")
    replace_durably(path, b"new" * 100_000)
    assert path.read_bytes() == b"new" * 100_000
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["kept"]


def test_what_cannot_be_replaced_stays_and_leaves_nothing_beside_it(tmp_path):
    path = tmp_path / "folder"
    path.mkdir()
    with pytest.raises(OSError, match="folder"):
        replace_durably(path, b"new")
    assert [one.name for one in tmp_path.iterdir()] == ["folder"]


def test_a_file_that_is_there_is_not_written_over(tmp_path):
    path = tmp_path / "kept"
    path.write_bytes(b"old")
    with pytest.raises(FileExistsError):
        write_new(path, b"new")
    assert path.read_bytes() == b"old"


def test_all_is_written_where_one_write_takes_only_a_part():
    receiving, sending = os.pipe()
    os.set_blocking(sending, True)
    content = os.urandom(300_000)  # more than a pipe holds
    writer = threading.Thread(target=lambda: (write_all(sending, content), os.close(sending)))
    writer.start()
    with open(receiving, "rb") as file:
        assert file.read() == content
    writer.join()


def test_a_disk_that_cannot_flush_folders_is_no_error_but_one_that_fails_is(tmp_path, monkeypatch):
    def failing(number):
        def fsync(fd):
            raise OSError(number, os.strerror(number))

        return fsync

    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr(os, "fsync", failing(errno.EINVAL))
    flush_folder(tmp_path)
    monkeypatch.setattr(os, "fsync", failing(errno.EIO))
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        flush_folder(tmp_path)
