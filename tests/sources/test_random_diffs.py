"""Random pairs of texts: what is read from a diff is what git applies."""

import contextlib
import difflib
import random
import subprocess

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dsreview.diff_parser import parse_patch
from dsreview.errors import PatchError
from dsreview.patch import Hunk, LineKind
from dsreview.sources.hunk_application import apply_hunks, reverse

LINES = (
    "", "a", "b", "-- x", "++ y", "@@ -1 +1 @@", "diff --git a/x b/x", "--- a/x", "+++ b/x",
    "\\ No newline at end of file", " lead", "\ttab", "trail \r", "\r", "\x0c", "\u2028", "é",
    "index 1..2", "Binary files a and b differ", "-- ", "--", "+", "-", "\x1b[31m", "Submodule x 1..2",
)  # fmt: skip
LATIN1 = b"caf\xe9"
line = st.one_of(
    st.sampled_from(LINES).map(lambda text: text.encode()),
    st.just(LATIN1),
    st.binary(max_size=6).map(lambda raw: raw.replace(b"\n", b"").replace(b"\0", b"")),
)


def join(lines, has_newline):
    text = b"".join(one + b"\n" for one in lines)
    return text if has_newline or not text else text[:-1]


text = st.builds(join, st.lists(line, max_size=12), st.booleans())


@st.composite
def edited(draw, old):
    """Mostly the old text, with a few lines put in, out or elsewhere."""
    lines = old.split(b"\n")
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(lines)))
        lines[at : at + draw(st.integers(0, 2))] = draw(st.lists(line, max_size=2))
    return b"\n".join(lines)


pair = text.flatmap(lambda old: st.tuples(st.just(old), st.one_of(text, edited(old))))


def render(hunks: tuple[Hunk, ...]) -> bytes:
    """A patch of these hunks, as git reads it."""
    found = [b"--- a/x\n+++ b/x\n"]
    for hunk in hunks:
        spans = []
        for span in (hunk.old, hunk.new):
            start = span.start if span.num_lines else span.start - 1
            spans.append(f"{start},{span.num_lines}")
        found.append(f"@@ -{spans[0]} +{spans[1]} @@\n".encode())
        for one in hunk.lines:
            raw = one.text.encode("utf-8", "surrogateescape")
            found.append(one.kind.value.encode() + raw + b"\n")
            if not one.has_newline:
                found.append(b"\\ No newline at end of file\n")
    return b"".join(found)


def difflib_diff(old, new, context):
    old_lines, new_lines = (side.split(b"\n") for side in (old, new))
    lines = []
    for sides in (old_lines, new_lines):
        last = sides.pop()
        sides[:] = [one + b"\n" for one in sides] + ([last] if last else [])
    for one in difflib.diff_bytes(
        difflib.unified_diff, old_lines, new_lines, b"a/x", b"b/x", n=context
    ):
        lines.append(one if one.endswith(b"\n") else one + b"\n\\ No newline at end of file\n")
    return b"".join(lines)


def check_pair(old, new, context):
    patch = difflib_diff(old, new, context)
    files = parse_patch(patch).files
    if old == new:
        assert files == ()
        return
    (file,) = (one.file for one in files)
    assert apply_hunks(old, file.hunks) == new
    assert apply_hunks(new, reverse(file).hunks) == old
    assert parse_patch(render(file.hunks)).files[0].file.hunks == tuple(
        Hunk(hunk.old, hunk.new, "", hunk.lines) for hunk in file.hunks
    )
    numbers = [n for n, one in enumerate(new.split(b"\n"), 1)]
    for hunk in file.hunks:
        for one in hunk.lines:
            assert (one.old_number is None) == (one.kind is LineKind.ADDED)
            assert one.new_number is None or one.new_number in numbers
        assert all(gap in hunk.new or gap == hunk.new.stop for gap in hunk.gaps)


QUIET = {"deadline": None, "suppress_health_check": list(HealthCheck), "derandomize": True}


@settings(max_examples=600, **QUIET)
@given(pair, st.integers(0, 4))
def test_hunks_read_from_a_diff_give_the_new_text_and_back(texts, context):
    check_pair(*texts, context)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@settings(max_examples=20_000, **QUIET)
@given(pair, st.integers(0, 4))
def test_hunks_of_twenty_thousand_diffs(texts, context):
    check_pair(*texts, context)


@st.composite
def mutant(draw):
    old, new = draw(pair)
    patch = bytearray(
        b"diff --git a/x b/x\nindex 1111111..2222222 100644\n" + difflib_diff(old, new, 3)
    )
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(patch)))
        junk = draw(
            st.one_of(st.binary(max_size=4), st.sampled_from([one.encode() for one in LINES]))
        )
        patch[at : at + draw(st.integers(0, 8))] = junk
    return bytes(patch)


def check_mutant(patch):
    files = ()
    with contextlib.suppress(PatchError):
        files = parse_patch(patch).files
    for one in files:
        for hunk in one.file.hunks:
            assert hunk.old.num_lines == sum(x.kind is not LineKind.ADDED for x in hunk.lines)
            assert hunk.new.num_lines == sum(x.kind is not LineKind.REMOVED for x in hunk.lines)


@settings(max_examples=600, **QUIET)
@given(mutant())
def test_a_broken_diff_is_refused_or_read_consistently(patch):
    check_mutant(patch)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@settings(max_examples=20_000, **QUIET)
@given(mutant())
def test_twenty_thousand_broken_diffs(patch):
    check_mutant(patch)


def random_text(dice):
    size = dice.choice((0, 1, 2, 5, 12, 40))
    lines = [
        dice.choice((*LINES, LATIN1.decode("latin-1"), str(dice.random()))) for _ in range(size)
    ]
    return join([one.encode() for one in lines], dice.random() < 0.8)


def random_edit(dice, old):
    lines = old.split(b"\n")
    for _ in range(dice.randrange(1, 5)):
        at = dice.randrange(len(lines) + 1)
        lines[at : at + dice.randrange(3)] = [
            dice.choice(LINES).encode() for _ in range(dice.randrange(3))
        ]
    return b"\n".join(lines)


def check_batch(repo, seed, size):
    """git makes `size` diffs at once and applies what was read from them, at once."""
    dice = random.Random(seed)
    pairs = {}
    for number in range(size):
        old = random_text(dice)
        pairs[f"f{number:05}"] = (
            old,
            random_edit(dice, old) if dice.random() < 0.8 else random_text(dice),
        )
    for path, (old, _) in pairs.items():
        repo.write(path, old)
    repo.commit("old")
    for path, (_, new) in pairs.items():
        repo.write(path, new)
    head = repo.commit("new")
    # not -W: git 2.39 writes hunks that overlap then, and such a patch applies nowhere
    options = dice.choice((["-U3"], ["-U0"], ["-U1", "--histogram"], ["-U5", "--patience"]))
    with repo.change(commit=head) as change:
        by_list = {file.path: file for file in change.patch.files}
    text = repo.git("diff", "--no-renames", *options, "HEAD~1", "HEAD")
    by_text = {one.file.path: one.file for one in parse_patch(text).files}
    changed = {path for path, (old, new) in pairs.items() if old != new}
    assert set(by_text) == changed
    assert set(by_list) >= changed - {file.old_path for file in by_list.values()}
    patches = []
    for path in sorted(changed):
        old, new = pairs[path]
        file = by_text[path]
        assert apply_hunks(old, file.hunks) == new, path
        if by_list[path].status.value == "modified":
            assert apply_hunks(old, by_list[path].hunks) == new, path
        patches.append(render(file.hunks).replace(b"/x\n", b"/" + path.encode() + b"\n", 2))
    repo.git("checkout", "-q", "HEAD~1")
    subprocess.run(
        ["git", "apply", "--unidiff-zero", "--whitespace=nowarn", "-"],
        cwd=repo.top, input=b"".join(patches), check=True, capture_output=True,
    )  # fmt: skip
    for path in changed:
        assert (repo.top / path).read_bytes() == pairs[path][1], path


@pytest.mark.parametrize("seed", range(2))
def test_git_applies_what_was_read(repo, seed):
    check_batch(repo, seed, 400)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(100, 120))
def test_git_applies_what_was_read_of_twenty_thousand_diffs(repo, seed):
    check_batch(repo, seed, 1000)
