"""A repository, the pull request that a fake GitHub shows of it, and the command."""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from dsreview.cache import NoCache
from dsreview.fake_github import FakeGitHub
from dsreview.fake_github.world import Pull
from dsreview.outputs.github_pr.client import GitHub, PullAddress
from dsreview.outputs.github_pr.existing import fetch_state
from dsreview.outputs.github_pr.limits import Patience, SystemClock, WaitLimits
from dsreview.outputs.github_pr.outbox import Outbox
from dsreview.outputs.github_pr.poster import Poster
from dsreview.progress import SilentProgress
from dsreview.pull_review import PullRun, Runner, review_pull
from dsreview.review import Tools, review
from dsreview.sandbox import Sandbox
from dsreview.sources.pull_event import read_event

BEFORE = """\
import subprocess


def area(width):
    return width
"""
AFTER = """\
import subprocess


def area(width):
    return width


def show(name):
    subprocess.run(f"ls {name}", shell=True)
"""


HASTE = WaitLimits(between_writes_s=0.0, first_pause_s=0.0, secondary_pause_s=0.0)


@dataclass
class Desk:
    """The poster without its process: what it does to GitHub is the same."""

    github: FakeGitHub
    token: str
    address: PullAddress
    folder: Path

    def read(self):
        with self.client() as client:
            return fetch_state(client, self.address)

    def post(self, plan):
        with self.client() as client:
            return Poster(client, self.address, Outbox(self.folder / "outbox")).post(plan)

    def client(self):
        from contextlib import closing

        return closing(GitHub(self.github.url, self.token, Patience(HASTE, SystemClock())))


@pytest.fixture(scope="session")
def sandbox():
    with Sandbox() as opened:
        yield opened


@dataclass
class World:
    """What `dsreview pr` meets: a clone, GitHub, and perhaps a runner of Actions."""

    repository: object
    github: FakeGitHub
    folder: Path
    run_dsreview: object
    sandbox: Sandbox
    pull: Pull | None = None
    environment: dict = field(default_factory=dict)

    def open(self, base="main", head="change", **given):
        folder = self.repository.folder
        self.pull = self.github.add_pull_from_git(folder, base, head, **given)
        return self.pull

    def push(self, head="change", base=None):
        self.github.push_from_git(self.pull, head, base)

    @property
    def summary_page(self):
        path = self.folder / "step_summary"
        return path.read_text("utf-8") if path.exists() else ""

    def event(self, **changes):
        """The file that a runner names in GITHUB_EVENT_PATH."""
        path = self.folder / "event.json"
        path.write_text(json.dumps(self.event_body(**changes)))
        return path

    def event_body(self, **changes):
        pull, owner = self.pull, self.github.repository
        base = {
            "name": owner.name,
            "full_name": owner.full_name,
            "owner": {"login": owner.owner},
            "private": owner.is_private,
        }
        head_owner, _, head_name = (pull.head_repository or "").partition("/")
        head = {"name": head_name, "owner": {"login": head_owner}, "private": owner.is_private}
        return {
            "action": "synchronize",
            "repository": base,
            "sender": {"login": pull.author},
            "pull_request": {
                "number": pull.number,
                "state": "open" if pull.is_open else "closed",
                "title": pull.title,
                "draft": pull.is_draft,
                "user": {"login": pull.author},
                "base": {"ref": pull.base_ref, "sha": pull.base_sha, "repo": base},
                "head": {
                    "ref": pull.head_ref,
                    "sha": pull.head_sha,
                    "repo": head if pull.head_repository else None,
                },
            }
            | changes,
        }

    def actions(self, runner="github-hosted"):
        """The environment of a workflow's step, the token aside."""
        return {
            "GITHUB_ACTIONS": "true",
            "RUNNER_ENVIRONMENT": runner,
            "GITHUB_EVENT_PATH": str(self.event()),
            "GITHUB_STEP_SUMMARY": str(self.folder / "step_summary"),
            "GITHUB_API_URL": self.github.url,
        }

    def run(self, *arguments, token=None, environment=None, cwd=None):
        """`dsreview pr` in the clone; outside Actions, the pull request is named."""
        given = {
            "GITHUB_TOKEN": self.github.token if token is None else token,
            "GITHUB_API_URL": self.github.url,
            "DSREVIEW_STATE_DIR": str(self.folder / "state"),
            **self.environment,
            **(environment or {}),
        }
        if "GITHUB_EVENT_PATH" not in given and self.pull is not None:
            name = f"{self.github.repository.full_name}#{self.pull.number}"
            arguments = (name, *arguments)
        return self.run_dsreview(
            "pr", *arguments, cwd=cwd or self.repository.folder, environment=given
        )

    def review(
        self, *, token=None, environment=None, open_backend=None, before_posting=None, **run
    ):
        """The pipeline alone, in this process; the settings that are no fields of `PullRun`
        are flags."""
        fields = set(PullRun.__dataclass_fields__)
        flags = {name: run.pop(name) for name in list(run) if name not in fields}
        environment = environment or {}
        address = PullAddress("octo", "project", self.pull.number)
        desk = Desk(self.github, token or self.github.token, address, self.folder)

        def judge(pull, change, config):
            tools = Tools(self.sandbox, NoCache(), open_backend, SilentProgress())
            report = review(change, config, tools)
            if before_posting is not None:
                before_posting()
            return report

        given = PullRun(
            folder=self.repository.folder,
            flags=flags,
            user_file=None,
            runner=run.pop("runner", Runner.of(environment, is_ephemeral=False)),
            **run,
        )
        return review_pull(desk, read_event(environment), given, judge)

    @property
    def summary(self):
        (comment,) = self.pull.issue_comments
        return comment.body

    @property
    def writes(self):
        """What was asked of GitHub that changes something."""
        return [seen for seen in self.github.log if is_write(seen)]


def is_write(seen):
    if seen.method in ("GET", "HEAD"):
        return False
    return "graphql" not in seen.path or "mutation" in seen.body["query"]


@pytest.fixture
def world(repository, run_dsreview, sandbox, tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith(("GITHUB_", "GH_", "RUNNER_"))]:
        monkeypatch.delenv(name)
    with FakeGitHub() as github:
        yield World(repository, github, tmp_path, run_dsreview, sandbox)


@pytest.fixture
def opened(world):
    """A pull request that plants one bug."""
    world.repository.commit({"shop.py": BEFORE})
    world.repository.git("checkout", "-q", "-b", "change")
    world.repository.commit({"shop.py": AFTER})
    world.open()
    return world
