"""A GitHub on loopback, to test what talks to GitHub; needs the extra `testing`.

with FakeGitHub() as github:
    pull = github.add_pull({"a.py": "@@ -1 +1,2 @@\\n a\\n+b"})
    ...  # a client at github.url with github.token
    assert pull.reviews[0].body == "..."
"""

from importlib.util import find_spec

if not (find_spec("openapi_core") and find_spec("graphql")):
    raise ImportError("dsreview.fake_github needs the extra `testing`: pip install '.[testing]'")

from dsreview.fake_github.answering import Seen
from dsreview.fake_github.fault_table import FAULTS, fault_table
from dsreview.fake_github.faults import Fault, Injection, Wire
from dsreview.fake_github.github import FakeGitHub
from dsreview.fake_github.world import FileChange, Pull, Repository, Token, World

__all__ = [
    "FAULTS",
    "FakeGitHub",
    "Fault",
    "FileChange",
    "Injection",
    "Pull",
    "Repository",
    "Seen",
    "Token",
    "Wire",
    "World",
    "fault_table",
]
