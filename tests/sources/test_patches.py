"""Patches on the files they belong to, or alone."""

import pytest

from dsreview.errors import PatchError
from dsreview.patch import FileStatus

BASE = "".join(f"line {number}\n" for number in range(20))


@pytest.fixture
def base(repo):
    repo.write("x.py", BASE)
    repo.write("y.py", "y\n")
    repo.write("x.png", b"\0one")
    repo.commit("first")
    return repo


@pytest.fixture
def outside(tmp_path):
    folder = tmp_path / "outside"
    folder.mkdir()
    return folder


def edit(repo, number=5, text="edited"):
    content = (repo.top / "x.py").read_text()
    repo.write("x.py", content.replace(f"line {number}\n", f"{text}\n"))


def read(change, path="x.py"):
    return change.base.read(path), change.head.read(path)


def test_a_patch_that_applies_to_head(base):
    edit(base)
    patch = base.git("diff")
    base.git("checkout", "-q", ".")
    with base.change(patch=patch) as change:
        assert change.is_whole
        assert change.notes == ("the patch applies to HEAD and was reviewed on its files",)
        assert (change.base_name, change.head_name) == (base.head(), "the patch")
        assert read(change) == (BASE.encode(), BASE.replace("line 5\n", "edited\n").encode())
        assert change.head.paths() == ("x.png", "x.py", "y.py")


def test_git_diff_piped_in_is_read_as_the_worktree_would_be(base):
    edit(base)
    with base.change() as direct, base.change(patch=base.git("diff")) as piped:
        assert piped.patch == direct.patch
        assert piped.head.read("x.py") == direct.head.read("x.py")


def test_a_patch_that_the_worktree_already_has(base):
    edit(base)
    base.commit()
    with base.change(patch=base.git("diff", "HEAD~1", "HEAD")) as change:
        assert change.is_whole
        assert "the worktree has the patch already" in change.notes[0]
        assert read(change)[0] == BASE.encode()
        assert change.patch.files[0].added_lines == {6}


def test_a_patch_over_what_is_staged(base):
    edit(base, 5)
    base.git("add", "x.py")
    edit(base, 6, "more")
    with base.change(patch=base.git("diff")) as change:
        assert change.is_whole
        assert change.patch.files[0].added_lines == {7}


def test_a_new_untracked_file_of_the_patch_is_in_the_worktree(base):
    edit(base)
    base.commit()
    base.write("new.py", "n\n")
    base.git("add", "-N", "new.py")
    patch = base.git("diff", "HEAD~1")
    base.git("reset", "-q")
    with base.change(patch=patch) as change:
        assert change.is_whole
        assert [file.path for file in change.patch.files] == ["new.py", "x.py"]


def test_a_patch_that_belongs_to_neither_is_its_hunks(base):
    patch = "--- a/x.py\n+++ b/x.py\n@@ -3,2 +3,2 @@\n some\n-other\n+file\n"
    with base.change(patch=patch.encode()) as change:
        assert not change.is_whole
        assert "neither to HEAD nor to the worktree" in change.notes[-1]
        assert change.head.read("x.py") is None
        assert change.patch.files[0].added_lines == {4}


def test_hunks_are_not_moved_to_where_they_would_fit(base):
    patch = "--- a/x.py\n+++ b/x.py\n@@ -2,2 +2,2 @@\n line 5\n-line 6\n+edited\n"
    with base.change(patch=patch.encode()) as change:
        assert not change.is_whole


def test_a_hunk_without_context_fits_only_where_its_blob_says(base):
    patch = "--- a/x.py\n+++ b/x.py\n@@ -2,0 +3 @@\n+inserted\n"
    with base.change(patch=patch.encode()) as change:
        assert not change.is_whole
    base.write("x.py", BASE.replace("line 2\n", "line 2\ninserted\n"))
    with base.change(patch=base.git("diff", "-U0")) as change:
        assert change.is_whole
        assert change.patch.files[0].added_lines == {4}


def test_a_patch_outside_a_repository_is_its_hunks(base, outside):
    edit(base)
    base.write("new.py", "n\n")
    base.git("rm", "-q", "y.py")
    base.git("add", "-A")
    with base.change(folder=outside, patch=base.git("diff", "HEAD")) as change:
        assert not change.is_whole
        assert "the folder is in no repository" in change.notes[-1]
        assert [file.path for file in change.patch.files] == ["new.py", "x.py", "y.py"]
        assert change.head.read("x.py") is None
        assert change.head.read("new.py") == b"n\n"
        assert change.head.size_bytes("new.py") == 2
        assert change.base.read("y.py") == b"y\n"
        assert change.head.paths() == ("new.py",)


def test_every_kind_of_change_is_applied(base, outside):
    base.git("mv", "x.py", "moved.py")
    edited = BASE.replace("line 9\n", "nine\n")
    base.write("moved.py", edited)
    base.write("copied.py", edited + "more\n")
    (base.top / "y.py").unlink()
    (base.top / "y.py").symlink_to("moved.py")
    base.write("run.sh", "echo\n")
    (base.top / "run.sh").chmod(0o755)
    base.write("x.png", b"\0two")
    base.write("empty", "")
    base.git("add", "-A")
    patch = base.git("diff", "--cached", "-M", "-C")
    expected = base.rows(is_staged=True)
    base.git("reset", "-q", "--hard")
    with base.change(patch=patch) as change:
        assert change.is_whole
        found = {(one.status.value, one.old_path, one.path) for one in change.patch.files}
        assert found == set(expected)
        assert change.head.read("moved.py") == edited.encode()
        files = {file.path: file for file in change.patch.files}
        assert files["x.png"].is_binary
        assert files["run.sh"].new_mode == 0o100755
        assert files["y.py"].status is FileStatus.TYPE_CHANGED
    assert set(base.rows(folder=outside, patch=patch)) == set(expected)


def test_several_commits_in_a_row_become_one_change(base, outside):
    edit(base, 5)
    base.commit()
    edit(base, 6, "six")
    base.write("new.py", "1\n")
    base.commit()
    base.write("new.py", "2\n")
    base.commit()
    mails = base.git("format-patch", "--stdout", "HEAD~3")
    for position in ("HEAD", "HEAD~3"):
        base.git("checkout", "-q", position)
        with base.change(patch=mails) as change:
            assert change.is_whole
            assert [row.path for row in change.patch.files] == ["new.py", "x.py"]
            assert change.head.read("new.py") == b"2\n"
        base.git("checkout", "-q", "main")
    with (
        pytest.raises(PatchError, match="patched a second time"),
        base.change(folder=outside, patch=mails),
    ):
        pass


@pytest.mark.parametrize(
    "options",
    [
        ("--no-prefix",),
        ("--src-prefix=OLD/", "--dst-prefix=NEW/"),
        ("-U0",),
        ("-U50",),
        ("--full-index", "--binary"),
        ("-R",),
        ("--no-renames",),
        ("--histogram",),
        ("-W",),
        ("--abbrev=4",),
        ("--stat", "-p"),
        ("--raw", "-p"),
    ],
)
def test_whatever_options_made_the_patch(base, options):
    edit(base)
    base.write("a/x.py", "in a folder called a\n")
    base.git("add", "-A")
    base.commit()
    patch = base.git("diff", *options, "HEAD~1", "HEAD")
    with base.change(patch=patch) as change:
        assert change.is_whole, change.notes
        assert [row.path for row in change.patch.files] == ["a/x.py", "x.py"]


def test_a_patch_of_changed_whitespace_only_is_hunks(base):
    base.write("x.py", BASE.replace("line 5\n", "line  5\nmore\n"))
    base.commit()
    patch = base.git("diff", "-w", "HEAD~1")
    base.git("checkout", "-q", "HEAD~1")
    with base.change(patch=patch) as change:
        assert not change.is_whole


@pytest.mark.parametrize("folder", ["inside", "outside"])
def test_a_malformed_patch_is_refused_with_its_line(base, outside, folder):
    with (
        pytest.raises(PatchError, match=r"^line 4: ") as caught,
        base.change(
            folder=base.top if folder == "inside" else outside,
            patch=b"--- a/x\n+++ b/x\n@@ -1,9 +1,9 @@\n-a\n",
        ),
    ):
        pass
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("folder", ["inside", "outside"])
def test_an_empty_patch_is_no_change(base, outside, folder):
    assert base.rows(folder=base.top if folder == "inside" else outside, patch=b"") == []


def test_a_patch_of_a_file_that_does_not_exist_is_hunks(base):
    patch = b"--- a/none.py\n+++ b/none.py\n@@ -1 +1 @@\n-a\n+b\n"
    with base.change(patch=patch) as change:
        assert not change.is_whole


def test_a_patch_cannot_reach_out_of_the_repository(base, tmp_path):
    (tmp_path / "secret").write_text("a\n")
    with (
        pytest.raises(PatchError, match="not a path inside"),
        base.change(patch=b"--- a/../secret\n+++ b/../secret\n@@ -1 +1 @@\n-a\n+b\n"),
    ):
        pass
    (base.top / "link").symlink_to(tmp_path)
    with base.change(patch=b"--- /dev/null\n+++ b/link/secret\n@@ -0,0 +1 @@\n+a\n") as change:
        assert change.head.read("link/secret") == b"a\n"
        assert change.base.read("link/secret") is None
        assert "applies to HEAD" in change.notes[0]


@pytest.mark.parametrize(
    "name", [".dsreview.toml", ".dsreviewignore", "pyproject.toml", ".dsreview/rules/own.yml"]
)
def test_a_patch_alone_cannot_bring_settings_by_deleting_them(base, outside, name):
    base.write(name, "*\n")
    base.commit()
    base.git("rm", "-q", name)
    with base.change(folder=outside, patch=base.git("diff", "HEAD")) as change:
        assert [file.path for file in change.patch.files] == [name]
        assert change.base.read(name) is None
