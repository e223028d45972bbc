"""From a plan to a pull request: once, in the form that GitHub takes, and honest about the rest."""

import threading
from dataclasses import replace
from functools import partial

import pytest

from dsreview.fake_github import FakeGitHub, Fault
from dsreview.fake_github.replies import error
from dsreview.fake_github.world import ACTIONS_LOGIN
from dsreview.outputs.github_pr.limits import SystemClock, WaitLimits
from dsreview.outputs.github_pr.outbox import Delivery, Outbox
from dsreview.outputs.github_pr.results import Outcome
from dsreview.outputs.github_pr.sticky import MAX_BODY_BYTES, Entry

FAST = WaitLimits(between_writes_s=0.0, settle_s=0.5)


@pytest.fixture
def plan(faults):
    return faults.example_plan()


def fault_named(faults, name):
    return next(fault for fault in faults.FAULTS if fault.name == name)


def refusing(status, *words):
    return Fault("refusing", "", lambda: error(status, "Refused", words), times=None)


def test_a_plan_is_one_review_its_file_comments_and_the_summary(stage, plan, faults):
    result = stage.post(plan)
    assert result.outcome is Outcome.POSTED
    assert list(result.posted) == faults.names_of(plan)
    assert (result.already_there, result.demoted, result.reported) == ((), (), ())
    review = stage.pull.submitted[0]
    assert review.state == "COMMENTED"
    assert review.commit_id == plan.head_sha
    on_lines = [one for one in stage.pull.comments if one.review is review]
    wanted = [(one.path, one.line, one.start_line, one.body) for one in plan.inline]
    assert [(one.path, one.line, one.start_line, one.body) for one in on_lines] == wanted
    assert [one.body for one in stage.pull.issue_comments] == [plan.summary.text]
    assert stage.requests("POST").count("reviews") == 1
    assert [one for one in stage.requests("POST") if one != "/graphql"][-1] == "comments"


def test_the_same_plan_again_writes_nothing(stage, plan, faults):
    stage.post(plan)
    before = len(stage.github.log)
    result = stage.post(plan)
    assert result.outcome is Outcome.ALREADY_THERE
    assert list(result.already_there) == faults.names_of(plan)
    assert result.posted == ()
    later = stage.github.log[before:]
    assert {seen.method for seen in later if seen.path != "/graphql"} == {"GET"}


def test_an_empty_plan_asks_nothing(stage, plan):
    nothing = replace(plan, inline=(), file_level=(), summary=None)
    assert stage.post(nothing).outcome is Outcome.ALREADY_THERE
    assert stage.github.log == []


def test_a_summary_that_is_there_is_edited(stage, plan):
    stage.post(replace(plan, inline=(), file_level=()))
    changed = replace(plan.summary, head=f"{plan.summary.head}\n\nAnd more.")
    stage.post(replace(plan, summary=changed))
    assert [one.body for one in stage.pull.issue_comments] == [changed.text]


def test_a_summary_that_was_deleted_meanwhile_is_written_anew(stage, plan):
    stage.post(plan)
    stage.github.inject(refusing(404), "PATCH", "issues/comments")
    changed = replace(plan.summary, head=f"{plan.summary.head}\n\nAnd more.")
    assert stage.post(replace(plan, summary=changed)).is_delivered
    assert stage.pull.issue_comments[-1].body == changed.text


@pytest.mark.parametrize("num_refused", [1, 2, 5])
def test_comments_that_github_refuses_go_to_the_file_and_the_others_stay(
    stage, faults, num_refused
):
    plan = faults.example_plan(num_refused=num_refused)
    result = stage.post(plan)
    assert result.is_delivered
    assert list(result.demoted) == [one.fingerprint for one in plan.inline[5 - num_refused :]]
    assert result.reported == ()
    kinds = {one.body: one.subject_type for one in stage.pull.comments}
    for number, one in enumerate(plan.inline):
        assert kinds[one.body] == ("line" if number < 5 - num_refused else "file")
    assert faults.reviews_on(stage.pull) == (1 if num_refused < 5 else 0)
    assert len(stage.pull.reviews) == len(stage.pull.submitted)


def test_a_comment_that_its_file_cannot_have_either_goes_to_the_summary(stage, faults):
    plan = faults.example_plan(num_inline=3)
    elsewhere = replace(plan.inline[1], path="not/in/the/diff.py")
    plan = replace(plan, inline=(plan.inline[0], elsewhere, plan.inline[2]))
    result = stage.post(plan)
    assert result.is_delivered
    assert result.demoted == (elsewhere.fingerprint,)
    assert elsewhere.entry.block in stage.pull.issue_comments[0].body
    assert stage.told()[elsewhere.fingerprint] == 1


def test_twenty_comments_with_one_bad_are_searched_with_few_requests(stage, faults):
    number = faults.NUM_LINES
    plan = faults.example_plan(num_inline=20)
    fitting = [
        replace(one, line=at % number + 1, start_line=None) for at, one in enumerate(plan.inline)
    ]
    bad = replace(fitting[13], line=500)
    result = stage.post(replace(plan, inline=(*fitting[:13], bad, *fitting[14:])))
    assert result.demoted == ("line13",)
    assert stage.requests("POST").count("reviews") <= 14


def test_comments_that_are_taken_apart_and_refused_together_are_not_all_moved(stage, plan, faults):
    stage.github.inject(fault_named(faults, "422-mute"), "POST", "reviews$", times=1)
    result = stage.post(plan)
    assert result.is_delivered
    assert sorted([*result.posted, *result.demoted]) == sorted(faults.names_of(plan))
    assert 0 < len(result.demoted) < len(plan.inline)


def test_a_comment_that_is_too_long_ends_in_the_summary_on_one_line(stage, plan):
    long = "x" * 70_000
    entry = replace(plan.inline[2].entry, block=long)
    bad = replace(plan.inline[2], body=long, file_body=long, entry=entry)
    result = stage.post(replace(plan, inline=(*plan.inline[:2], bad, *plan.inline[3:])))
    assert result.is_delivered
    assert result.demoted == (bad.fingerprint,)
    assert stage.told()[bad.fingerprint] == 1
    assert entry.line in stage.pull.issue_comments[0].body


def test_what_has_no_room_in_the_summary_is_reported(stage, plan, faults):
    large = "x" * 900
    entries = tuple(
        Entry(f"n{number}", f"{large} {number} in full {large}", f"{large} {number}", 1)
        for number in range(100)
    )
    plan = replace(plan, summary=replace(plan.summary, entries=entries))
    result = stage.post(plan)
    assert len(stage.pull.issue_comments[0].body.encode()) <= MAX_BODY_BYTES
    assert len(result.reported) == plan.summary.num_left_out > 0
    assert set(result.reported) | set(result.posted) == set(faults.names_of(plan))


@pytest.mark.parametrize(
    ("status", "said"),
    [(401, "does not know the token"), (403, "may not"), (404, "does not exist")],
)
def test_a_token_that_may_not_write_gives_every_finding_back(stage, plan, faults, status, said):
    stage.github.inject(refusing(status), "POST", "reviews$")
    result = stage.post(plan)
    assert result.outcome is Outcome.REFUSED
    assert said in result.reason
    assert list(result.reported) == faults.names_of(plan)
    assert stage.told() == {}


def test_a_read_only_token_gives_every_finding_back(stage, plan, faults):
    result = stage.post(plan, token=stage.github.read_only_token)
    assert result.outcome is Outcome.REFUSED
    assert list(result.reported) == faults.names_of(plan)
    assert list(Outbox(stage.folder / "outbox").folder.glob("*.delivery")) == []


def test_nothing_is_posted_to_a_closed_pull_request(stage, plan, faults):
    stage.pull.is_open = False
    result = stage.post(plan)
    assert (result.outcome, result.reason) == (
        Outcome.CLOSED,
        "octo/project#1 is closed: nothing is posted",
    )
    assert list(result.reported) == faults.names_of(plan)
    assert stage.pull.reviews == []


@pytest.mark.parametrize("move", ["push", "force_push"])
def test_nothing_is_posted_to_a_head_that_was_not_reviewed(stage, plan, faults, move):
    getattr(stage.github, move)(stage.pull, {faults.PATH: faults.PATCH}, head="d" * 40)
    result = stage.post(plan)
    assert result.outcome is Outcome.MOVED
    assert "moved from aaaaaaaaaa to dddddddddd" in result.reason
    assert list(result.reported) == faults.names_of(plan)
    assert (stage.pull.reviews, stage.pull.issue_comments) == ([], [])


def test_a_locked_conversation_is_said(stage, plan):
    stage.pull.is_locked = True
    result = stage.post(plan)
    assert result.outcome is Outcome.REFUSED
    assert "octo/project#1 is locked" in result.reason


def test_nothing_is_posted_where_nobody_says_whose_the_token_is(stage, plan, faults):
    stage.github.inject(refusing(403), "POST", "graphql")
    stage.github.inject(refusing(403), "GET", "^/user$")
    result = stage.post(plan)
    assert result.outcome is Outcome.REFUSED
    assert "does not say whose the token is" in result.reason
    assert list(result.reported) == faults.names_of(plan)


def test_a_marker_of_somebody_else_silences_nothing(stage, plan, faults):
    person = stage.client(token=stage.github.personal_token)
    path = stage.address.path
    review = {"commit_id": plan.head_sha, "body": plan.review_body, "event": "COMMENT"}
    person.create(f"{path}/reviews", "spoof", review)
    comment = {"body": plan.inline[0].body, "commit_id": plan.head_sha, "path": faults.PATH}
    person.create(f"{path}/comments", "spoof", comment | {"line": 3})
    body = {"body": plan.summary.text}
    person.create(f"{stage.address.conversation_path}/comments", "spoof", body)
    result = stage.post(plan)
    assert list(result.posted) == faults.names_of(plan)
    ours = [one for one in stage.pull.comments if one.user == ACTIONS_LOGIN]
    assert len(ours) == 7
    assert [one.user for one in stage.pull.issue_comments] == ["ann", ACTIONS_LOGIN]


def test_outdated_comments_are_hidden_and_threads_resolved(stage, plan, faults):
    stage.token = stage.github.personal_token
    stage.post(plan)
    old = stage.pull.comments[:2]
    later = replace(
        plan,
        inline=(),
        file_level=(),
        minimize=tuple(one.node_id for one in old),
        resolve=tuple(one.thread.node_id for one in old),
    )
    result = stage.post(later)
    assert result.notes == ()
    assert [one.minimized for one in old] == ["outdated", "outdated"]
    assert [one.thread.resolved_by for one in old] == ["ann", "ann"]


def test_nothing_of_others_is_hidden_or_resolved_whatever_a_plan_wants(stage, plan, faults):
    person = stage.client(token=stage.github.personal_token)
    body = {"body": "Mine.", "commit_id": plan.head_sha, "path": faults.PATH, "line": 3}
    person.create(f"{stage.address.path}/comments", "comment", body)
    person.create(f"{stage.address.conversation_path}/comments", "comment", {"body": "Mine."})
    (thread,), (said,) = stage.pull.threads, stage.pull.issue_comments
    nodes = (thread.comments[0].node_id, said.node_id, stage.pull.reviews[0].node_id)
    stage.github.world.tokens[stage.github.token].can_resolve = True
    result = stage.post(replace(plan, minimize=nodes, resolve=(thread.node_id,)))
    assert result.is_delivered
    assert (thread.comments[0].minimized, said.minimized, thread.resolved_by) == (None, None, None)


def test_threads_that_may_not_be_resolved_are_a_note(stage, plan):
    stage.post(plan)
    threads = tuple(one.node_id for one in stage.pull.threads)
    comments = tuple(one.node_id for one in stage.pull.comments)
    result = stage.post(replace(plan, minimize=comments, resolve=threads))
    assert result.is_delivered
    (note,) = result.notes
    assert note.startswith("7 threads not resolved: cannot resolve a thread: the token may not")


def test_a_review_that_was_only_tried_is_deleted_by_the_next_run(stage, plan):
    request = {"commit_id": plan.head_sha, "body": plan.review_body}
    stage.client().create(f"{stage.address.path}/reviews", "try", request)
    assert stage.post(plan).is_delivered
    assert len(stage.pull.reviews) == len(stage.pull.submitted)


def test_a_review_of_ours_that_a_person_has_not_submitted_stays(stage, plan):
    request = {"commit_id": plan.head_sha, "body": "my notes"}
    person = stage.github.personal_token
    stage.client(token=person).create(f"{stage.address.path}/reviews", "draft", request)
    stage.post(plan, token=person)
    assert [one.body for one in stage.pull.reviews if one.state == "PENDING"] == ["my notes"]


def test_a_delivery_that_was_not_ended_is_ended_by_the_next_run(stage, plan, faults):
    stage.github.inject(fault_named(faults, "502-always"), "POST", "issues/1/comments$", times=3)
    assert stage.post(plan).outcome is Outcome.UNREACHABLE
    (result,) = stage.poster().resume()
    assert result.is_delivered
    assert set(stage.told()) == set(faults.names_of(plan))
    assert stage.poster().resume() == ()


def test_a_delivery_to_a_head_that_is_gone_is_given_up(stage, plan, faults):
    with Outbox(stage.folder / "outbox").opened(
        f"{stage.github.url} {stage.address}".lower(), stage.client().patience
    ) as box:
        box.asking(Delivery(plan))
    stage.github.push(stage.pull, {faults.PATH: faults.PATCH}, head="d" * 40)
    (result,) = stage.poster().resume()
    assert result.outcome is Outcome.MOVED
    assert stage.poster().resume() == ()


def test_a_newer_plan_takes_the_place_of_one_that_was_not_ended(stage, plan, faults):
    stage.github.inject(fault_named(faults, "502-always"), "POST", "issues/1/comments$", times=3)
    stage.post(plan)
    stage.post(replace(plan, key="f" * 20, inline=plan.inline[:3]))
    assert stage.poster().resume() == ()
    assert max(stage.told().values()) == 1


def test_a_review_is_looked_for_only_when_a_request_can_have_no_more_effect(stage, plan, faults):
    stage.github.inject(fault_named(faults, "502-after"), "POST", "reviews$")
    result = stage.post(plan)
    assert result.waited_s >= stage.limits.settle_s
    assert faults.reviews_on(stage.pull) == 1
    assert stage.requests("POST").count("reviews") == 1


class MeetingGitHub(FakeGitHub):
    """Takes the first two reviews at the same time: both writers have looked before."""

    def __init__(self):
        super().__init__()
        self.meeting = threading.Barrier(2, timeout=20)

    def _respond(self, method, target, headers, content):
        if method == "POST" and target.endswith("/reviews"):
            self.meeting.wait()
        return super()._respond(method, target, headers, content)


def together(*jobs):
    """What they return, in the order in which they end."""
    results = []
    threads = [threading.Thread(target=lambda job=job: results.append(job())) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_two_machines_at_once_leave_one_of_everything_to_be_seen(stage, tmp_path, plan, faults):
    with MeetingGitHub() as github:
        pull = github.add_pull({faults.PATH: faults.PATCH}, head=faults.HEAD)
        meeting = type(stage)(github, pull, tmp_path, faults, SystemClock(), limits=FAST)
        jobs = [partial(meeting.post, plan, folder=name) for name in ("one", "other")]
        results = together(*jobs)
        assert [result.outcome for result in results] == [Outcome.POSTED, Outcome.POSTED]
        assert meeting.told() == dict.fromkeys(faults.names_of(plan), 1)
        assert sum(bool(one.body and not one.minimized) for one in pull.submitted) == 1


def test_two_runs_of_one_machine_post_one_after_the_other(stage, plan):
    stage.limits = FAST
    results = together(*[partial(stage.post, plan, clock=SystemClock()) for _ in range(2)])
    outcomes = sorted(result.outcome for result in results)
    assert outcomes == [Outcome.ALREADY_THERE, Outcome.POSTED]
    assert stage.requests("POST").count("reviews") == 1
