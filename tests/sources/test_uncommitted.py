"""The worktree and the index, read without git and without touching them."""

import hashlib
import os
import time

import pytest

from dsreview.errors import UsageError
from dsreview.patch import FileKind, FileStatus

LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize {}\n"


@pytest.fixture
def base(repo):
    repo.write("x.py", "one\ntwo\nthree\n")
    repo.write("d/y.py", "y\n")
    repo.write("run.sh", "echo\n")
    repo.commit("first")
    return repo


def settle(repo):
    """Lets the index be older than the next change, as it is in real life."""
    time.sleep(0.02)
    repo.git("update-index", "--refresh")
    time.sleep(0.02)


def only(repo, **request):
    with repo.change(**request) as change:
        (file,) = change.patch.files
        return file


def test_a_clean_worktree_is_no_change(base):
    with base.change() as change:
        assert change.patch.files == ()
        assert change.base_name == base.head()
        assert change.head_name == "worktree"
        assert change.head.paths() == ("d/y.py", "run.sh", "x.py")
        assert change.head.read("d/y.py") == b"y\n"


def test_the_worktree_is_compared_with_head_whatever_is_staged(base):
    base.write("x.py", "one\nTWO\nthree\n")
    base.git("add", "x.py")
    base.write("d/y.py", "yy\n")
    assert [row[2] for row in base.rows()] == ["d/y.py", "x.py"]
    assert [row[2] for row in base.rows(is_staged=True)] == ["x.py"]


def test_a_change_that_was_staged_and_taken_back_is_none(base):
    base.write("x.py", "changed\n")
    base.git("add", "x.py")
    base.write("x.py", "one\ntwo\nthree\n")
    assert base.rows() == []
    assert base.rows(is_staged=True) == [("modified", "x.py", "x.py")]


def test_an_older_revision_is_compared_with_the_worktree(base):
    base.write("x.py", "one\nTWO\nthree\n")
    base.commit("second")
    base.write("d/y.py", "yy\n")
    assert [row[2] for row in base.rows(revision="HEAD~1")] == ["d/y.py", "x.py"]
    base.git("checkout", "-q", "d/y.py")
    assert base.rows(revision="HEAD~1") == base.rows(commit="HEAD")


def test_a_change_of_the_same_size_in_the_same_instant_is_seen(base):
    status = (base.top / "x.py").stat()
    base.write("x.py", "one\ntwo\nTHREE\n")
    os.utime(base.top / "x.py", ns=(status.st_atime_ns, status.st_mtime_ns))
    assert base.rows() == [("modified", "x.py", "x.py")]


def test_a_touched_file_is_no_change(base):
    settle(base)
    os.utime(base.top / "x.py")
    assert base.rows() == []


def test_files_come_and_go(base):
    (base.top / "x.py").unlink()
    base.write("new.py", "n\n")
    base.git("add", "new.py")
    base.write("untracked.py", "u\n")
    assert base.rows() == [("added", "new.py", "new.py"), ("deleted", "x.py", "x.py")]


def test_a_file_added_by_name_only_is_new_in_the_worktree_and_not_staged(base):
    base.write("new.py", "n\n")
    base.git("add", "-N", "new.py")
    assert base.rows() == [("added", "new.py", "new.py")]
    assert base.rows(is_staged=True) == []


def test_executable_bits(base):
    (base.top / "run.sh").chmod(0o755)
    file = only(base)
    assert (file.old_mode, file.new_mode, file.hunks) == (0o100644, 0o100755, ())


def test_executable_bits_that_mean_nothing_are_left_out(base):
    base.git("config", "core.fileMode", "false")
    (base.top / "run.sh").chmod(0o755)
    assert base.rows() == []


def test_a_tracked_file_replaced_by_a_link_is_not_followed(base):
    (base.top / "x.py").unlink()
    (base.top / "x.py").symlink_to("/etc/passwd")
    with base.change() as change:
        (file,) = change.patch.files
        assert file.status is FileStatus.TYPE_CHANGED
        assert file.kind is FileKind.SYMLINK
        assert change.head.read("x.py") is None


def test_a_link_replaced_by_a_file(base):
    (base.top / "link").symlink_to("x.py")
    base.commit()
    (base.top / "link").unlink()
    base.write("link", "text\n")
    assert only(base).status is FileStatus.TYPE_CHANGED
    assert only(base).kind is FileKind.REGULAR


def test_a_link_that_points_elsewhere(base):
    (base.top / "link").symlink_to("x.py")
    base.commit()
    (base.top / "link").unlink()
    (base.top / "link").symlink_to("y.py")
    assert only(base).added_lines == {1}


def test_a_folder_replaced_by_a_link_hides_no_file_behind_it(base, tmp_path):
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "y.py").write_text("private\n")
    (base.top / "d" / "y.py").unlink()
    (base.top / "d").rmdir()
    (base.top / "d").symlink_to(tmp_path / "secret")
    assert base.rows() == [("deleted", "d/y.py", "d/y.py")]
    with base.change(with_untracked=True) as change:
        assert b"private\n" not in [change.head.read(path) for path in change.head.paths()]


@pytest.mark.parametrize("kind", ["fifo", "folder"])
def test_what_is_neither_file_nor_link_is_a_deletion(base, kind):
    (base.top / "x.py").unlink()
    (os.mkfifo if kind == "fifo" else os.mkdir)(base.top / "x.py")
    assert base.rows() == [("deleted", "x.py", "x.py")]


def test_line_ends_alone_are_no_change_and_are_told(base):
    base.write("x.py", "one\r\ntwo\r\nthree\r\n")
    with base.change() as change:
        assert change.patch.files == ()
        assert "x.py differs from the index in its line ends alone" in change.notes[0]


def test_an_edit_of_a_file_with_converted_line_ends_shows_the_edit_alone(base):
    base.write("x.py", "one\r\nTWO\r\nthree\r\n")
    file = only(base)
    assert file.added_lines == {2}
    assert file.hunks[0].lines[2].text == "TWO"


def test_one_carriage_return_among_edits_is_kept(base):
    base.write("x.py", "one\r\nTWO\nthree\n")
    assert only(base).added_lines == {1, 2}


def test_content_of_an_lfs_pointer_is_no_change(base):
    content = b"\x89PNG\0 large"
    base.write("x.png", LFS.format(hashlib.sha256(content).hexdigest(), len(content)))
    base.commit()
    base.write("x.png", content)
    assert base.rows() == []


def test_other_content_of_an_lfs_pointer_shows_the_new_pointer(base):
    base.write("x.png", LFS.format("0" * 64, 3))
    base.commit()
    base.write("x.png", b"new\0")
    with base.change() as change:
        (file,) = change.patch.files
        assert file.num_changed_lines == 4
        digest = hashlib.sha256(b"new\0").hexdigest()
        assert change.head.read("x.png") == LFS.format(digest, 4).encode()


def test_untracked_files_are_taken_in_on_demand(base):
    base.write(".gitignore", "*.log\n/build/\n!keep.log\n")
    base.write("d/.gitignore", "!also.log\nlocal\n")
    base.commit()
    for path in ("a.py", "a.log", "keep.log", "build/b.py", "d/also.log", "d/local", "e/f.py"):
        base.write(path, "new\n")
    base.write("nested/.git/HEAD", "ref: refs/heads/main\n")
    base.write("nested/inner.py", "not ours\n")
    base.write(".git/info/exclude", "e/\n")
    assert [row[2] for row in base.rows(with_untracked=True)] == [
        "a.py",
        "d/also.log",
        "keep.log",
    ]
    assert base.rows() == []


def test_untracked_files_are_those_that_git_names(base):
    ignore = "*.o\n!important.o\nfoo/*\n!foo/bar\n**/deep\n/top.txt\ntrail/\n\\#hash\n[ab].c\n"
    base.write(".gitignore", ignore)
    base.commit()
    for path in (
        "x.o", "important.o", "foo/a", "foo/bar", "p/q/deep/z", "top.txt", "s/top.txt",
        "trail/t", "s/trail", "#hash", "a.c", "c.c", "sp ace.c", "é.py", "d/n/ew.py",
    ):  # fmt: skip
        base.write(path, "new\n")
    expected = base.git("ls-files", "--others", "--exclude-standard", "-z").decode().split("\0")
    assert {row[2] for row in base.rows(with_untracked=True)} == set(expected[:-1])


def test_a_conflict_is_shown_as_the_file_stands_and_told(base):
    base.git("checkout", "-q", "-b", "side")
    base.write("x.py", "side\n")
    base.commit()
    base.git("checkout", "-q", "main")
    base.write("x.py", "main\n")
    base.commit()
    base.git("merge", "-q", "side", check=False)
    with base.change() as change:
        (file,) = change.patch.files
        assert "<<<<<<<" in file.hunks[0].lines[0].text
        assert change.notes == ("x.py has unresolved conflicts",)
    with pytest.raises(UsageError, match="unresolved conflicts"), base.change(is_staged=True):
        pass


def test_what_git_was_told_to_leave_alone_is_left_alone_and_told(base):
    base.git("update-index", "--assume-unchanged", "x.py")
    base.git("update-index", "--skip-worktree", "d/y.py", "run.sh")
    base.write("x.py", "changed\n")
    base.write("d/y.py", "changed\n")
    (base.top / "run.sh").unlink()
    with base.change() as change:
        assert change.patch.files == ()
        assert "d/y.py, x.py are marked as unchanged" in change.notes[0]


def test_a_sparse_checkout_deletes_nothing(base):
    base.git("sparse-checkout", "set", "--cone", "--sparse-index", "nothing")
    assert not (base.top / "d" / "y.py").exists()
    assert base.rows() == []
    assert base.rows(is_staged=True) == []


def test_a_branch_without_commits_is_compared_with_nothing(repo):
    repo.write("x.py", "x\n")
    repo.git("add", "x.py")
    for request in ({}, {"is_staged": True}):
        with repo.change(**request) as change:
            assert change.base_name == "(nothing)"
            assert [file.status for file in change.patch.files] == [FileStatus.ADDED]
    with pytest.raises(UsageError, match="HEAD names no commit yet"), repo.change(revision="HEAD"):
        pass


def test_an_empty_repository_is_no_change(repo):
    assert repo.rows() == []
    assert repo.rows(is_staged=True) == []


def test_an_amended_commit_is_compared_with_its_tip(base):
    base.write("x.py", "staged\n")
    base.git("add", "x.py")
    base.write("x.py", "worktree\n")
    with base.change(is_staged=True) as change:
        assert change.head.read("x.py") == b"staged\n"
        assert change.head_name == "index"


def test_a_large_file_is_read_in_parts(base):
    base.write("large.txt", b"x" * 79 + b"\n")
    base.commit()
    content = (b"y" * 79 + b"\n") * 450_000
    base.write("large.txt", content)
    with base.change() as change:
        assert change.head.size_bytes("large.txt") == len(content)
        assert change.head.read("large.txt") == content


def test_snapshots_of_the_worktree_do_not_change_with_it(base):
    base.write("x.py", "as reviewed\n")
    with base.change() as change:
        base.write("x.py", "edited meanwhile\n")
        assert change.head.read("x.py") == b"as reviewed\n"


def test_a_file_too_large_to_compare_is_told(base):
    base.write("large.txt", b"x" * 9_000_000)
    base.git("add", "-A")
    with base.change(is_staged=True) as change:
        (file,) = change.patch.files
        assert file.hunks == ()
        assert "large.txt is larger than 8 MB and was not compared" in change.notes[0]


def test_a_file_that_cannot_be_read_is_told_and_stops_nothing(base):
    blob = base.git("rev-parse", "HEAD:x.py").decode().strip()
    path = "d/" + "n" * 300
    base.git("update-index", "--add", "--cacheinfo", f"100644,{blob},{path}")
    base.git("commit", "-q", "-m", "a name that no file can have")
    base.write("x.py", "changed\n")
    with base.change() as change:
        assert [file.path for file in change.patch.files] == ["x.py"]
        assert change.notes == (f"{path} could not be read and was taken as the index has it",)
