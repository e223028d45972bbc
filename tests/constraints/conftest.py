from difflib import unified_diff

import pytest

from dsreview.change import ChangedFile
from dsreview.diff_parser import parse_patch
from dsreview.sandbox import Sandbox


@pytest.fixture(scope="session")
def sandbox():
    with Sandbox() as opened:
        yield opened


@pytest.fixture(scope="session")
def changed_file():
    """A file from its two texts; every line is new where there is no old one."""

    def build(language, old, new):
        rows = list(unified_diff((old or "").splitlines(True), new.splitlines(True), "a/f", "b/f"))
        patch = parse_patch("".join(rows).encode("utf-8", "surrogateescape")).files[0].file
        return ChangedFile("f", language, patch, old, new)

    return build
