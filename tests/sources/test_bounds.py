"""No repository makes a review hang or grow without end."""

import os
import time

import pytest

from dsreview.errors import GitError, ReviewError
from dsreview.sources import clean_room, objects


@pytest.fixture
def base(repo):
    repo.write("x.py", "one\n")
    repo.commit("first")
    return repo


def test_a_change_of_400_files_and_40000_lines_opens_quickly(base):
    for number in range(400):
        base.write(f"p{number % 20}/f{number}.py", f"line {number}\n" * 100)
    base.commit()
    for number in range(400):
        base.write(f"p{number % 20}/f{number}.py", f"line {number}\nnew\n" * 50)
    started = time.perf_counter()
    with base.change() as change:
        assert len(change.patch.files) == 400
        assert all(change.head.read(file.path) for file in change.patch.files)
    # 1.0 s on two loaded cores; the bound leaves room for a machine that is busier still
    assert time.perf_counter() - started < 10


def test_a_diff_too_large_to_hold_is_refused_and_a_part_of_it_is_not(base):
    line = "x" * 1023 + "\n"
    for number in range(10):
        base.write(f"large/{number}.txt", line * 7 * 1024)
    base.write("small.py", "s\n")
    base.git("add", "-A")
    with pytest.raises(ReviewError, match="larger than 64 MB; name the paths"), base.change():
        pass
    assert base.rows(paths=("small.py",)) == [("added", "small.py", "small.py")]


@pytest.mark.parametrize("place", ["objects/pack/pack-1.idx", "objects/info/alternates"])
def test_a_pipe_where_git_expects_a_file_ends_in_an_error(base, monkeypatch, place):
    monkeypatch.setattr(clean_room, "TIMEOUT_S", 1.0)
    path = base.top / ".git" / place
    path.parent.mkdir(exist_ok=True)
    os.mkfifo(path)
    (path.parent / "pack-1.pack").touch()
    started = time.perf_counter()
    with pytest.raises(GitError, match="took longer than 1 s"), base.change(commit="HEAD"):
        pass
    assert time.perf_counter() - started < 20


def test_many_complaints_of_git_do_not_block_it(base):
    for number in range(500):
        base.write(f"f{number}", f"{number}\n")
    base.commit()
    listing = base.git("ls-tree", "-r", "HEAD").decode().splitlines()
    for row in listing:
        blob = row.split()[2]
        base.write(f".git/objects/{blob[:2]}/{blob[2:]}.new", b"not an object")
        os.replace(
            base.top / f".git/objects/{blob[:2]}/{blob[2:]}.new",
            base.top / f".git/objects/{blob[:2]}/{blob[2:]}",
        )
    base.write("y.py", "y\n")
    base.commit()
    with base.change(commit="HEAD") as change:
        assert [change.head.read(path) for path in change.head.paths()].count(None) == 501


def test_an_object_that_unfolds_to_gigabytes_is_not_read(base, monkeypatch):
    monkeypatch.setattr(objects, "MAX_BLOB_BYTES", 100_000)
    base.write("large.py", "x" * 100_001)
    base.write("small.py", "s\n")
    base.commit()
    with base.change(commit="HEAD") as change:
        assert change.head.read("large.py") is None
        assert change.head.read("small.py") == b"s\n"
