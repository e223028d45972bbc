"""A pull request on the fake server, the poster, and a clock that is not waited for."""

import importlib.util
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

import pytest

from dsreview.fake_github import FakeGitHub, Pull
from dsreview.outputs.github_pr.client import GitHub, PullAddress
from dsreview.outputs.github_pr.existing import fetch_state
from dsreview.outputs.github_pr.limits import Patience, WaitLimits
from dsreview.outputs.github_pr.outbox import Outbox
from dsreview.outputs.github_pr.poster import Poster

BENCH = Path(__file__).parents[4] / "bench"


@pytest.fixture(scope="session")
def faults():
    """bench/posting_faults.py: the same plan, clock and counts as in the figures."""
    spec = importlib.util.spec_from_file_location("posting_faults", BENCH / "posting_faults.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["posting_faults"] = module  # dataclasses look there
    spec.loader.exec_module(module)
    return module


@dataclass
class Stage:
    github: FakeGitHub
    pull: Pull
    folder: Path
    faults: ModuleType
    clock: object
    token: str = ""
    limits: WaitLimits = field(default_factory=WaitLimits)

    @property
    def address(self):
        return PullAddress("octo", "project", self.pull.number)

    def client(self, **others):
        token = others.get("token") or self.token or self.github.token
        clock = others.get("clock") or self.clock
        return GitHub(self.github.url, token, Patience(self.limits, clock))

    def poster(self, folder="outbox", **others):
        return Poster(self.client(**others), self.address, Outbox(self.folder / folder))

    def post(self, plan, folder="outbox", **others):
        return self.poster(folder, **others).post(plan)

    def state(self, **others):
        return fetch_state(self.client(**others), self.address)

    def told(self):
        return self.faults.told_on(self.pull)

    def requests(self, method):
        return [seen.path.rpartition("/1/")[2] for seen in self.github.log if seen.method == method]


@pytest.fixture
def stage(tmp_path, faults):
    with FakeGitHub() as github:
        pull = github.add_pull({faults.PATH: faults.PATCH}, head=faults.HEAD)
        yield Stage(github, pull, tmp_path, faults, faults.SkippingClock())
        assert github.contract_violations == []
