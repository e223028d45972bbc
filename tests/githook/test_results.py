"""What is kept of a review outlives strange names and broken files."""

import json
import os
import threading

import pytest

from dsreview.finding import Edit, Finding, Origin, Severity, Suggestion
from dsreview.githook.places import folder_of, has_news
from dsreview.githook.results import LAST, ChangeResult, HookResult, ResultStore
from dsreview.patch import Span
from dsreview.report import Coverage, CoverageState, Report, Stats, Status

STRANGE = "a\udcff\x1b\n\u202e/\U0001f600.py"


def result(name="pre-commit", problem=""):
    suggestion = Suggestion(Edit(Span(1, 1), (STRANGE,)))
    finding = Finding(
        STRANGE,
        Severity.HIGH,
        STRANGE,
        Span(1, 2),
        STRANGE,
        STRANGE,
        STRANGE,
        0.5,
        Origin.MODEL,
        suggestion=suggestion,
    )
    rows = (Coverage(STRANGE, CoverageState.PARTIAL, STRANGE, reviewers=("rules",)),)
    report = Report(Status.PARTIAL, (finding,), rows, Stats(), notes=(STRANGE,))
    return HookResult(name, 1.5, (ChangeResult(report, ((STRANGE, "b" * 40),), ("end",)),), problem)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("DSREVIEW_CACHE_DIR", str(tmp_path / "cache"))
    return folder_of(tmp_path / "repository" / ".git")


def test_what_was_kept_is_read_back_as_it_was(folder):
    store = ResultStore(folder)
    assert store.last() is None
    store.keep_last(result())
    assert store.last() == result()
    assert not has_news(folder)


def test_a_result_is_taken_once_though_many_ask(folder):
    kept = [result(problem=str(number)) for number in range(20)]
    for one in kept:
        ResultStore(folder).keep_unshown(one)
    assert has_news(folder)
    taken = []
    threads = [
        threading.Thread(target=lambda: taken.extend(ResultStore(folder).take_unshown()))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(int(one.problem) for one in taken) == list(range(20))
    assert not has_news(folder)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"\xff", b"null", b'{"event": 1}', b'{"event": "x", "finished_s": "y"}'],
)
def test_a_broken_file_is_no_result(folder, content):
    store = ResultStore(folder)
    store.keep_unshown(result())
    (folder / LAST).write_bytes(content)
    for path in (folder / "unshown").iterdir():
        path.write_bytes(content)
    assert store.last() is None
    assert list(store.take_unshown()) == []
    assert not has_news(folder)


def test_a_file_cut_at_any_place_is_no_result_or_the_whole(folder):
    store = ResultStore(folder)
    store.keep_last(result())
    content = (folder / LAST).read_bytes()
    for length in range(0, len(content), 7):
        (folder / LAST).write_bytes(content[:length])
        assert store.last() is None
    assert json.loads(content)["event"] == "pre-commit"


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes anywhere")
def test_a_disk_that_takes_nothing_loses_results_alone(folder, tmp_path):
    (tmp_path / "cache").mkdir(mode=0o500)
    ResultStore(folder).keep_last(result())
    assert ResultStore(folder).last() is None
