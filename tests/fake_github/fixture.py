"""For pytest: `from dsreview.fake_github.fixture import fake_github` in a conftest.py."""

from collections.abc import Iterator

import pytest

from dsreview.fake_github.github import FakeGitHub


@pytest.fixture
def fake_github() -> Iterator[FakeGitHub]:
    """A GitHub on loopback with the private repository `octo/project` and no pull request."""
    with FakeGitHub() as github:
        yield github
