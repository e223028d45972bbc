"""Patches of any origin into values. git's own diffs are tested in tests/sources."""

import difflib
from pathlib import Path

import pytest

from dsreview.diff_parser import parse_git_diff, parse_patch
from dsreview.errors import GitError, PatchError
from dsreview.patch import FileKind, FileStatus, LineKind, Span

HUNK = "@@ -1 +1 @@\n-a\n+b\n"


def rows(text):
    patch = parse_patch(text if isinstance(text, bytes) else text.encode())
    return [(one.file.status.value, one.file.old_path, one.file.path) for one in patch.files]


def only(text):
    (one,) = parse_patch(text if isinstance(text, bytes) else text.encode()).files
    return one.file


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"diff --git a/x.py b/x.py\n--- a/x.py\n+++ b/x.py\n{HUNK}", ("modified", "x.py", "x.py")),
        (f"diff --git i/x.py w/x.py\n--- i/x.py\n+++ w/x.py\n{HUNK}", ("modified", "x.py", "x.py")),
        (f"diff --git c/d/x w/d/x\n--- c/d/x\n+++ w/d/x\n{HUNK}", ("modified", "d/x", "d/x")),
        (
            f"diff --git a/x.py a/x.py\n--- a/x.py\n+++ a/x.py\n{HUNK}",
            ("modified", "a/x.py", "a/x.py"),
        ),
        (
            "diff --git b/x.py b/x.py\nnew file mode 100644\n--- /dev/null\n+++ b/x.py\n"
            "@@ -0,0 +1 @@\n+b\n",
            ("added", "b/x.py", "b/x.py"),
        ),
        (
            f"diff --git OLD/x.py NEW/x.py\n--- OLD/x.py\n+++ NEW/x.py\n{HUNK}",
            ("modified", "x.py", "x.py"),
        ),
        (
            "diff --git p/x.py q/x.py\nsimilarity index 90%\nrename from p/x.py\nrename to q/x.py\n"
            f"--- p/x.py\n+++ q/x.py\n{HUNK}",
            ("renamed", "p/x.py", "q/x.py"),
        ),
        (
            "diff --git a/x b/y\nsimilarity index 100%\ncopy from x\ncopy to y\n",
            ("copied", "x", "y"),
        ),
        (
            "diff --git a/x b/y b/z.sh b/x b/y b/z.sh\nold mode 100644\nnew mode 100755\n",
            ("modified", "x b/y b/z.sh", "x b/y b/z.sh"),
        ),
        (
            'diff --git "a/caf\\303\\251.py" "b/caf\\303\\251.py"\n'
            f'--- "a/caf\\303\\251.py"\n+++ "b/caf\\303\\251.py"\n{HUNK}',
            ("modified", "café.py", "café.py"),
        ),
        (
            'diff --git "a/t\\ta\\nb\\"c\\\\d" "b/t\\ta\\nb\\"c\\\\d"\n'
            "old mode 100644\nnew mode 100755\n",
            ("modified", 't\ta\nb"c\\d', 't\ta\nb"c\\d'),
        ),
        (
            f"diff --git a/a b.py b/a b.py\n--- a/a b.py\t\n+++ b/a b.py\t\n{HUNK}",
            ("modified", "a b.py", "a b.py"),
        ),
        (
            "diff --git a/x.py b/x.py\nindex e69de29..78981922 100644\n"
            "--- a/x.py\n+++ b/x.py\n@@ -0,0 +1 @@\n+a\n",
            ("modified", "x.py", "x.py"),
        ),
        (
            "diff --git a/x.py b/x.py\nindex 78981922..e69de29 100644\n"
            "--- a/x.py\n+++ b/x.py\n@@ -1 +0,0 @@\n-a\n",
            ("modified", "x.py", "x.py"),
        ),
        (
            "diff --git a/e b/e\nnew file mode 100644\nindex 0000000..e69de29\n",
            ("added", "e", "e"),
        ),
        (
            "diff --git a/e b/e\ndeleted file mode 100644\nindex e69de29..0000000\n",
            ("deleted", "e", "e"),
        ),
        (
            f"--- x.py.orig\t2026-01-01 00:00:00\n+++ x.py\t2026-01-02\n{HUNK}",
            ("modified", "x.py", "x.py"),
        ),
        (f"--- old/x.py\t2026\n+++ new/x.py\t2026\n{HUNK}", ("modified", "x.py", "x.py")),
        (f"--- x.py\n+++ x.py\n{HUNK}", ("modified", "x.py", "x.py")),
        ("--- /dev/null\n+++ b/x.py\n@@ -0,0 +1 @@\n+a\n", ("added", "x.py", "x.py")),
        ("--- a/x.py\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n", ("deleted", "x.py", "x.py")),
    ],
)
def test_paths_and_status(text, expected):
    assert rows(text) == [expected]


def test_modes_come_from_the_header():
    text = "diff --git a/x b/x\nold mode 100644\nnew mode 100755\n"
    assert (only(text).old_mode, only(text).new_mode) == (0o100644, 0o100755)
    assert only(text).hunks == ()


def test_a_file_that_became_a_link_is_one_type_change():
    text = (
        "diff --git a/l b/l\ndeleted file mode 100644\nindex 7898192..0000000\n--- a/l\n"
        "+++ /dev/null\n@@ -1 +0,0 @@\n-a\n"
        "diff --git a/l b/l\nnew file mode 120000\nindex 0000000..45b983b\n--- /dev/null\n"
        "+++ b/l\n@@ -0,0 +1 @@\n+x.py\n\\ No newline at end of file\n"
    )
    file = only(text)
    assert file.status is FileStatus.TYPE_CHANGED
    assert (file.old_mode, file.new_mode) == (0o100644, 0o120000)
    assert [hunk.lines[0].kind for hunk in file.hunks] == [LineKind.REMOVED, LineKind.ADDED]


@pytest.mark.parametrize(
    "body",
    [
        "Binary files a/x.png and b/x.png differ\n",
        "GIT binary patch\nliteral 2\nJcmZQzWMT#Y01f~L\n\nliteral 0\nHcmV?d00001\n\n",
    ],
)
def test_binary_files_have_no_hunks(body):
    text = f"diff --git a/x.png b/x.png\nindex 1111111..2222222 100644\n{body}"
    file = only(text)
    assert file.is_binary
    assert file.hunks == ()


def test_a_binary_patch_does_not_swallow_the_next_file():
    text = (
        "diff --git a/x.png b/x.png\nindex 1111111..2222222 100644\nGIT binary patch\n"
        "literal 2\nJcmZQzWMT#Y01f~L\n\nliteral 0\nHcmV?d00001\n\n"
        f"diff --git a/y b/y\n--- a/y\n+++ b/y\n{HUNK}"
    )
    assert [row[2] for row in rows(text)] == ["x.png", "y"]


def test_submodules_in_the_short_and_in_the_log_form():
    short = (
        "diff --git a/mod b/mod\nindex 1111111..2222222 160000\n--- a/mod\n+++ b/mod\n@@ -1 +1 @@\n"
        f"-Subproject commit {'1' * 40}\n+Subproject commit {'2' * 40}\n"
    )
    assert only(short).kind is FileKind.SUBMODULE
    log = "Submodule mod 1111111..2222222:\n  > a message\n"
    assert (only(log).path, only(log).kind) == ("mod", FileKind.SUBMODULE)


def test_files_inside_a_submodule_are_not_files_of_this_repository():
    text = (
        "Submodule mod 1111111..2222222:\n"
        f"diff --git a/mod/m b/mod/m\nindex 7898192..6178079 100644\n--- a/mod/m\n+++ b/mod/m\n{HUNK}"
    )
    assert [row[2] for row in rows(text)] == ["mod"]


def test_content_that_looks_like_a_header_stays_content():
    text = (
        "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,4 +1,4 @@\n"
        "--- a/evil\n-diff --git a/e b/e\n-@@ -1 +1 @@\n-a\n"
        "+++ b/evil\n+diff --git a/e b/e\n+@@ -1 +1 @@\n+b\n"
    )
    file = only(text)
    assert [line.text for line in file.hunks[0].lines] == [
        "-- a/evil", "diff --git a/e b/e", "@@ -1 +1 @@", "a",
        "++ b/evil", "diff --git a/e b/e", "@@ -1 +1 @@", "b",
    ]  # fmt: skip


def test_a_missing_last_newline_belongs_to_its_line():
    (hunk,) = only(
        "--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n k\n-a\n\\ No newline at end of file\n"
        "+b\n\\ Kein Zeilenumbruch am Dateiende.\n"
    ).hunks
    assert [(line.text, line.has_newline) for line in hunk.lines] == [
        ("k", True),
        ("a", False),
        ("b", False),
    ]


def test_carriage_returns_of_the_content_are_kept():
    (hunk,) = only(b"--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n k\r\n-a\r\n+b\n").hunks
    assert [line.text for line in hunk.lines] == ["k\r", "a\r", "b"]


def test_a_patch_whose_own_lines_end_in_crlf_is_read_and_said_so():
    text = f"diff --git a/x b/x\n--- a/x\n+++ b/x\n{HUNK}".replace("\n", "\r\n")
    patch = parse_patch(text.encode())
    assert [line.text for line in patch.files[0].file.hunks[0].lines] == ["a", "b"]
    assert "CRLF" in patch.notes[0]


def test_a_heading_with_a_carriage_return_does_not_convert_the_patch():
    (hunk,) = only(b"--- a/x\n+++ b/x\n@@ -1 +1 @@ f()\r\n-a\r\n+b\r\n").hunks
    assert [line.text for line in hunk.lines] == ["a\r", "b\r"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_a_patch_written_by_powershell_is_read(encoding):
    text = f"diff --git a/é b/é\n--- a/é\n+++ b/é\n{HUNK}".replace("\n", "\r\n")
    assert rows(text.encode(encoding)) == [("modified", "é", "é")]


def test_bytes_that_are_not_utf8_survive():
    file = only(b"--- a/x\xff\n+++ b/x\xff\n@@ -1 +1 @@\n-\xe9\n+b\n")
    assert file.path.encode("utf-8", "surrogateescape") == b"x\xff"
    assert file.hunks[0].lines[0].text.encode("utf-8", "surrogateescape") == b"\xe9"


def test_blank_context_lines_may_have_lost_their_space():
    (hunk,) = only("--- a/x\n+++ b/x\n@@ -1,3 +1,3 @@\n k\n\n-a\n+b\n").hunks
    assert [line.kind for line in hunk.lines][:2] == [LineKind.CONTEXT, LineKind.CONTEXT]
    assert hunk.old == Span(1, 4)


def test_a_mail_around_the_patch_is_left_out():
    text = (
        "From 1111 Mon Sep 17 00:00:00 2001\nSubject: [PATCH] x\n\n--- a note\n---\n x | 2 +-\n\n"
        f"diff --git a/x b/x\nindex 1111111..2222222 100644\n--- a/x\n+++ b/x\n{HUNK}-- \n2.39.5\n\n"
    )
    assert rows(text + text.replace("/x", "/y").replace(" x", " y")) == [
        ("modified", "x", "x"),
        ("modified", "y", "y"),
    ]


def test_an_empty_patch_is_no_change():
    assert rows("") == []
    assert rows("\n\n") == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hello\nworld\n", "no diff found"),
        ("\x1b[1mdiff --git a/x b/x\x1b[m\n", "--no-color"),
        (
            "diff --cc x\nindex 1,2..3\n--- a/x\n+++ b/x\n@@@ -1 -1 +1 @@@\n",
            "line 1: combined diff",
        ),
        ("diff --combined x\n", "line 1: combined diff"),
        (f"{HUNK}", "line 1: hunk without"),
        ("--- a/x\n+++ b/x\n@@ -1,2 +1 @@\n-a\n+b\n", "ends inside the hunk of line 3"),
        ("--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n-b\n", "line 5: the hunk is longer"),
        ("--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n+c\n", "line 6: the hunk before it is longer"),
        ("--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n-a\n*b\n", "line 5: not a line of a hunk"),
        (f"--- a/x\n+++ b/x\n@@ -{'9' * 5000} +1 @@\n-a\n+b\n", "line 3: a hunk with a number"),
        ("--- a/x\n+++ b/x\n@@ -0,0 +0,0 @@\n", "line 3: a hunk of no lines"),
        ("--- a/x\n+++ b/x\n@@ -0,1 +1 @@\n-a\n+b\n", "line 3: a hunk that starts at line 0"),
        (f"--- a/../x\n+++ b/../x\n{HUNK}", "line 1: not a path inside"),
        (f"--- /etc/passwd\n+++ /etc/passwd\n{HUNK}", "line 1: not a path inside"),
        ('diff --git "a/x b/x\nold mode 100644\nnew mode 100755\n', "line 1: a quoted file name"),
        ('--- "a/\\q"\n+++ "b/\\q"\n' + HUNK, "unknown escape"),
        ("diff --git a/x b/y\nold mode 100644\n", "line 1: cannot tell"),
        ("diff --git a/x b/x\nold mode 12\nnew mode 100644\n", "line 1: not a file mode"),
        ("diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n[-a-]{+b+}\n", "not a line of a hunk"),
        (b"\xff\xfed\x00i\x00f", "UTF-16"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_line(text, message):
    with pytest.raises(PatchError) as caught:
        rows(text)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_patches_of_difflib_are_read():
    old, new = ["a\n", "b\n", "c\n"], ["a\n", "x\n", "c\n"]
    text = "".join(difflib.unified_diff(old, new, "x.py", "x.py"))
    assert only(text).added_lines == {2}


@pytest.mark.parametrize(
    "output",
    [
        b":000000 000000 0000000 0000000 U\0x\0\0",
        b"::100644 100644 100644 1 2 3 MM\0x\0\0",
        b":100644 100644 1111111 2222222 M\0x",
        b":100644 100644 1111111 2222222 M\0x\0\0",
        b":100644 100644 11 22 M\0x\0\0diff --git a/x b/x\nindex 33..22 100644\n"
        b"--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n",
        b"\0diff --git a/x b/x\nold mode 100644\nnew mode 100755\n",
    ],
    ids=["unmerged", "combined", "cut short", "no patch", "other ids", "not listed"],
)
def test_a_list_that_does_not_fit_its_patch_is_refused(output):
    with pytest.raises(GitError):
        parse_git_diff(output)


def test_no_output_is_no_change():
    assert parse_git_diff(b"").files == ()


def test_only_this_module_imports_unidiff():
    package = Path(parse_patch.__code__.co_filename).parent
    users = {
        path.name
        for path in package.rglob("*.py")
        if "unidiff" in path.read_text().replace("The only user of unidiff", "")
        and any(
            line.lstrip().startswith(("import unidiff", "from unidiff"))
            for line in path.read_text().splitlines()
        )
    }
    assert users == {"diff_parser.py"}
