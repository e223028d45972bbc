import random
import subprocess
import time

import pytest

from dsreview.ignore_patterns import IgnorePatterns


def decided_by_git(folder, patterns, paths):
    (folder / ".gitignore").write_text("".join(f"{one}\n" for one in patterns))
    run = subprocess.run(
        ["git", "check-ignore", "--no-index", "--stdin", "-z"],
        cwd=folder,
        input="\0".join(paths).encode(),
        capture_output=True,
    )
    return set(run.stdout.decode().split("\0")) - {""}


def decided_here(patterns, paths):
    spec = IgnorePatterns.from_lines(patterns)
    return {path for path in paths if spec.ignores(path)}


PATTERNS = (
    *("*.o", "!important.o", "/top", "a/", "a/*", "!a/b", "**/deep", "a/**", "a/**/b", "**"),
    *("**/", "*/", "/*", "*", "!a", "!a/", "[ab].c", "[!ab].c", "[a-c]?", "[]a]x", "[^]a]x"),
    *("\\#x", "#x", "\\!x", "x ", "x\\ ", "", "!", "/", "//", "[", "a[", "\\", "a\\", "[z-a]"),
    *("a*b*c", "*a*a*", "??", "a**b", "[[:digit:]]*", "a//b", "!!x", "a/b/", "/a/b", "a/*/c"),
)
NAMES = ("a", "b", "c", "top", "deep", "x.o", "important.o", "a.c", "z.c", "]x", "ax", "bx")
MORE_NAMES = ("#x", "!x", "x ", "x", "abc", "aXbYc", "aa", "1x", "[", "\\", "a[")


def test_decides_as_git_does(tmp_path):
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    draw = random.Random(0)
    for _ in range(150):
        patterns = [draw.choice(PATTERNS) for _ in range(draw.randint(1, 5))]
        paths = {
            "/".join(draw.choice(NAMES + MORE_NAMES) for _ in range(draw.randint(1, 4)))
            for _ in range(40)
        }
        assert decided_here(patterns, paths) == decided_by_git(tmp_path, patterns, sorted(paths))


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("*a" * 30 + "*b", "a" * 250),
        ("**/a/" * 30 + "b", "a/" * 1000 + "a"),
        ("?" * 100 + "*?" * 100 + "z", "a" * 250),
        ("**/*a*/" * 20 + "b", "a/" * 1000 + "a"),
    ],
    ids=["stars in a name", "stars for folders", "many question marks", "both"],
)
def test_no_pattern_keeps_the_program_busy(pattern, path):
    started = time.process_time()
    assert not IgnorePatterns.from_lines([pattern]).ignores(path)
    assert time.process_time() - started < 2.0


def test_a_pattern_that_is_none_matches_nothing():
    assert IgnorePatterns.from_lines(["!", "[", "//", "\\", "[z-a]"]).patterns == ()
