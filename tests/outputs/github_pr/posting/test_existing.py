"""What is read of a pull request: all of it, and what of it is believed to be ours."""

import pytest

from dsreview.errors import GitHubError
from dsreview.fake_github import Fault
from dsreview.fake_github.replies import Reply, error
from dsreview.fake_github.world import ACTIONS_LOGIN, FileChange
from dsreview.outputs.github_pr.refusals import Unreachable


def refusing(status, message="Resource not accessible by integration"):
    return Fault(f"{status}", "", lambda: error(status, message), times=None)


def write(stage, path, body, token=""):
    return stage.client(token=token).create(f"{path}", "write", body)


def test_everything_that_planning_needs_is_read(stage, faults):
    stage.post(faults.example_plan())
    state = stage.state()
    assert state.viewer_login == ACTIONS_LOGIN
    assert (state.pull.base_sha, state.pull.head_sha) == (faults.BASE, faults.HEAD)
    assert state.pull.is_open
    assert not state.pull.is_fork
    assert [file.path for file in state.files] == [faults.PATH]
    assert state.files[0].patch == faults.PATCH
    assert len(state.comments) == 7
    assert all(one.is_ours and one.thread_id and not one.is_outdated for one in state.comments)
    assert [one.line for one in state.comments] == [3, 4, 5, 6, 7, None, None]
    assert state.summary.body == faults.example_plan().summary.text
    assert state.can_write


def test_a_comment_of_another_with_our_marker_is_not_ours(stage, faults):
    body = faults.example_plan().inline[0].body
    on_lines = {"body": body, "commit_id": faults.HEAD, "path": faults.PATH, "line": 3}
    write(stage, f"{stage.address.path}/comments", on_lines, stage.github.personal_token)
    summary = {"body": faults.example_plan().summary.text}
    write(
        stage, f"{stage.address.conversation_path}/comments", summary, stage.github.personal_token
    )
    state = stage.state()
    assert [one.is_ours for one in state.comments] == [False]
    assert [one.is_ours for one in state.reviews] == [False]
    assert state.summary is None


def test_the_login_of_a_workflow_comes_from_graphql(stage):
    stage.github.inject(refusing(403), "GET", "^/user$")
    assert stage.state().viewer_login == ACTIONS_LOGIN


def test_without_graphql_a_person_is_known_by_rest(stage):
    stage.github.inject(refusing(404), "POST", "graphql")
    assert stage.state(token=stage.github.personal_token).viewer_login == "ann"


def test_whose_token_nobody_says_owns_nothing(stage, faults):
    stage.post(faults.example_plan())
    stage.github.inject(refusing(403), "POST", "graphql")
    stage.github.inject(refusing(403), "GET", "^/user$")
    state = stage.state()
    assert state.viewer_login == ""
    assert not any(one.is_ours for one in (*state.comments, *state.reviews))
    assert state.summary is None


def test_threads_that_may_not_be_read_count_as_open(stage, faults):
    stage.post(faults.example_plan())
    stage.github.inject(Fault("", "", refusing(403).reply, times=None), "POST", "graphql", skip=1)
    state = stage.state()
    assert state.viewer_login == ACTIONS_LOGIN
    assert len(state.comments) == 7
    assert not any(one.is_resolved or one.thread_id for one in state.comments)
    assert not state.can_resolve


def test_what_people_did_to_a_comment_is_seen(stage, faults):
    stage.post(faults.example_plan())
    threads = stage.pull.threads
    threads[0].resolved_by = "ann"
    threads[1].comments[0].minimized = "off-topic"
    reply = {"body": "No."}
    path = f"{stage.address.path}/comments/{threads[2].comments[0].id}/replies"
    write(stage, path, reply, stage.github.personal_token)
    first, second, third, fourth, *_ = stage.state().comments
    assert first.is_resolved
    assert second.is_minimized
    assert second.minimized_reason.lower() == "off-topic"
    assert third.has_replies
    assert not any([fourth.is_resolved, fourth.is_minimized, fourth.has_replies])


def test_a_comment_is_outdated_once_its_line_is_gone_but_not_one_on_a_file(stage, faults):
    stage.post(faults.example_plan())
    stage.github.push(stage.pull, {faults.PATH: "@@ -1 +1 @@\n-a\n+b"}, head="d" * 40)
    *on_lines, first_on_file, second_on_file = stage.state().comments
    assert all(one.is_outdated and one.line is None for one in on_lines)
    assert not first_on_file.is_outdated
    assert not second_on_file.is_outdated


def test_more_files_than_a_page_holds_are_read(stage):
    files = [FileChange(f"f{number}.py", "@@ -0,0 +1 @@\n+a") for number in range(401)]
    stage.github.push(stage.pull, files, head="d" * 40)
    assert [file.path for file in stage.state().files] == [file.path for file in files]


@pytest.mark.parametrize("status", [406, 422])
def test_no_file_is_listed_where_the_diff_is_too_large(stage, status):
    stage.github.inject(refusing(status, "too large"), "GET", "/files")
    assert stage.state().files == ()


def test_a_deleted_fork_is_a_fork(stage):
    stage.pull.head_repository = None
    assert stage.state().pull.is_fork


def test_half_a_surrogate_pair_in_a_title_is_replaced(stage):
    stage.pull.title = "a\ud800b"
    assert stage.state().pull.title == "a?b"


def test_an_answer_about_something_else_is_no_pull_request(stage):
    reply = Reply(200, {"hello": "world"})
    stage.github.inject(Fault("strange", "", lambda: reply, times=None), "GET", "/pulls/1$")
    with pytest.raises(Unreachable, match="cannot read pull request octo/project#1"):
        stage.state()


LISTS = ("/pulls/1$", "/pulls/1/comments$", "/reviews$", "/files$", "/issues/1/comments$")
PASSING = ("502-before", "half-body")
"""The whole table, at the same requests: `test_faults`."""
LASTING = ("502-always", "401", "403-secondary-hour", "reset-always")


@pytest.mark.parametrize("path", [*LISTS, "/graphql$"])
def test_a_fault_that_passes_changes_nothing_of_what_is_read(stage, faults, path):
    stage.post(faults.example_plan())
    wanted = stage.state()
    for fault in faults.FAULTS:
        if fault.name in PASSING:
            injection = stage.github.inject(fault, "*", path)
            assert stage.state() == wanted
            assert injection.fired == 1


@pytest.mark.parametrize("path", LISTS)
def test_a_fault_that_lasts_ends_the_reading_with_one_line(stage, faults, path):
    for fault in faults.FAULTS:
        if fault.name in LASTING:
            injection = stage.github.inject(fault, "*", path)
            with pytest.raises(GitHubError, match=r"^cannot ") as caught:
                stage.state()
            assert "\n" not in str(caught.value)
            injection.times = 0
