"""Sets of known bugs: read from files of anyone's making, and written."""

import gzip
import json
import lzma

import pytest

from dsreview.benchmark.items import (
    FixEdit,
    Item,
    Kind,
    digest,
    read_items,
    reversed_item,
    write_items,
)
from dsreview.errors import UsageError

BUG = {
    "id": "one",
    "source": "ours",
    "language": "python",
    "path": "total.py",
    "before_text": "def total(xs):\n    return sum(xs)\n",
    "after_text": "def total(xs):\n    return min(xs)\n",
    "diff": "",
    "bug_lines": [2],
    "edits": [{"start": 2, "end": 2, "fix": "    return sum(xs)\n", "kind": "replace"}],
    "kind": "replace",
    "licence": "MIT",
    "stars": 5,
}
BENIGN = BUG | {"id": "two", "kind": "fix", "clean": True, "bug_lines": [], "edits": []}


def written(path, *records):
    text = "\n".join(json.dumps(record) for record in records).encode() + b"\n"
    if path.suffix == ".xz":
        text = lzma.compress(text)
    if path.suffix == ".gz":
        text = gzip.compress(text)
    path.write_bytes(text)
    return path


def test_a_record_becomes_an_item_and_unknown_keys_are_passed_over(tmp_path):
    [bug, benign] = read_items(written(tmp_path / "a.jsonl", BUG, BENIGN))
    assert (bug.id, bug.kind, bug.bug_lines, bug.is_bug) == ("one", Kind.REPLACE, (2,), True)
    assert bug.edits == (FixEdit(2, 2, "    return sum(xs)\n", "replace"),)
    assert (benign.kind, benign.is_bug) == (Kind.BENIGN, False)


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.xz", "a.jsonl.gz"])
def test_what_is_written_is_read_again_and_is_the_same_bytes_twice(tmp_path, name):
    items = list(read_items(written(tmp_path / name, BUG, BENIGN)))
    assert write_items(tmp_path / f"b{name}", items) == 2
    first = (tmp_path / f"b{name}").read_bytes()
    assert list(read_items(tmp_path / f"b{name}")) == items
    write_items(tmp_path / f"b{name}", items)
    assert (tmp_path / f"b{name}").read_bytes() == first


def test_the_digest_knows_items_and_not_files(tmp_path):
    plain = list(read_items(written(tmp_path / "a.jsonl", BUG, BENIGN)))
    packed = list(read_items(written(tmp_path / "a.jsonl.xz", dict(reversed(BUG.items())), BENIGN)))
    assert digest(plain) == digest(packed)
    assert digest(plain) != digest(plain[:1])


@pytest.mark.parametrize(
    ("after", "edits", "neutral"),
    [
        ("def total(xs):\n    return min(xs)\n", (), True),
        ("def total(xs):\n", (), False),
        (
            "def total(xs):\n    return min(xs)\n",
            ({"start": 1, "end": 1, "fix": "", "cosmetic": True},),
            False,
        ),
    ],
)
def test_neutral_is_counted_where_a_record_does_not_say(tmp_path, after, edits, neutral):
    record = BUG | {"after_text": after, "edits": edits}
    [item] = read_items(written(tmp_path / "a.jsonl", record))
    assert item.neutral is neutral
    [item] = read_items(written(tmp_path / "a.jsonl", record | {"neutral": not neutral}))
    assert item.neutral is not neutral


PUBLISHED = {
    "task_id": "Python/7",
    "prompt": "def least(xs):\n",
    "canonical_solution": "    xs = list(xs)\n    return min(xs)\n",
    "buggy_solution": "    xs = list(xs)\n    return max(xs)\n",
    "bug_type": "function misuse",
    "failure_symptoms": "incorrect output",
    "entry_point": "least",
    "import": "",
    "test_setup": "",
    "test": "assert least([1, 2]) == 1",
    "example_test": "",
}


@pytest.mark.parametrize(
    ("buggy", "kind", "lines"),
    [
        ("    xs = list(xs)\n    return max(xs)\n", Kind.REPLACE, (3,)),
        ("    return min(xs)\n", Kind.MISSING, (1, 2)),
        ("    xs = list(xs)\n    xs.pop()\n    return min(xs)\n", Kind.EXTRA, (3,)),
        ("    ys = list(xs)\n    return min(ys)\n    return 1\n", Kind.REPLACE, (2, 3, 4)),
        ("    return min(xs)\n    pass\n", Kind.MIXED, (1, 2, 3)),
    ],
)
def test_humanevalpack_is_read_as_it_is_published(tmp_path, buggy, kind, lines):
    record = PUBLISHED | {"buggy_solution": buggy}
    [item] = read_items(written(tmp_path / "a.jsonl", record))
    assert (item.id, item.path, item.language) == ("hep-python-007", "least.py", "python")
    assert item.before_text == "def least(xs):\n    xs = list(xs)\n    return min(xs)\n"
    assert (item.after_text, item.kind, item.bug_lines) == (f"def least(xs):\n{buggy}", kind, lines)
    assert item.test == PUBLISHED["test"]


@pytest.mark.parametrize("wrong", [{"task_id": "Perl/1"}, {"task_id": "Go/x"}, {"prompt": 3}])
def test_a_published_record_that_is_none_is_named(tmp_path, wrong):
    with pytest.raises(UsageError, match=r"a\.jsonl:1: "):
        list(read_items(written(tmp_path / "a.jsonl", PUBLISHED | wrong)))


def test_the_fix_of_a_bug_is_benign_and_goes_back(tmp_path):
    [bug] = read_items(written(tmp_path / "a.jsonl", BUG))
    fix = reversed_item(bug)
    assert (fix.before_text, fix.after_text) == (bug.after_text, bug.before_text)
    assert (fix.id, fix.is_bug, fix.bug_lines) == (bug.id, False, ())


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        ("{", "a.jsonl:2: Input data was truncated"),
        ("[]", "a.jsonl:2: Expected `object`"),
        ("[" * 100_000, "a.jsonl:2: "),
        ("\udcff", "a.jsonl:2: "),
        (BUG, "a.jsonl:2: id one is there twice"),
        (BENIGN | {"bug_lines": [1]}, "a clean record has bug_lines"),
        (BENIGN | {"clean": "yes"}, "$.clean"),
        (BUG | {"id": "x", "bug_lines": []}, "neither bug_lines nor clean: true"),
        (BUG | {"id": "x", "bug_lines": [0]}, "bug_lines count from 1"),
        (BUG | {"id": "x", "kind": "odd"}, "odd"),
        (BUG | {"id": "x", "path": "../up.py"}, "not relative"),
        (BUG | {"id": "x", "path": "/etc/passwd"}, "not relative"),
        (BUG | {"id": "x", "path": "a\n.py"}, "not relative"),
        (BUG | {"id": "\x1b[2J"}, "not printable"),
        (BUG | {"id": "x", "after_text": BUG["before_text"]}, "the same"),
        ({key: text for key, text in BUG.items() if key != "path"} | {"id": "x"}, "path"),
    ],
)
def test_a_bad_line_is_named(tmp_path, wrong, what):
    line = wrong if isinstance(wrong, str) else json.dumps(wrong)
    path = tmp_path / "a.jsonl"
    path.write_bytes(json.dumps(BUG).encode() + b"\n" + line.encode("utf-8", "surrogateescape"))
    with pytest.raises(UsageError) as caught:
        list(read_items(path))
    assert what in str(caught.value)
    assert f"{path}:2" in str(caught.value)


@pytest.mark.parametrize(
    "name", ["none.jsonl", "folder", "bad.jsonl.xz", "bad.jsonl.gz", "cut.jsonl.xz"]
)
def test_a_file_that_cannot_be_read_is_named(tmp_path, name):
    (tmp_path / "folder").mkdir()
    for suffix in ("xz", "gz"):
        (tmp_path / f"bad.jsonl.{suffix}").write_bytes(b"not packed at all")
    (tmp_path / "cut.jsonl.xz").write_bytes(lzma.compress(json.dumps(BUG).encode())[:-20])
    with pytest.raises(UsageError, match=name):
        list(read_items(tmp_path / name))


def test_a_set_is_written_where_its_name_says_what_it_is(tmp_path):
    item = Item("a", "python", "a.py", "1\n", "2\n", Kind.EXTRA, neutral=True, bug_lines=(1,))
    with pytest.raises(UsageError, match=r"\.jsonl"):
        write_items(tmp_path / "a.json", [item])
    with pytest.raises(UsageError, match="none"):
        write_items(tmp_path / "none" / "a.jsonl", [item])


@pytest.mark.parametrize(
    ("language", "before", "after", "neutral"),
    [
        ("python", "a = 1\n", "a = 2\n", True),
        ("python", "a = 1  # one\n", "a = 2  # one\n", True),
        ("python", "a = 1  # one\n", "a = 2\n", False),
        ("python", "a = 7 // 2\n", "a = 7 / 2\n", True),
        ("go", "a := 7 // half\n", "a := 8\n", False),
        ("java", "  * the sum\n", "  * the total\n", False),
        ("go", "a := 7\n", "a := 8\nb := 9\n", False),
    ],
)
def test_a_change_that_touches_a_comment_is_not_neutral(language, before, after, neutral, tmp_path):
    record = {
        "id": "one", "language": language, "path": "a.x", "kind": "replace",
        "before_text": before, "after_text": after, "bug_lines": [1],
    }  # fmt: skip
    place = tmp_path / "set.jsonl"
    place.write_text(json.dumps(record) + "\n")
    (item,) = read_items(place)
    assert item.neutral is neutral
