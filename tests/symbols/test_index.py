"""The index over the files of one side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata

import pytest

from dsreview import __version__, languages
from dsreview.symbols import LANGUAGES, FactReader, IndexLimits, build_index
from dsreview.symbols.index import FACTS_VERSION, has_word


@dataclass
class Tree:
    files: Mapping[str, str]
    num_reads: int = 0

    def paths(self) -> Sequence[str]:
        return tuple(sorted(self.files))

    def read(self, path: str) -> bytes | None:
        self.num_reads += 1
        return self.files[path].encode() if path in self.files else None

    def identity(self, path: str) -> str | None:
        return f"blob of {self.files[path]}"

    def size_bytes(self, path: str) -> int | None:
        return len(self.files[path])


@dataclass
class Memory:
    """A cache that is a dictionary."""

    entries: dict[str, bytes] = field(default_factory=dict)

    def get(self, key: str) -> bytes | None:
        return self.entries.get(key)

    def put(self, key: str, value: bytes) -> None:
        self.entries[key] = value


TREE = {
    "a.py": "def fetch(url):\n    return url\n",
    "b.py": "from a import fetch\n\nfetch(1)\n",
    "c.go": "package c\n\nfunc fetch() {}\n",
    "d.py": "prefetched = 1\n",
    "notes.md": "fetch\n",
}


def test_definitions_and_references_are_found_with_their_files(sandbox):
    index = build_index(Tree(TREE), ["fetch"], FactReader(sandbox, None))
    assert [site.path for site in index.definitions("fetch")] == ["a.py", "c.go"]
    assert [(site.path, site.fact.line) for site in index.references("fetch")] == [("b.py", 3)]
    assert index.is_complete
    assert index.is_defined("fetch")


def test_only_files_that_have_the_word_are_parsed(sandbox):
    index = build_index(Tree(TREE), ["fetch"], FactReader(sandbox, None))
    assert sorted(index.files) == ["a.py", "b.py", "c.go"]


def test_a_name_that_is_nowhere_is_not_defined(sandbox):
    index = build_index(Tree(TREE), ["absent"], FactReader(sandbox, None))
    assert not index.is_defined("absent")
    assert index.is_complete


def test_without_names_nothing_is_read(sandbox):
    tree = Tree(TREE)
    build_index(tree, [], FactReader(sandbox, None))
    assert tree.num_reads == 0


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (IndexLimits(max_names=1), "names to look up"),
        (IndexLimits(max_files=1), "only 1 of the files"),
        (IndexLimits(max_parsed_bytes=40), "only 1 of the files"),
        (IndexLimits(max_file_bytes=10), "larger than the 10 bytes"),
        (IndexLimits(max_searched_bytes=10), "bytes of other files"),
    ],
)
def test_a_limit_that_is_reached_is_said(sandbox, limits, reason):
    index = build_index(Tree(TREE), ["fetch", "url"], FactReader(sandbox, None), limits)
    assert not index.is_complete
    assert any(reason in gap.reason for gap in index.gaps)


def test_time_that_is_over_is_said(sandbox):
    reader, tree = FactReader(sandbox, None), Tree(TREE)
    index = build_index(tree, ["fetch"], reader, is_over=lambda: tree.num_reads > 1)
    assert list(index.files) == ["a.py", "b.py"]
    assert [gap.reason for gap in index.gaps] == ["the time budget was used up"]


def test_a_file_that_cannot_be_parsed_in_time_is_a_gap(sandbox):
    tree = Tree({"a.ts": "fetch;" + "a<b,\n" * 12_000})
    index = build_index(tree, ["fetch"], FactReader(sandbox, None))
    assert [gap.path for gap in index.gaps] == ["a.ts"]


def test_facts_are_cached_by_content_and_not_by_path(sandbox):
    text = "def fetch(url):\n    return url\n" * 200
    cache = Memory()
    first = build_index(Tree({"a.py": text}), ["fetch"], FactReader(sandbox, cache))
    again = build_index(Tree({"moved.py": text}), ["fetch"], FactReader(sandbox, cache))
    assert len(cache.entries) == 1
    assert again.files["moved.py"] == first.files["a.py"]


@dataclass
class Forged(Tree):
    """A repository that says of all its contents what another one says of its own."""

    def identity(self, path: str) -> str | None:
        return "the same blob"


def test_a_repository_cannot_spoil_the_facts_of_another(sandbox):
    cache, padding = Memory(), "x = 1\n" * 1000
    trees = [Forged({"a.py": f"def fetch({name}):\n    pass\n{padding}"}) for name in "ab"]
    readers = [FactReader(sandbox, cache) for _ in trees]
    first, second = (build_index(t, ["fetch"], r) for t, r in zip(trees, readers, strict=True))
    names = [index.definitions("fetch")[0].fact.parameters[0].name for index in (first, second)]
    assert names == ["a", "b"]
    assert len(cache.entries) == 2


def test_content_without_identity_is_not_cached(sandbox):
    cache = Memory()
    FactReader(sandbox, cache).read("python", b"x = 1\n" * 1000, None)
    assert cache.entries == {}


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_facts_are_cached_for_the_programs_that_read_them(sandbox, language):
    cache = Memory()
    FactReader(sandbox, cache).read(language, b"// x\n" * 1000, "blob")
    (key,) = cache.entries
    wheel = languages.by_name(language).grammar.split(":")[0]
    for version in (__version__, f"={metadata.version('tree-sitter')}:", metadata.version(wheel)):
        assert version in key
    assert f":{FACTS_VERSION}:" in key


def test_a_spoilt_cache_entry_is_read_again(sandbox):
    text = "def fetch(url):\n    return url\n" * 200
    cache = Memory()
    first = build_index(Tree({"a.py": text}), ["fetch"], FactReader(sandbox, cache))
    (key,) = cache.entries
    cache.entries[key] = b"\x00spoilt"
    again = build_index(Tree({"a.py": text}), ["fetch"], FactReader(sandbox, cache))
    assert again.files == first.files


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (b"fetch", True),
        (b"a.fetch()", True),
        (b"prefetch fetched", False),
        (b"prefetch fetch", True),
        (b"$fetch", False),
        (b"", False),
        ("fetché".encode(), False),
    ],
)
def test_a_word_stands_alone(source, expected):
    assert has_word(source, b"fetch") is expected


def test_minified_and_installed_files_are_no_part_of_the_repository(sandbox):
    files = {"a.min.js": "fetch()", "node_modules/b.js": "fetch()", "c.js": "fetch();" * 200}
    index = build_index(Tree(files), ["fetch"], FactReader(sandbox, None))
    assert index.files == {}
    assert index.is_complete


def test_a_limit_leaves_out_files_that_are_far_away(sandbox):
    files = {"a/x.py": "fetch(1)\n", "b/y.py": "fetch(2)\n", "vendor/z.py": "fetch(3)\n"}
    limits, reader = IndexLimits(max_files=1), FactReader(sandbox, None)
    index = build_index(Tree(files), ["fetch"], reader, limits, near=["b/changed.py"])
    assert list(index.files) == ["b/y.py"]
