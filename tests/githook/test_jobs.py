"""Jobs for the background: how they wait, and what is left of them."""

import fcntl
import os
import signal
import threading
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from dsreview.githook.background import Job, count_jobs, is_superseded, queued, taken
from dsreview.githook.job_review import MAX_S, do_job
from dsreview.githook.places import JOBS, folder_of, hooks_folder
from dsreview.sources import SourceRequest

BUG = "def add(item, items=[]):\n    items.append(item)\n    return items\n"
CLEAN = "def double(number):\n    return number * 2\n"
STRANGE = "caf\udce9\U0001f600"


@pytest.fixture
def job(tmp_path, monkeypatch):
    monkeypatch.setenv("DSREVIEW_CACHE_DIR", str(tmp_path / "cache"))
    folder = folder_of(tmp_path / STRANGE / ".git")
    request = SourceRequest(
        Path("/") / STRANGE, is_staged=True, index=b"\xff\0", onto="c" * 40, git_dir=Path("/g")
    )
    return Job("pre-commit", folder, STRANGE, (request,), {"exclude": [STRANGE], "strict": True})


def test_a_job_is_read_back_whatever_its_folder_is_called(job):
    path, fd = queued(job)
    with taken(fd) as (name, read):
        assert (name, read) == (path, job)
    assert not path.exists()


def with_request(job, **changes):
    return replace(job, requests=tuple(replace(one, **changes) for one in job.requests))


def test_a_newer_job_upon_the_same_commit_takes_the_place_of_a_waiting_one(job):
    path, fd = queued(job)
    assert not is_superseded(path, job)
    others = [
        with_request(job, onto="d" * 40),
        replace(job, event="pre-push"),
        replace(job, flags={}),
    ]
    opened = [fd, *(queued(other)[1] for other in others)]
    assert not is_superseded(path, job)
    later, last = queued(with_request(job, index=b"other"))
    assert is_superseded(path, job)
    assert not is_superseded(later, job)
    os.close(last)  # it died
    assert not is_superseded(path, job)
    assert count_jobs(job.folder).running == len(opened)
    for one in opened:
        os.close(one)


@contextmanager
def busy():
    """Another job has its turn."""
    hooks_folder().mkdir(parents=True, exist_ok=True)
    with (hooks_folder() / "one-at-a-time").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def test_waiting_for_others_costs_a_job_nothing_of_its_time(job, repository):
    repository.write({"shop.py": BUG})
    repository.git("add", "-A")
    index = (repository.folder / ".git" / "index").read_bytes()
    request = SourceRequest(repository.folder, is_staged=True, index=index)
    _, fd = queued(replace(job, requests=(request,), flags={}))
    seen = []
    release = threading.Event()

    def look():
        with busy():
            release.set()
            threading.Event().wait(0.5)
            seen.append(signal.getitimer(signal.ITIMER_REAL)[0])

    def review(change, config, stack):
        seen.append(signal.getitimer(signal.ITIMER_REAL)[0])
        raise KeyboardInterrupt

    other = threading.Thread(target=look)
    other.start()
    release.wait()
    with pytest.raises(KeyboardInterrupt):
        do_job(fd, review)
    signal.alarm(0)
    other.join()
    waiting, reviewing = seen
    assert waiting < MAX_S / 2 < reviewing <= MAX_S


def test_what_was_tried_again_is_reviewed_once(hooked, monkeypatch):
    monkeypatch.setenv("DSREVIEW_CACHE_DIR", str(hooked.cache))
    hooked.settings.write_text('mode = "background"\n')
    with busy():
        for content in (BUG, CLEAN):
            hooked.repository.write({"shop.py": content})
            hooked.repository.git("add", "-A")
            assert hooked.run("hook", "run", "pre-commit").code == 0
        assert len(list(hooked.cache.glob(f"hooks/*/{JOBS}/*.job"))) == 2
    hooked.wait_for_jobs()
    assert hooked.run("hook", "run", "pre-commit").err.count("from the review") == 1


@pytest.mark.skipif(os.uname().sysname == "Darwin", reason="its file system takes UTF-8 alone")
def test_a_folder_that_is_no_utf8_is_reviewed_in_the_background(hooked, tmp_path):
    folder = tmp_path / "caf\udce9"
    hooked.repository.folder.rename(folder)
    moved = replace(hooked, repository=replace(hooked.repository, folder=folder))
    moved.settings.write_text('mode = "background"\n')
    moved.repository.write({"shop.py": BUG})
    moved.repository.git("add", "-A")
    ran = moved.run("hook", "run", "pre-commit")
    assert (ran.code, "reviewing in the background" in ran.err) == (0, True)
    moved.wait_for_jobs()
    assert "HIGH  shop.py:1" in moved.run("last").out
