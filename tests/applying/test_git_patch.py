"""What is printed as a patch is what real `git apply` makes of it."""

import random

import pytest

from dsreview.applying.git_patch import git_patch
from dsreview.applying.values import Rewrite


def applied(repository, rewrites):
    repository.git("config", "core.autocrlf", "false")
    repository.write({one.path: one.before for one in rewrites})
    patch = b"".join(map(git_patch, rewrites))
    repository.git("apply", "-", input=patch)
    return [(repository.folder / one.path).read_bytes() for one in rewrites]


NAMES = (
    *("a.py", "with space.py", " lead/tr ail /x", 'q"uote.py', "größe/名前.py", "a\tb\\c.py"),
    *("-dash.py", "caf\udce9.py", "new\nline.py", "\x1b]0;x.py", "a b/c\u202ed.py"),
)


@pytest.mark.parametrize("path", NAMES)
def test_any_name_reads_back(repository, path):
    rewrite = Rewrite(path, b"one\ntwo\n", b"one\n2\n", "")
    assert applied(repository, [rewrite]) == [rewrite.after]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"a\r\nb\r\nc\r\n", b"a\r\nB\r\nc\r\n"),
        (b"a\nb", b"a\nB"),
        (b"a\nb", b"A\nb"),
        (b"a\nb", b"a\nb\nc\n"),
        (b"a\r\nb", b"a\r\nB\r\nc"),
        (b"a\n", b""),
        (b"\xef\xbb\xbfa\nb\n", b"\xef\xbb\xbfa\nB\n"),
        (b"caf\xe9\n\x0c\nb\x85\n", b"caf\xe9\n\x0c\nB\x85\n"),
        (b"a\n" * 40, b"b\n" + b"a\n" * 38 + b"c\n"),
    ],
)
def test_any_bytes_read_back(repository, before, after):
    assert applied(repository, [Rewrite("f.py", before, after, "")]) == [after]


def test_several_files_go_in_one_patch(repository):
    rewrites = [Rewrite(f"{n}.py", b"a\nb", f"a\n{n}".encode(), "") for n in range(3)]
    assert applied(repository, rewrites) == [one.after for one in rewrites]


def test_no_change_is_no_patch():
    assert git_patch(Rewrite("f.py", b"a\n", b"a\n", "")) == b""


def test_random_edits_read_back(repository):
    choices = random.Random(0)
    rewrites = []
    for number in range(60):
        lines = [
            choices.choice([b"a", b"b", b"", b"x\r", b"\xff"])
            for _ in range(choices.randrange(1, 30))
        ]
        edited = list(lines)
        for _ in range(choices.randrange(1, 4)):
            at = choices.randrange(len(edited) + 1)
            edited[at : at + choices.randrange(3)] = [b"new"] * choices.randrange(3)
        ends = [choices.choice([b"", b"\n"]) for _ in range(2)]
        before, after = (b"\n".join(x) + end for x, end in zip((lines, edited), ends, strict=True))
        rewrites.append(Rewrite(f"{number}.py", before or b"\n", after, ""))
    assert applied(repository, rewrites) == [one.after for one in rewrites]
