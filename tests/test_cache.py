import os
import signal
import subprocess
import sys
import time

from hypothesis import given
from hypothesis import strategies as st

from dsreview.cache import DirectoryCache, ScopedCache


def test_what_was_put_is_got(tmp_path):
    cache = DirectoryCache(tmp_path / "cache")
    cache.put("key", b"value")
    assert cache.get("key") == b"value"
    assert cache.get("other") is None


def test_what_one_scope_puts_no_other_gets(tmp_path):
    cache = DirectoryCache(tmp_path / "cache")
    own, fork = ScopedCache(cache, "octo/project:own"), ScopedCache(cache, "octo/project:fork")
    fork.put("key", b"poison")
    assert (fork.get("key"), own.get("key"), cache.get("key")) == (b"poison", None, None)
    ScopedCache(cache, "a").put("bc", b"1")
    assert ScopedCache(cache, "ab").get("c") is None


def test_its_folder_is_for_the_user_alone(tmp_path):
    DirectoryCache(tmp_path / "cache").put("key", b"value")
    assert (tmp_path / "cache").stat().st_mode & 0o777 == 0o700


@given(value=st.binary(min_size=1, max_size=200), position=st.integers(0), bit=st.integers(0, 7))
def test_a_flipped_bit_is_a_miss(tmp_path_factory, value, position, bit):
    folder = tmp_path_factory.mktemp("cache")
    cache = DirectoryCache(folder)
    cache.put("key", value)
    (entry,) = folder.glob("??/*")
    content = bytearray(entry.read_bytes())
    content[position % len(content)] ^= 1 << bit
    entry.write_bytes(bytes(content))
    assert cache.get("key") is None


def test_an_entry_moved_to_another_name_is_a_miss(tmp_path):
    cache = DirectoryCache(tmp_path)
    cache.put("one", b"1")
    cache.put("two", b"2")
    one, two = sorted(tmp_path.glob("??/*"))
    two.write_bytes(one.read_bytes())
    assert {cache.get("one"), cache.get("two")} in ({b"1", None}, {b"2", None})


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path):
    (tmp_path / "cache").write_text("a file where the folder should be")
    cache = DirectoryCache(tmp_path / "cache")
    cache.put("key", b"value")
    assert cache.get("key") is None


def test_trimming_deletes_what_is_oldest(tmp_path):
    cache = DirectoryCache(tmp_path, max_bytes=2_200)
    for number in range(4):
        cache.put(str(number), bytes(1_000))
        path = cache._path(str(number))
        os.utime(path, (number, number))
    cache.trim()
    assert [cache.get(str(number)) is not None for number in range(4)] == [
        False,
        False,
        True,
        True,
    ]


WRITER = """
import sys
from dsreview.cache import DirectoryCache, ScopedCache
from pathlib import Path
cache = DirectoryCache(Path(sys.argv[1]))
number = int(sys.argv[2])
while True:
    number += 1
    cache.put(f"key{number % 50}", str(number).encode() * 5_000)
    print(number, flush=True)
"""


def test_a_killed_writer_leaves_no_torn_entry(tmp_path):
    cache = DirectoryCache(tmp_path / "cache")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    number = 0
    for round_number in range(8):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path / "cache"), str(number)],
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        assert writer.stdout.readline()
        time.sleep(0.01 * round_number)
        writer.send_signal(signal.SIGKILL)
        acknowledged = [int(line) for line in writer.communicate()[0].splitlines() if line.strip()]
        number = max([number + 1, *acknowledged])
        for entry in (tmp_path / "cache").glob("??/*"):
            if entry.suffix != ".tmp":
                content = entry.read_bytes()
                assert content.startswith(b"dsreview1")
        for key in range(50):
            value = cache.get(f"key{key}")
            if value is not None:
                text = value.decode()
                assert text == text[: len(text) // 5_000] * 5_000
        newest = f"key{number % 50}"
        assert cache.get(newest) is not None


def test_what_was_used_lately_is_not_trimmed_first(tmp_path):
    cache = DirectoryCache(tmp_path, max_bytes=2_200)
    for number in range(3):
        cache.put(str(number), bytes(1_000))
        os.utime(cache._path(str(number)), (number, number))
    assert cache.get("0") is not None
    cache.trim()
    assert [cache.get(str(number)) is not None for number in range(3)] == [True, False, True]


def test_a_cache_that_was_only_read_is_not_walked_through(tmp_path):
    DirectoryCache(tmp_path).put("key", bytes(1_000))
    reader = DirectoryCache(tmp_path, max_bytes=10)
    assert reader.get("key") is not None
    reader.trim()
    assert reader.get("key") is not None
    assert reader.keep_for_people("what a model wrote").read_text() == "what a model wrote"
    reader.trim()
    assert list(tmp_path.rglob("*.txt")) == []
    assert reader.get("key") is None
