"""What GitHub would not take or say: told with its reason, and nothing else suffers."""

from dataclasses import replace

import pytest

from dsreview.fake_github import FakeGitHub, Fault
from dsreview.fake_github.replies import error
from dsreview.fake_github.world import ACTIONS_LOGIN, Review
from dsreview.outputs.github_pr.limits import WaitLimits
from dsreview.outputs.github_pr.poster_process import PosterProcess
from dsreview.outputs.github_pr.results import Outcome

PENDING = "User can only have one pending review per pull request"
HASTE = WaitLimits(between_writes_s=0.0, first_pause_s=0.01, settle_s=0.2)


@pytest.fixture
def plan(faults):
    return faults.example_plan()


def failing(status, *words, **others):
    return Fault(
        f"{status}", "", lambda: error(status, "Unprocessable Entity", words), times=None, **others
    )


def test_why_comments_were_refused_is_in_the_notes_and_in_the_summary(stage, faults):
    result = stage.post(faults.example_plan(num_refused=1))
    assert len(result.demoted) == 1
    (note,) = result.notes
    count, _, why = note.partition(": ")
    assert count == "1 comment refused by GitHub"
    assert "line must be part of the diff" in why
    assert note in stage.pull.issue_comments[0].body


def test_what_a_server_says_moves_no_cursor_and_mentions_nobody(stage, plan):
    words = "\x1b[2Jask @octo/team\n::error::see <!-- dsreview: --> [it](http://evil.test)"
    stage.github.inject(failing(422, words), "POST", "/pulls/1/reviews$")
    result = stage.post(plan)
    assert result.is_delivered
    (note,) = result.notes
    assert note.startswith(r"5 comments refused by GitHub: \x1b[2Jask @octo/team ::error::see")
    (summary,) = stage.pull.issue_comments
    assert "5 comments refused by GitHub" in summary.body
    assert "@octo" not in summary.body
    assert "](http" not in summary.body
    assert summary.body.count("<!--") == plan.summary.text.count("<!--")


def draft(stage, plan):
    person = stage.github.personal_token
    request = {"commit_id": plan.head_sha, "body": "my notes"}
    stage.client(token=person).create(f"{stage.address.path}/reviews", "draft", request)
    stage.github.inject(failing(422, PENDING), "POST", "/pulls/1/(reviews|comments)$")
    return person


def test_a_draft_of_the_same_login_is_named_and_left_alone(stage, plan, faults):
    result = stage.post(plan, token=draft(stage, plan))
    assert result.is_delivered
    assert result.reported == ()
    assert result.notes == (
        "7 comments refused by GitHub: ann has an unsubmitted review on this pull request; "
        "submit or discard it",
    )
    assert stage.told() == dict.fromkeys(faults.names_of(plan), 1)
    assert "ann has an unsubmitted review" in stage.pull.issue_comments[0].body
    assert [one.body for one in stage.pull.reviews] == ["my notes"]
    assert stage.requests("POST").count("reviews") == 2  # the draft, and ours


def test_a_draft_keeps_comments_on_files_from_being_asked_for_one_by_one(stage, plan, faults):
    result = stage.post(replace(plan, inline=()), token=draft(stage, plan))
    assert result.demoted == ("file0", "file1")
    assert stage.requests("POST").count("comments") == 2  # the first of them, and the summary
    assert all(stage.told()[name] == 1 for name in result.demoted)


def test_a_review_that_was_only_tried_and_came_late_is_no_draft(stage, plan, faults):
    def arrive(world):
        late = Review(next(world.ids), ACTIONS_LOGIN, plan.review_body, "PENDING", "a" * 40, None)
        stage.pull.reviews.append(late)

    fault = failing(422, PENDING, change=arrive)
    stage.github.inject(fault, "POST", "/pulls/1/reviews$", times=1)
    result = stage.post(plan)
    assert list(result.posted) == faults.names_of(plan)
    assert result.notes == ()
    assert faults.reviews_on(stage.pull) == 1
    assert len(stage.pull.reviews) == len(stage.pull.submitted)


@pytest.mark.parametrize("status", [502, 403])
def test_a_person_is_known_and_posts_while_graphql_is_down(stage, plan, faults, status):
    stage.token = stage.github.personal_token
    stage.github.inject(failing(status), "POST", "graphql")
    state = stage.state()
    assert state.viewer_login == "ann"
    result = stage.post(plan)
    assert list(result.posted) == faults.names_of(plan)
    assert stage.told() == dict.fromkeys(faults.names_of(plan), 1)


def remote_poster(stage, folder="outbox"):
    arguments = (stage.token or stage.github.token, stage.folder / folder, stage.github.url, HASTE)
    return PosterProcess(*arguments)


def test_that_threads_could_not_be_read_is_a_note(stage, plan):
    stage.github.inject(failing(502), "POST", "graphql", skip=1, times=4)
    with remote_poster(stage) as remote:
        assert remote.fetch(stage.address).viewer_login == ACTIONS_LOGIN
        (note,) = remote.notes
        assert note.startswith("threads count as open: cannot read the review threads: 127.0.0.1")
        result = remote.post(stage.address, plan)
    assert result.is_delivered
    assert note in result.notes


def test_a_workflow_posts_nothing_that_was_planned_while_graphql_was_down(stage, plan, faults):
    """Such a plan takes nothing for ours: it would say all again that stands there."""
    stage.github.inject(failing(403), "GET", "^/user$")
    stage.github.inject(failing(502), "POST", "graphql", times=4)
    with remote_poster(stage) as remote:
        assert remote.fetch(stage.address).viewer_login == ""
        result = remote.post(stage.address, plan)
        assert result.outcome is Outcome.REFUSED
        assert "did not say whose the token is: nothing is posted" in result.reason
        assert any("ask whose token it is" in note and "502" in note for note in result.notes)
        assert list(result.reported) == faults.names_of(plan)
        assert stage.told() == {}
        assert remote.fetch(stage.address).viewer_login == ACTIONS_LOGIN
        assert remote.resumed == ()
        assert remote.post(stage.address, plan).is_delivered


def test_a_folder_that_cannot_be_used_is_said_and_the_pull_request_still_read(stage, plan, faults):
    (stage.folder / "file").touch()
    with remote_poster(stage, "file/outbox") as remote:
        assert remote.fetch(stage.address).pull.number == 1
        (note,) = remote.notes
        assert note.startswith("what earlier runs had begun was not ended: the outbox cannot be")
        result = remote.post(stage.address, plan)
    assert list(result.reported) == faults.names_of(plan)
    assert result.reason.startswith("the outbox cannot be used: ")


class HidingOneGitHub(FakeGitHub):
    """Hides one comment; the others it refuses to hide."""

    num_asked = 0

    def _respond(self, method, target, headers, content):
        if b"minimizeComment(" in content:
            self.num_asked += 1
            if self.num_asked > 1:
                self.inject(failing(403), times=1)
        return super()._respond(method, target, headers, content)


@pytest.fixture
def hiding_one(stage, tmp_path, faults):
    with HidingOneGitHub() as github:
        pull = github.add_pull({faults.PATH: faults.PATCH}, head=faults.HEAD)
        token = github.personal_token
        yield type(stage)(github, pull, tmp_path, faults, stage.clock, token)


def test_a_thread_stays_open_where_its_comment_could_not_be_hidden(hiding_one, plan):
    """A finding that comes back stays silent after a resolved comment, not after a hidden one."""
    stage = hiding_one
    stage.post(plan)
    old = stage.pull.comments[:2]
    ids = tuple(one.node_id for one in old)
    threads = tuple(one.thread.node_id for one in old)
    later = replace(plan, inline=(), file_level=(), minimize=ids, resolve=threads)
    result = stage.post(later)
    (note,) = result.notes
    assert note.startswith("1 comment not hidden: cannot hide a comment: the token may not")
    assert [one.minimized for one in old] == ["outdated", None]
    assert [one.thread.resolved_by for one in old] == ["ann", None]
