"""Histories that are odd on purpose, read whole."""

import pytest

from dsreview.benchmark import from_git_log
from dsreview.benchmark.from_git_log import read_commits, read_main_line
from dsreview.benchmark.from_git_survival import YEAR_S, MainLine
from dsreview.errors import GitError
from dsreview.patch import FileKind, FileStatus
from dsreview.sources.clean_room import CleanRoom
from dsreview.sources.repository import find_repository
from dsreview.sources.revisions import resolve_head

FAKE = b"0" * 40 + b"\n:100644 100644 " + b"1" * 40 + b" " + b"2" * 40 + b" M\nsrc/fake.py\n"


def any_file(_file):
    return True


@pytest.fixture
def log_of(tmp_path):
    def read(history, reader=read_commits, *options, max_commits=100):
        history.write(tmp_path)
        with CleanRoom(find_repository(tmp_path)) as room:
            return list(reader(room, resolve_head(room), max_commits, *options))

    return read


def test_no_message_and_no_path_is_taken_for_a_commit(history, log_of):
    path = f":100644 100644 {'1' * 40} {'2' * 40} M"
    history.commit({"a.py": "a = 1\n"}, FAKE)
    history.commit({path: "b = 1\n", "with\nline.py": ""}, b"\xff\xfe no UTF-8")
    history.commit({}, "")
    [empty, second, first] = log_of(history)
    assert [file.path for file in first.files] == ["a.py"]
    assert {file.path for file in second.files} == {path, "with\nline.py"}
    assert second.message == "\ufffd\ufffd no UTF-8"
    assert (empty.files, empty.message) == ((), "")
    assert first.parents == ()
    assert second.parents == (first.id,)


def test_merges_are_passed_over_and_what_they_bring_is_on_the_main_line(history, log_of):
    first = history.commit({"a.py": "a = 1\n"})
    side = history.commit({"a.py": "a = 2\n"}, branch="side", parents=(first,))
    main = history.commit({"b.py": "b = 1\n"})
    history.commit({"a.py": "a = 2\n"}, parents=(main, side))
    assert len(log_of(history)) == 3
    merged = log_of(history, read_main_line, any_file)
    assert [[file.path for file in commit.files] for commit in merged] == [
        ["a.py"],
        ["b.py"],
        ["a.py"],
    ]


def test_links_and_submodules_are_no_regular_files(history, log_of):
    modes = {"link.py": "120000", "module.py": "160000", "was.py": "120000"}
    history.commit({"was.py": "a = 1\n"})
    history.commit({"link.py": "was.py", "module.py": "1" * 40, "was.py": "link.py"}, modes=modes)
    newest = log_of(history)[0]
    kinds = {file.path: (file.kind, file.status) for file in newest.files}
    assert kinds == {
        "link.py": (FileKind.SYMLINK, FileStatus.ADDED),
        "module.py": (FileKind.SUBMODULE, FileStatus.ADDED),
        "was.py": (FileKind.SYMLINK, FileStatus.TYPE_CHANGED),
    }


def test_only_so_many_of_the_newest_are_read(history, log_of):
    for number in range(5):
        history.commit({"a.py": f"a = {number}\n"}, f"no {number}", days=number)
    assert [commit.subject for commit in log_of(history, max_commits=2)] == ["no 4", "no 3"]
    newest_two = log_of(history, read_main_line, any_file, max_commits=2)
    assert [commit.subject for commit in newest_two] == ["no 3", "no 4"]


def test_of_a_commit_with_very_many_files_some_are_told(history, log_of, monkeypatch):
    monkeypatch.setattr(from_git_log, "MAX_FILES", 2)
    history.commit({f"{number}.py": "" for number in range(5)})
    [commit] = log_of(history)
    assert len(commit.files) == 2


def test_only_files_of_interest_are_told_of_the_main_line(history, log_of):
    history.commit({"a.py": "a = 1\n", "b.py": "b = 1\n"})
    [commit] = log_of(history, read_main_line, MainLine.of(["b.py"]).follows)
    assert [file.path for file in commit.files] == ["b.py"]


def test_a_message_without_end_is_refused_before_it_fills_the_memory(history, log_of, monkeypatch):
    monkeypatch.setattr(from_git_log, "MAX_TOKEN_BYTES", 1 << 18)
    history.commit({"a.py": "a = 1\n"}, b"x" * (1 << 20))
    with pytest.raises(GitError, match="a name or message of more than"):
        log_of(history)


def test_a_message_is_kept_in_part_where_it_is_long(history, log_of):
    history.commit({"a.py": "a = 1\n"}, "é" * 100_000)
    [commit] = log_of(history)
    assert set(commit.message) == {"é"}
    assert len(commit.message) == from_git_log.MAX_MESSAGE_CHARS


def test_a_file_is_followed_through_renames_and_clocks_that_run_back(history, log_of):
    text = "".join(f"line {number}\n" for number in range(20))
    history.commit({"a.py": text}, days=0)
    history.commit({"b.py": ("a.py",)}, days=100)
    history.commit({"b.py": f"{text}more\n"}, days=50)
    history.commit({"c.py": ("b.py",)}, days=200)
    history.commit({"end": ""}, days=500)
    log = log_of(history, read_main_line, any_file)
    line = MainLine.of(["a.py"])
    for commit in log:
        line.take(commit)
    start = log[0].time_s
    versions = {file.path: file.new_id for commit in log for file in commit.files}
    assert line.times_s == sorted(line.times_s)
    assert line.content_at("a.py", start, start + YEAR_S) == versions["c.py"]
    assert line.content_at("a.py", start, start) == log[0].files[0].new_id
    assert line.content_at("a.py", start, line.end_s + 1) is None
