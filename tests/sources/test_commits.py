"""Ranges and commits, in every shape of change, whatever the repository configures."""

import pytest

from dsreview.errors import RevisionError, UsageError
from dsreview.patch import FileKind, FileStatus, Span

MANY = "".join(f"line {number}\n" for number in range(40))


def only(repo, **request):
    with repo.change(**request) as change:
        (file,) = change.patch.files
        return file


@pytest.fixture
def two(repo):
    """A repository with a first commit of a few files."""
    repo.write("x.py", MANY)
    repo.write("empty", "")
    repo.write("full", "a\n")
    repo.write("run.sh", "echo\n")
    repo.commit("first")
    return repo


HOSTILE_TO_PARSERS = [
    ("color.ui", "always"),
    ("color.diff", "always"),
    ("diff.submodule", "log"),
    ("diff.submodule", "diff"),
    ("diff.noprefix", "true"),
    ("diff.mnemonicPrefix", "true"),
    ("diff.srcPrefix", "OLD/"),
    ("diff.dstPrefix", "NEW/"),
    ("diff.wordRegex", "."),
    ("diff.renames", "false"),
    ("diff.context", "0"),
    ("diff.interHunkContext", "50"),
    ("diff.algorithm", "histogram"),
    ("diff.indentHeuristic", "false"),
    ("diff.ignoreSubmodules", "all"),
    ("diff.suppressBlankEmpty", "true"),
    ("diff.orderFile", "order"),
    ("diff.relative", "true"),
    ("core.quotePath", "false"),
    ("core.bigFileThreshold", "1"),
    ("core.abbrev", "4"),
    ("core.attributesFile", "binary-everything"),
]


@pytest.mark.parametrize(("key", "value"), HOSTILE_TO_PARSERS)
def test_no_setting_of_the_repository_changes_the_patch(two, key, value):
    two.write("a/x.py", MANY.replace("line 5\n", "line five\n"))
    two.write("d/é\t.py", "new\n")
    two.git("mv", "x.py", "y.py")
    two.write("order", "y*\n")
    two.write("binary-everything", "* binary\n")
    two.commit("second")
    with two.change(revision="HEAD~1..HEAD") as plain:
        expected = plain.patch
    two.git("config", key, value)
    with two.change(revision="HEAD~1..HEAD") as change:
        assert change.patch == expected
    assert [file.path for file in expected.files] == [
        "a/x.py",
        "binary-everything",
        "d/é\t.py",
        "order",
        "y.py",
    ]


def test_attributes_hide_nothing(two):
    two.write(".gitattributes", "* -diff\n*.py binary\n")
    two.write("x.py", MANY.replace("line 5\n", "line five\n"))
    two.commit()
    with two.change(commit="HEAD") as change:
        files = {file.path: file for file in change.patch.files}
    assert not files["x.py"].is_binary
    assert files["x.py"].added_lines == {6}


@pytest.mark.parametrize("path", ["caf\u00e9.py", "a\tb", 'q"q', "back\\slash", "new\nline", "a b"])
def test_any_path_is_read_as_it_is(two, path):
    two.write(path, "one\n")
    two.commit()
    with two.change(commit="HEAD") as change:
        assert [file.path for file in change.patch.files] == [path]
        assert change.head.read(path) == b"one\n"


def test_a_path_that_is_not_utf8_comes_back_as_its_bytes(two):
    two.write(b"\xff\xe9.py", "one\n")
    two.commit()
    with two.change(commit="HEAD") as change:
        (path,) = [file.path for file in change.patch.files]
        assert path.encode("utf-8", "surrogateescape") == b"\xff\xe9.py"
        assert change.head.read(path) == b"one\n"


def test_a_top_folder_that_looks_like_a_prefix_is_kept(two):
    two.write("a/b/x.py", "1\n")
    two.write("b/x.py", "1\n")
    two.commit()
    assert [row[2] for row in two.rows(commit="HEAD")] == ["a/b/x.py", "b/x.py"]


def test_a_mode_change_of_a_path_with_spaces(two):
    two.write("x b/y b/z.sh", "echo\n")
    two.commit()
    two.git("update-index", "--chmod=+x", "x b/y b/z.sh")
    two.git("commit", "-q", "-m", "mode")
    file = only(two, commit="HEAD")
    assert (file.path, file.status) == ("x b/y b/z.sh", FileStatus.MODIFIED)
    assert (file.old_mode, file.new_mode, file.hunks) == (0o100644, 0o100755, ())


def test_a_file_emptied_is_modified_and_so_is_one_filled(two):
    two.write("full", "")
    two.write("empty", "b\n")
    two.commit()
    assert two.rows(commit="HEAD") == [
        ("modified", "empty", "empty"),
        ("modified", "full", "full"),
    ]


def test_empty_files_come_and_go(two):
    two.write("new", "")
    two.git("rm", "-q", "empty")
    two.commit()
    assert ("added", "new", "new") in two.rows(commit="HEAD") or two.rows(commit="HEAD") == [
        ("renamed", "empty", "new")
    ]


@pytest.mark.parametrize("edit", [lambda text: text, lambda text: text.replace("line 7", "seven")])
def test_renames_are_found(two, edit):
    two.git("mv", "x.py", "y.py")
    two.write("y.py", edit(MANY))
    two.commit()
    file = only(two, commit="HEAD")
    assert (file.status, file.old_path, file.path) == (FileStatus.RENAMED, "x.py", "y.py")
    assert file.num_changed_lines == 2 * (edit(MANY) != MANY)


def test_a_copy_of_a_changed_file_is_a_copy(two):
    two.write("copy.py", MANY)
    two.write("x.py", MANY + "more\n")
    two.commit()
    assert two.rows(commit="HEAD") == [
        ("copied", "x.py", "copy.py"),
        ("modified", "x.py", "x.py"),
    ]


def test_a_binary_file_has_no_hunks(two):
    two.write("x.png", b"\x89PNG\0\1")
    two.commit()
    two.write("x.png", b"\x89PNG\0\2")
    two.commit()
    file = only(two, commit="HEAD")
    assert file.is_binary
    assert file.hunks == ()


def test_a_symlink_is_its_own_kind_and_is_never_read(two):
    (two.top / "link").symlink_to("/etc/passwd")
    two.commit()
    with two.change(commit="HEAD") as change:
        (file,) = change.patch.files
        assert file.kind is FileKind.SYMLINK
        assert change.head.read("link") is None
        assert change.head.identity("link") is None
        assert "link" not in change.head.paths()


def test_a_file_that_becomes_a_link_changes_its_type(two):
    (two.top / "full").unlink()
    (two.top / "full").symlink_to("x.py")
    two.commit()
    file = only(two, commit="HEAD")
    assert file.status is FileStatus.TYPE_CHANGED
    assert [hunk.new.num_lines for hunk in file.hunks] == [0, 1]


def test_a_file_without_a_last_newline(two):
    two.write("full", "a")
    two.commit()
    (hunk,) = only(two, commit="HEAD").hunks
    assert [(line.kind.value, line.has_newline) for line in hunk.lines] == [
        ("-", True),
        ("+", False),
    ]


def test_crlf_content_keeps_its_carriage_returns(two):
    two.write("full", "a\r\nb\r\n")
    two.commit()
    (hunk,) = only(two, commit="HEAD").hunks
    assert [line.text for line in hunk.lines] == ["a", "a\r", "b\r"]


def test_line_separators_inside_a_line_do_not_end_it(two):
    two.write("full", "a\u2028b\x0cc\x85d\rx\n")
    two.commit()
    (hunk,) = only(two, commit="HEAD").hunks
    assert hunk.lines[1].text == "a\u2028b\x0cc\x85d\rx"
    assert hunk.new == Span(1, 2)


def test_the_first_commit_is_all_new(two):
    with two.change(commit="HEAD") as change:
        assert {file.status for file in change.patch.files} == {FileStatus.ADDED}
        assert change.base_name == "(nothing)"
        assert change.base.paths() == ()
        assert change.head.paths() == ("empty", "full", "run.sh", "x.py")


def test_a_merge_is_shown_against_its_first_parent(two):
    two.git("checkout", "-q", "-b", "side")
    two.write("side", "s\n")
    two.commit()
    two.git("checkout", "-q", "main")
    two.write("main", "m\n")
    two.commit()
    two.git("merge", "-q", "--no-ff", "-m", "merge", "side")
    assert two.rows(commit="HEAD") == [("added", "side", "side")]


def test_a_merge_that_resolved_a_conflict_still_has_its_hunks(two):
    two.git("checkout", "-q", "-b", "side")
    two.write("full", "side\n")
    two.commit()
    two.git("checkout", "-q", "main")
    two.write("full", "main\n")
    two.commit()
    two.git("merge", "-q", "side", check=False)
    two.write("full", "both\n")
    two.commit()
    assert only(two, commit="HEAD").num_changed_lines == 2


@pytest.fixture
def forked(two):
    two.git("checkout", "-q", "-b", "side")
    two.write("side", "s\n")
    two.commit()
    two.git("checkout", "-q", "main")
    two.write("main", "m\n")
    two.commit()
    return two


def test_two_dots_compare_the_ends(forked):
    assert forked.rows(revision="main..side") == [
        ("deleted", "main", "main"),
        ("added", "side", "side"),
    ]


@pytest.mark.parametrize("revision", ["main...side", "...side"])
def test_three_dots_start_where_the_branches_parted(forked, revision):
    assert forked.rows(revision=revision) == [("added", "side", "side")]


def test_an_empty_side_is_head(forked):
    assert forked.rows(revision="side..") == forked.rows(revision="side..main")
    assert forked.rows(revision="..side") == forked.rows(revision="main..side")


def test_histories_without_a_common_commit_have_no_merge_base(two):
    two.git("checkout", "-q", "--orphan", "other")
    two.commit("other")
    with (
        pytest.raises(RevisionError, match="no commit in common"),
        two.change(revision="main...other"),
    ):
        pass


@pytest.mark.parametrize(
    "revision", ["nope", "nope..HEAD", "HEAD..nope", "nope...HEAD", "HEAD^9", "-x..HEAD", "^HEAD"]
)
def test_a_revision_that_names_nothing_is_refused_in_one_line(two, revision):
    with pytest.raises(RevisionError) as caught, two.change(revision=revision):
        pass
    assert caught.value.exit_code == 2
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("commit", ["nope", "HEAD:x.py", "--output=pwned", "HEAD\nHEAD"])
def test_a_commit_that_is_none_is_refused(two, commit):
    with pytest.raises(RevisionError), two.change(commit=commit):
        pass
    assert not (two.top / "pwned").exists()


def test_tags_reflogs_and_short_ids_are_understood(two):
    first = two.head()
    two.git("tag", "-a", "v1", "-m", "v1")
    two.write("full", "b\n")
    second = two.commit("second")
    for revision in ("v1..HEAD", f"{first[:8]}..main", "HEAD~1..", ":/first..@", "HEAD@{1}..HEAD"):
        with two.change(revision=revision) as change:
            assert (change.base_name, change.head_name) == (first, second), revision


def test_the_empty_tree_can_be_a_side(two):
    with two.change(revision="4b825dc642cb6eb9a060e54bf8d69288fbee4904..HEAD") as change:
        assert len(change.patch.files) == 4


@pytest.mark.parametrize(
    "request_",
    [
        {"revision": "HEAD", "is_staged": True},
        {"commit": "HEAD", "revision": "HEAD"},
        {"commit": "HEAD", "is_staged": True},
        {"patch": b"", "is_staged": True},
        {"commit": "HEAD", "with_untracked": True},
        {"revision": "HEAD..HEAD", "with_untracked": True},
    ],
)
def test_what_excludes_each_other_is_refused(two, request_):
    with pytest.raises(UsageError), two.change(**request_):
        pass


def test_the_upstream_of_a_branch_is_known(make_repo, tmp_path):
    origin = make_repo("origin")
    origin.write("x", "1\n")
    origin.commit()
    origin.git("clone", "-q", str(origin.top), str(tmp_path / "clone"))
    clone = make_repo("clone")
    clone.write("x", "2\n")
    clone.commit()
    for revision in ("@{u}..", "main@{upstream}..HEAD", "@{push}...", "HEAD@{u}~0.."):
        assert clone.rows(revision=revision) == [("modified", "x", "x")], revision


def test_snapshots_say_what_they_hold(two):
    with two.change(commit="HEAD") as change:
        blob = two.git("rev-parse", "HEAD:x.py").decode().strip()
        assert change.head.identity("x.py") == blob
        assert change.head.size_bytes("x.py") == len(MANY)
        assert change.head.read("x.py") == MANY.encode()
        assert change.head.read("missing") is None
        assert change.head.size_bytes("missing") is None
        assert change.head.identity("missing") is None
