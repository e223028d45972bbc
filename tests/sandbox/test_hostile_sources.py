"""Sources that cost parsers seconds, gigabytes or the whole process.

Whatever the child makes of them, the call ends within its limits with a reply or a
reason, and the next call works.
"""

import random
import time

import pytest

from dsreview import languages
from dsreview.errors import TaskFailed
from dsreview.languages.outline import Region
from dsreview.languages.tasks import (
    NAMES,
    OUTLINE,
    SCOPES,
    SYNTAX,
    NamesRequest,
    OutlineRequest,
    ScopesRequest,
    SyntaxRequest,
)
from dsreview.patch import Span
from dsreview.sandbox import Limits, Sandbox

REPLY = "a reply"


@pytest.fixture(scope="module")
def sandbox():
    """Impatient: what is too slow for it is slow by design."""
    with Sandbox(Limits(wall_s=1.0, cpu_s=5, memory_bytes=512 << 20)) as sandbox:
        yield sandbox


def ask_all(sandbox, language, source):
    """Outcome of each question; asserts that each ends within the limits."""
    region = Region((Span(1, 2),), (1,), ())
    questions = (
        (SCOPES, ScopesRequest(language, source, (1, 2))),
        (SYNTAX, SyntaxRequest(language, source, source, Span(1, 2), Span(1, 2))),
        (NAMES, NamesRequest(language, source)),
        (OUTLINE, OutlineRequest(language, source, (region,))),
    )
    outcomes = []
    for task, request in questions:
        started = time.monotonic()
        try:
            sandbox.call(task, request)
            outcomes.append(REPLY)
        except TaskFailed as failure:
            outcomes.append(str(failure))
        assert time.monotonic() - started < sandbox.limits.wall_s + 2
        if outcomes[-1] != REPLY:
            break  # the other questions parse the same source
    well = sandbox.call(SCOPES, ScopesRequest("python", b"def f():\n    pass\n", (2,)))
    assert [scope.name for scope in well.chains[0]] == ["f"]
    return outcomes


@pytest.mark.parametrize(
    ("language", "source"),
    [
        ("typescript", b"a<b," * 10_000),
        ("tsx", b"a<b," * 10_000),
        ("java", b"A<" * 20_000),
        ("rust", b'r#"' * 30_000),
    ],
)
def test_what_takes_a_parser_gigabytes_or_minutes_is_a_failed_task(sandbox, language, source):
    (outcome,) = ask_all(sandbox, language, source)
    assert outcome != REPLY


@pytest.mark.parametrize("language", languages.LANGUAGES, ids=lambda row: row.name)
def test_nested_parentheses_end(sandbox, language):
    ask_all(sandbox, language.name, b"(" * 20_000 + b")" * 20_000)


def test_100_000_nested_parentheses_end(sandbox):
    ask_all(sandbox, "python", b"(" * 100_000 + b")" * 100_000)


@pytest.mark.parametrize(
    "source",
    [
        b"x = " + b"-" * 30_000 + b"1",
        b"a" + b".b" * 30_000,
        b"f" + b"()" * 30_000,
        b"x = [" + b"1," * 60_000 + b"]",
        b'"' * 400_000,
        b"\\" * 400_000,
        b"\x00" * 400_000,
        b"\n" * 900_000,
        b"if x:\n" + b"".join(b" " * depth + b"if x:\n" for depth in range(1, 900)),
        "π".encode("utf-16") * 100_000,
        b"def f(\n" * 20_000,
        b"@" * 200_000,
    ],
    ids=lambda source: repr(source[:12]),
)
def test_shapes_of_python_end(sandbox, source):
    ask_all(sandbox, "python", source)


def test_random_bytes_on_one_line_are_refused_by_their_size(sandbox):
    source = random.Random(0).randbytes(10_000_000).replace(b"\n", b" ")
    (outcome,) = ask_all(sandbox, "python", source)
    assert outcome.startswith("larger than the 1,000,000 bytes")


@pytest.mark.slow
@pytest.mark.parametrize("language", languages.LANGUAGES, ids=lambda row: row.name)
@pytest.mark.parametrize(
    "piece",
    [b"a<b,", b"A<", b'r#"', b"a<", b"<a ", b"[", b"{", b"{(", b"'", b"/*", b"${", b"a?b:", b"=>"],
    ids=repr,
)
def test_repeated_pieces_end_in_every_language(sandbox, language, piece):
    for size in (2_000, 20_000, 200_000):
        ask_all(sandbox, language.name, piece * (size // len(piece)))


@pytest.mark.slow
@pytest.mark.parametrize("language", languages.LANGUAGES, ids=lambda row: row.name)
def test_mutated_sources_end(sandbox, language):
    randomness = random.Random(1)
    seed = b"class A { f(x) { return [x, (y), {z: 1}]; } } // \"a\" 'b' `c` <d>\n" * 20
    for _ in range(300):
        source = bytearray(seed)
        for _ in range(randomness.randrange(1, 30)):
            source[randomness.randrange(len(source))] = randomness.randrange(256)
        ask_all(sandbox, language.name, bytes(source))
