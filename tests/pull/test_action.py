"""A whole pull request through the steps of the Action, as a runner runs them."""

import os
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from dsreview.fake_github.faults import Fault
from dsreview.fake_github.runner import Job, run_action

ACTION = Path(__file__).parents[2]
BUG = "import os\n\n\ndef run(name):\n    os.system(f'run {name}')\n"
FINE = "def fine():\n    return 1\n"


@pytest.fixture
def run(opened):
    def run(**inputs):
        job = Job(
            folder=opened.folder / "runner",
            workspace=opened.repository.folder,
            event=opened.event_body(),
            api_url=opened.github.url,
            token=opened.github.token,
            environment={"GIT_CONFIG_GLOBAL": os.devnull},
        )
        return run_action(ACTION, job, installed=sys.prefix, **inputs)

    return run


def processes_that_show(token, mark):
    """Names of those whose environment has `mark`, and of those that have the token as well."""
    seen, with_token = [], []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):  # it ended meanwhile
            shown, name = path.read_bytes(), path.with_name("comm").read_text().strip()
            if mark in shown:
                seen.append(name)
                with_token += [name] if token in shown else []
    return seen, with_token


def test_it_posts_then_nothing_then_what_a_force_push_changed(opened, run):
    looks = []

    def look(_):
        mark = f"RUNNER_TEMP={opened.folder / 'runner'}".encode()
        looks.append(processes_that_show(opened.github.token.encode(), mark))

    opened.github.inject(Fault("look", "while it posts", change=look), "POST", "/reviews$")
    first = run()
    ((seen, with_token),) = looks
    if sys.platform == "linux":
        assert {"bash", "tee"} <= set(seen)
    assert with_token == []
    assert (first.code, first.outputs["exit-code"]) == (1, "1"), first.log
    (review,) = opened.pull.submitted
    (comment,) = opened.pull.comments
    assert (review.state, comment.path, comment.line) == ("COMMENTED", "shop.py", 9)
    assert "1 finding (1 high) in 1 file" in opened.summary
    assert "py-shell-injection" in first.summary
    assert "\nposted; 1 finding posted\n" in first.log

    num_writes = len(opened.writes)
    second = run()
    assert (second.code, len(opened.writes)) == (1, num_writes), second.log
    assert "already there" in second.log

    # the branch is made anew: the old bug is gone, another file has one
    opened.repository.git("reset", "-q", "--hard", "main")
    opened.repository.commit({"shop.py": FINE, "tool.py": BUG}, "again")
    opened.push()
    third = run()
    assert third.code == 1, third.log
    assert [one.path for one in opened.pull.comments] == ["shop.py", "tool.py"]
    assert [one.minimized for one in opened.pull.comments] == ["outdated", None]
    assert opened.pull.submitted[-1].commit_id == opened.pull.head_sha
    assert "rewritten" in third.log
    assert "1 finding (1 high) in 2 files" in opened.summary
    assert len(opened.pull.issue_comments) == 1
    assert opened.github.contract_violations == []
    assert opened.github.token not in first.log + second.log + third.log
