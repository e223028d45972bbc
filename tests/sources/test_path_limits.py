import pytest

from dsreview.errors import UsageError


@pytest.fixture
def base(repo):
    for path in ("a/x.py", "a/b/y.py", "ab/z.py", "w*.py", "wild.py", "café.py"):
        repo.write(path, "1\n2\n3\n4\n")
    repo.commit()
    for path in ("a/x.py", "a/b/y.py", "ab/z.py", "w*.py", "wild.py", "café.py"):
        repo.write(path, "1\n2\n3\n4\n5\n")
    return repo


@pytest.mark.parametrize(
    ("folder", "paths", "expected"),
    [
        ("", ("a",), ["a/b/y.py", "a/x.py"]),
        ("", ("a/",), ["a/b/y.py", "a/x.py"]),
        ("", ("./a/x.py",), ["a/x.py"]),
        ("", ("a/b", "wild.py"), ["a/b/y.py", "wild.py"]),
        ("", ("w*.py",), ["w*.py"]),
        ("", ("café.py",), ["café.py"]),
        ("a", ("x.py",), ["a/x.py"]),
        ("a", (".",), ["a/b/y.py", "a/x.py"]),
        ("a/b", ("..",), ["a/b/y.py", "a/x.py"]),
        ("a/b", ("../../ab",), ["ab/z.py"]),
        ("a", ("..",), ["a/b/y.py", "a/x.py", "ab/z.py", "café.py", "w*.py", "wild.py"]),
    ],
)
@pytest.mark.parametrize("request_", [{}, {"revision": "HEAD"}])
def test_paths_are_literal_and_count_from_where_the_user_is(
    base, folder, paths, expected, request_
):
    assert [
        row[2] for row in base.rows(folder=base.top / folder, paths=paths, **request_)
    ] == expected


def test_without_limits_a_subfolder_still_means_the_whole_repository(base):
    assert len(base.rows(folder=base.top / "a")) == 6


def test_a_renamed_file_keeps_its_past_though_only_its_new_name_is_asked_for(base):
    base.commit()
    base.git("mv", "a/x.py", "moved.py")
    assert base.rows(paths=("moved.py",)) == [("renamed", "a/x.py", "moved.py")]
    assert base.rows(paths=("a",)) == [("renamed", "a/x.py", "moved.py")]


def test_a_path_that_did_not_change_is_no_change(base):
    base.commit()
    assert base.rows(paths=("wild.py",)) == []


@pytest.mark.parametrize(
    ("path", "message"),
    [("nope.py", "nope.py"), ("..", "outside"), ("/etc", "outside"), ("a/x", "a/x")],
)
def test_a_path_that_can_mean_nothing_is_refused(base, path, message):
    with pytest.raises(UsageError, match=message), base.change(paths=(path,)):
        pass


def test_a_deleted_file_can_be_asked_for(base):
    base.git("rm", "-qf", "wild.py")
    assert base.rows(paths=("wild.py",)) == [("deleted", "wild.py", "wild.py")]


def test_files_of_a_patch_are_limited_too(base, tmp_path):
    patch = base.git("diff")
    assert [row[2] for row in base.rows(patch=patch, paths=("ab",))] == ["ab/z.py"]
    outside = tmp_path / "outside"
    outside.mkdir()
    assert [row[2] for row in base.rows(folder=outside, patch=patch, paths=("ab",))] == ["ab/z.py"]
