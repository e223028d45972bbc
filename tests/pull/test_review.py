"""The pipeline of a pull request: real git, the fake GitHub, everything but the processes."""

import json

import pytest

from dsreview.backends import ScriptedBackend
from dsreview.errors import ReviewError
from dsreview.fake_github.world import ACTIONS_LOGIN
from dsreview.finding import Severity
from dsreview.outputs.github_pr.results import Outcome

BUG = "import os\n\n\ndef run{0}(name):\n    os.system(f'run{0} {{name}}')\n"
FINE = "def fine{0}():\n    return {0}\n"
MILD_GATE = Severity.CRITICAL


def test_a_first_run_posts_one_review_and_one_summary(opened):
    done = opened.review()
    assert (done.exit_code, done.result.outcome) == (1, Outcome.POSTED)
    (review,) = opened.pull.submitted
    assert (review.state, review.commit_id) == ("COMMENTED", opened.pull.head_sha)
    (comment,) = opened.pull.comments
    assert (comment.path, comment.line, comment.side) == ("shop.py", 9, "RIGHT")
    assert "1 finding (1 high) in 1 file" in opened.summary
    assert opened.github.contract_violations == []


def test_the_same_head_again_posts_nothing(opened):
    opened.review()
    num_writes = len(opened.writes)
    again = opened.review()
    assert (again.exit_code, again.result.outcome) == (1, Outcome.ALREADY_THERE)
    assert again.scope.reason == "it is the same commit as the last time"
    assert len(opened.writes) == num_writes


def test_a_push_is_told_what_is_new_in_it(opened):
    opened.review(fail_on=MILD_GATE)
    first = opened.pull.head_sha
    opened.repository.commit({"more.py": BUG.format(1)})
    opened.push()
    done = opened.review(fail_on=MILD_GATE)
    assert (done.exit_code, done.scope.since) == (0, first)
    assert [row.path for row in done.report.coverage] == ["more.py"]
    assert [comment.path for comment in opened.pull.comments] == ["shop.py", "more.py"]
    assert not any(comment.minimized for comment in opened.pull.comments)


def test_what_one_push_removes_and_the_next_one_uses_is_found(world):
    """The checks look at all files, whatever is new."""
    world.repository.commit({"a.py": "def f():\n    return 1\n\n\ndef g():\n    return 2\n"})
    world.repository.git("checkout", "-q", "-b", "change")
    world.repository.commit({"a.py": "def g():\n    return 2\n"})
    world.open()
    assert world.review().report.findings == ()
    world.repository.commit({"b.py": "from a import f\n\nprint(f())\n"})
    world.push()
    done = world.review()
    assert done.scope.since
    assert {finding.path for finding in done.report.findings} == {"a.py", "b.py"}
    assert [row.path for row in done.report.coverage] == ["b.py"]


def test_a_model_is_asked_about_what_is_new_alone(opened):
    backend = ScriptedBackend([json.dumps({"findings": []})] * 9)
    opened.review(fail_on=MILD_GATE, open_backend=lambda: backend)
    opened.repository.commit({"more.py": FINE.format(1)})
    opened.push()
    num_asked = len(backend.batches)
    opened.review(fail_on=MILD_GATE, open_backend=lambda: backend)
    texts = [
        message.text
        for batch, _ in backend.batches[num_asked:]
        for prompt in batch
        for message in prompt.messages
    ]
    assert any("more.py" in text for text in texts)
    assert not any("shop.py" in text for text in texts)


def test_what_fails_is_looked_at_until_it_is_gone(opened):
    """A push beside the bug must not turn the check green."""
    assert opened.review().exit_code == 1
    opened.repository.commit({"more.py": FINE.format(1)})
    opened.push()
    beside = opened.review()
    assert (beside.exit_code, beside.scope.since) == (1, None)
    assert "something high" in beside.scope.reason
    opened.repository.commit({"shop.py": FINE.format(2)})
    opened.push()
    assert opened.review().exit_code == 0
    (comment,) = opened.pull.comments
    assert comment.minimized == "outdated"


def test_a_milder_gate_finds_in_the_memory_what_fails_now(opened):
    opened.review(fail_on=MILD_GATE)
    opened.repository.commit({"more.py": FINE.format(1)})
    opened.push()
    done = opened.review(fail_on=Severity.HIGH)
    assert (done.exit_code, done.scope.since) == (1, None)


def test_the_memory_of_what_was_found_outlives_runs_that_did_not_look_there(opened):
    opened.review(fail_on=MILD_GATE)
    for number in range(2):
        opened.repository.commit({f"more{number}.py": FINE.format(number)})
        opened.push()
        assert opened.review(fail_on=MILD_GATE).scope.since
    opened.repository.commit({"last.py": FINE.format(9)})
    opened.push()
    assert opened.review().exit_code == 1


@pytest.mark.slow
def test_after_a_force_push_all_of_it_is_looked_at(opened):
    opened.review(fail_on=MILD_GATE)
    opened.repository.git("commit", "-q", "--amend", "-m", "again", "--date=2026-01-02T00:00:00Z")
    opened.push()
    done = opened.review(fail_on=MILD_GATE)
    assert "the branch was rewritten since" in done.scope.reason
    assert len(opened.pull.comments) == 1
    assert "rewritten" in opened.summary


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({".dsreviewignore": "nothing\n"}, "settings"),
        pytest.param(
            {".dsreview.toml": 'disable = ["some-rule"]\n'}, "settings", marks=pytest.mark.slow
        ),
        ({"other.py": FINE.format(3)}, ""),
    ],
)
def test_new_settings_in_the_base_are_a_reason_to_look_at_all(opened, files, reason):
    opened.review(fail_on=MILD_GATE)
    opened.repository.git("checkout", "-q", "main")
    opened.repository.commit(files)
    opened.repository.git("checkout", "-q", "change")
    opened.repository.commit({"more.py": FINE.format(1)})
    opened.push(base="main")
    done = opened.review(fail_on=MILD_GATE)
    assert done.scope.reason.startswith(reason)
    assert (done.scope.since is None) == bool(reason)


def test_a_forged_memory_is_not_believed(opened):
    """The summary of somebody else cannot make a run leave anything out."""
    opened.review()
    (ours,) = opened.pull.issue_comments
    ours.user = "mallory[bot]"
    ours.body = ours.body.replace(" worst=high", "")
    for comment in opened.pull.comments:
        comment.user = "mallory[bot]"
    opened.repository.commit({"more.py": FINE.format(1)})
    opened.push()
    done = opened.review()
    assert (done.exit_code, done.scope.since, done.scope.reason) == (1, None, "")
    assert [comment.user for comment in opened.pull.comments] == ["mallory[bot]", ACTIONS_LOGIN]


def test_a_dry_run_posts_nothing(opened):
    done = opened.review(is_dry_run=True)
    assert (done.exit_code, done.result) == (1, None)
    assert [one.path for one in done.plan.inline] == ["shop.py"]
    assert opened.writes == []


def test_quiet_says_nothing_where_nothing_is_found(world):
    world.repository.commit({"a.py": FINE.format(1)})
    world.repository.git("checkout", "-q", "-b", "change")
    world.repository.commit({"a.py": FINE.format(2)})
    world.open()
    backend = ScriptedBackend([json.dumps({"findings": []})] * 2)
    assert world.review(is_quiet=True).exit_code == 0  # without a model
    assert world.review(is_quiet=True, open_backend=lambda: backend).exit_code == 0
    assert world.writes == []
    world.review(open_backend=lambda: backend)
    assert "no findings" in world.summary


def test_at_most_so_many_comments_the_rest_is_in_the_summary(world):
    world.repository.commit({"a.py": ""})
    world.repository.git("checkout", "-q", "-b", "change")
    world.repository.commit({f"{number}.py": BUG.format(number) for number in range(8)})
    world.open()
    world.review(max_comments=3)
    told = {comment.path for comment in world.pull.comments}
    listed = {f"{number}.py" for number in range(8) if f"{number}.py:" in world.summary}
    assert len(told) == 3
    assert not told & listed
    assert told | listed == {f"{number}.py" for number in range(8)}


def test_a_closed_one_is_not_reviewed(opened):
    opened.pull.is_open = False
    with pytest.raises(ReviewError, match="closed"):
        opened.review()
    assert opened.writes == []


def test_the_event_says_which_commit_is_reviewed(opened):
    """The head that moved since is the business of the run that its push started."""
    environment = opened.actions()
    opened.repository.commit({"more.py": FINE.format(1)})
    opened.push()
    with pytest.raises(ReviewError, match="moved on"):
        opened.review(environment=environment)
    assert opened.writes == []


def test_a_head_that_moves_during_the_review_gets_no_comments(opened):
    def push():
        opened.repository.commit({"more.py": FINE.format(1)})
        opened.push()

    done = opened.review(environment=opened.actions(), before_posting=push)
    assert done.result.outcome is Outcome.MOVED
    assert (opened.pull.comments, opened.writes) == ([], [])
    assert set(done.result.reported) == {one.fingerprint for one in done.plan.annotations}


def test_one_that_is_closed_during_the_review_gets_no_comments(opened):
    def close():
        opened.pull.is_open = False

    done = opened.review(before_posting=close)
    assert done.result.outcome is Outcome.CLOSED
    assert opened.pull.comments == []
