"""Cases are plain text: a title, a source, and the scopes of some of its lines."""

import re
from pathlib import Path

import pytest

from dsreview.sandbox import Sandbox

CASES = Path(__file__).parents[1] / "cases" / "languages"


@pytest.fixture(scope="session")
def sandbox():
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def cases():
    """For each language: name of the case, source, expected scopes of each line asked for."""
    found = {}
    for path in sorted(CASES.glob("*/*.txt")):
        found.setdefault(path.parent.name, []).append((path.name, *_read_case(path)))
    return found


def _read_case(path):
    title, source, *asked = re.split(r"^--- (.*)\n", path.read_text(), flags=re.MULTILINE)
    assert title.strip(), f"{path}: no title"
    assert source == "source", f"{path}: {source!r} instead of the source"
    expected = {
        int(heading.removeprefix("line ")): [line for line in body.split("\n") if line]
        for heading, body in zip(asked[1::2], asked[2::2], strict=True)
    }
    assert expected, f"{path}: asks for no line"
    return asked[0].encode(), expected
