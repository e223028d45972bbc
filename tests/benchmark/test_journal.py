"""What a run has done is known after any crash, and no other run takes it for its own."""

import resource
import signal
from dataclasses import replace

import pytest

from dsreview.benchmark.items import Kind
from dsreview.benchmark.journal import Header, Journal
from dsreview.benchmark.replay import Replayed
from dsreview.benchmark.results import Outcome, Side, Time
from dsreview.errors import ReviewError, UsageError

HEADER = Header(1, "0.1.0", "set", "model", "settings", 1, run_tests=False)


def replayed(name):
    outcome = Outcome(name, Side.BENIGN, "python", Kind.BENIGN, neutral=True, status="complete")
    return Replayed((outcome,), (Time(name, Side.BENIGN, 0.5, 0.0),), "")


@pytest.fixture
def place(tmp_path):
    """A journal with two chunks."""
    path = tmp_path / "journal.jsonl"
    journal = Journal.open(path, HEADER, fresh=False)
    assert journal.done == ()
    journal.append([replayed("a"), replayed("b")])
    journal.append([replayed("c")])
    journal.close()
    return path


def known(path, header=HEADER, *, fresh=False):
    journal = Journal.open(path, header, fresh=fresh)
    journal.close()
    return journal.done


CHUNKS = ((replayed("a"), replayed("b")), (replayed("c"),))


def test_what_was_appended_is_known(place):
    assert known(place) == CHUNKS
    assert known(place, fresh=True) == ()


def test_a_cut_at_any_byte_loses_only_the_line_that_it_cuts(place):
    whole = place.read_bytes()
    ends = [at + 1 for at, byte in enumerate(whole) if byte == ord("\n")]
    near = {end + step for end in ends for step in (-1, 0, 1)} - {len(whole) + 1}
    for length in sorted({*near, 0, 1, *range(0, len(whole), 50)}):
        place.write_bytes(whole[:length])
        num_whole = sum(end <= length for end in ends)
        assert known(place) == CHUNKS[: max(0, num_whole - 1)]


def test_after_a_cut_it_goes_on_behind_the_last_whole_line(place):
    place.write_bytes(place.read_bytes()[:-5])
    journal = Journal.open(place, HEADER, fresh=False)
    journal.append([replayed("d")])
    journal.close()
    assert known(place) == (CHUNKS[0], (replayed("d"),))


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"dsreview": "9"}, "another version of dsreview"),
        ({"set_sha256": "other"}, "another set"),
        ({"model_identity": "other"}, "another model"),
        ({"settings": "other", "chunk_size": 4}, "another settings and another batch size"),
        ({"run_tests": True}, "another --run-tests"),
        ({"journal_version": 2}, "another format"),
    ],
)
def test_of_another_run_it_is_refused_and_left_as_it_is(place, other, words):
    before = place.read_bytes()
    with pytest.raises(UsageError, match=words) as caught:
        known(place, replace(HEADER, **other))
    assert "--fresh" in str(caught.value)
    assert place.read_bytes() == before


@pytest.mark.parametrize(
    "content", [b"{}\n", b"no json\n", b"\xff\n", b"two\nlines", b"no line end"]
)
def test_what_is_no_journal_is_refused_and_left_as_it_is(place, content):
    place.write_bytes(content)
    with pytest.raises(UsageError, match="no journal of this version"):
        known(place)
    assert place.read_bytes() == content


def test_a_link_is_not_followed(place):
    link = place.with_name("link.jsonl")
    link.symlink_to(place)
    with pytest.raises(UsageError, match=r"link\.jsonl"):
        known(link)


def test_a_full_disk_is_told_and_costs_nothing_that_was_known(place):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    journal = Journal.open(place, HEADER, fresh=False)
    resource.setrlimit(resource.RLIMIT_FSIZE, (place.stat().st_size + 20, limits[1]))
    try:
        with pytest.raises(ReviewError, match="journal"):
            journal.append([replayed("d")])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
        journal.close()
    assert known(place) == CHUNKS


def test_a_line_that_was_damaged_is_told(place):
    place.write_bytes(place.read_bytes().replace(b'"item"', b'"irem"'))
    with pytest.raises(UsageError, match="cannot be read"):
        known(place)


def test_two_runs_do_not_share_one(place):
    journal = Journal.open(place, HEADER, fresh=False)
    with pytest.raises(UsageError, match="another run writes"):
        known(place, fresh=True)
    journal.close()
    assert known(place) == CHUNKS


def test_it_needs_a_place(tmp_path):
    with pytest.raises(UsageError, match="no/journal"):
        known(tmp_path / "no" / "journal.jsonl")
