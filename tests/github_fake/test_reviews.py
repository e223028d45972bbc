"""GitHub's rules for reviews and comments, asked by the client that people use."""

import time

import github
import pytest
from github import Auth, Github
from github.GithubRetry import GithubRetry

from dsreview.fake_github import FAULTS, FakeGitHub

PATCH = "@@ -1,4 +1,5 @@\n a\n-b\n+B\n+B2\n c\n d\n@@ -20,3 +21,3 @@\n x\n-y\n+Y\n z"
HEAD = "a" * 40


def client(fake, token="", retry=None):
    return Github(
        base_url=fake.url,
        auth=Auth.Token(token or fake.token),
        retry=retry,
        seconds_between_requests=None,
        seconds_between_writes=None,
        per_page=100,
    )


@pytest.fixture
def pull(fake_github):
    return fake_github.add_pull({"f.py": PATCH, "image.png": None})


@pytest.fixture
def theirs(fake_github, pull):
    """The pull request, as PyGithub has it."""
    return client(fake_github).get_repo("octo/project").get_pull(pull.number)


@pytest.fixture
def head(fake_github, pull):
    return client(fake_github).get_repo("octo/project").get_commit(HEAD)


def on(line, **more):
    return {"path": "f.py", "body": "x", "line": line, **more}


def from_to(start, line):
    return on(line, start_line=start, side="RIGHT", start_side="RIGHT")


@pytest.mark.parametrize(
    "comment",
    [
        on(2, side="RIGHT"),
        on(2),
        on(1, side="RIGHT"),
        on(2, side="LEFT"),
        on(4, side="LEFT"),
        from_to(2, 3),
        from_to(21, 23),
        {"path": "f.py", "body": "x", "position": 3},
        {"path": "f.py", "body": "x" * 65536, "line": 2},
    ],
)
def test_a_comment_inside_a_hunk_is_posted(theirs, head, pull, comment):
    theirs.create_review(commit=head, body="b", event="COMMENT", comments=[comment])
    (posted,) = pull.comments
    assert posted.line == comment.get("line", 2)
    assert posted.diff_hunk.startswith("@@ -")


THREAD = "Pull request review thread"
OFF_DIFF = f"{THREAD} line must be part of the diff and {THREAD} diff hunk can't be blank"


@pytest.mark.parametrize(
    ("comment", "said"),
    [
        (on(15), OFF_DIFF),
        (on(6, side="LEFT"), OFF_DIFF),
        (from_to(3, 22), f"{THREAD} start line must be part of the same hunk as the line."),
        (from_to(2, 2), f"{THREAD} start line must precede the end line."),
        (from_to(3, 2), f"{THREAD} start line must precede the end line."),
        (
            from_to(14, 15),
            f"{THREAD} line must be part of the diff, {THREAD} start line must be part of the same"
            f" hunk as the line., and {THREAD} diff hunk can't be blank",
        ),
        (on(2, side="MIDDLE"), f"{THREAD} side is invalid"),
        (on(2) | {"path": "g.py"}, f"{THREAD} path is invalid and {THREAD} diff hunk"),
        (on(1) | {"path": "image.png"}, OFF_DIFF),
        ({"path": "f.py", "body": "x"}, OFF_DIFF),
        ({"path": "f.py", "body": "x", "position": 99}, f"{THREAD} position is invalid"),
        (on(2) | {"body": "x" * 65537}, f"{THREAD} body is too long"),
        (on(2) | {"body": " "}, f"{THREAD} body can't be blank"),
    ],
)
def test_one_bad_comment_refuses_the_whole_review(theirs, head, pull, comment, said):
    comments = [on(2), comment, on(3)]
    with pytest.raises(github.GithubException) as refused:
        theirs.create_review(commit=head, body="b", event="COMMENT", comments=comments)
    assert refused.value.status == 422
    assert refused.value.data["errors"][0].startswith(said)
    assert (pull.reviews, pull.threads) == ([], [])


def test_a_review_without_an_event_waits_to_be_submitted(fake_github, theirs, head, pull):
    review = theirs.create_review(commit=head, body="b", comments=[on(2)])
    assert (review.state, review.submitted_at) == ("PENDING", None)
    assert list(theirs.get_review_comments()) == []
    person = client(fake_github, fake_github.personal_token).get_repo("octo/project").get_pull(1)
    assert list(person.get_reviews()) == []
    assert [each.state for each in theirs.get_reviews()] == ["PENDING"]
    with pytest.raises(github.GithubException, match="one pending review"):
        theirs.create_review(commit=head, body="b")
    assert pull.submitted == []


def test_whoever_has_a_review_to_submit_can_neither_review_nor_comment(
    fake_github, theirs, head, pull
):
    other = client(fake_github, fake_github.personal_token).get_repo("octo/project").get_pull(1)
    said = other.create_review_comment("b", head, "f.py", line=2)
    draft = theirs.create_review(commit=head, body="my notes")
    for write in (
        lambda: theirs.create_review(commit=head, body="b", event="COMMENT"),
        lambda: theirs.create_review(commit=head, body="b", event="COMMENT", comments=[on(2)]),
        lambda: theirs.create_review_comment("b", head, "f.py", line=2),
        lambda: theirs.create_review_comment("b", head, "f.py", subject_type="file"),
        lambda: theirs.create_review_comment_reply(said.id, "b"),
    ):
        with pytest.raises(github.GithubException, match="one pending review") as refused:
            write()
        assert refused.value.status == 422
    assert len(pull.comments) == 1
    draft.delete()
    theirs.create_review_comment("b", head, "f.py", line=2)
    assert len(pull.comments) == 2


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"event": "COMMENT"}, "Body can't be blank"),
        ({"event": "COMMENT", "body": "x" * 65537}, "Body is too long"),
        ({"event": "APPROVE"}, "not permitted to approve"),
        ({"event": "REQUEST_CHANGES", "comments": [on(2)]}, "Body can't be blank"),
    ],
)
def test_events_have_their_rules(theirs, head, pull, sent, said):
    with pytest.raises(github.GithubException, match=said):
        theirs.create_review(commit=head, **sent)
    assert pull.reviews == []


def test_a_comment_on_a_file_needs_no_line_but_the_other_endpoint(theirs, head, pull):
    comment = {"path": "image.png", "body": "x", "subject_type": "file"}
    with pytest.raises(github.GithubException) as refused:
        theirs.create_review(commit=head, event="COMMENT", comments=[comment])
    assert "subject_type" in refused.value.data["errors"][0]
    posted = theirs.create_review_comment("x", head, "image.png", subject_type="file")
    assert (posted.subject_type, pull.comments[0].line) == ("file", None)
    assert not pull.comments[0].is_outdated


def test_a_single_comment_off_the_diff_is_refused_field_by_field(theirs, head, pull):
    with pytest.raises(github.GithubException) as refused:
        theirs.create_review_comment("x", head, "f.py", 15)
    fields = [error["field"] for error in refused.value.data["errors"]]
    assert fields == ["pull_request_review_thread.line", "pull_request_review_thread.diff_hunk"]
    assert pull.threads == []


def test_a_fork_s_token_may_read_and_not_write(fake_github, pull, head):
    theirs = client(fake_github, fake_github.read_only_token).get_repo("octo/project").get_pull(1)
    assert len(list(theirs.get_files())) == 2
    for write in (
        lambda: theirs.create_review(commit=head, body="b", event="COMMENT"),
        lambda: theirs.create_issue_comment("x"),
        lambda: theirs.create_review_comment("x", head, "f.py", 2),
    ):
        with pytest.raises(github.GithubException) as refused:
            write()
        assert refused.value.status == 403
        assert refused.value.data["message"] == "Resource not accessible by integration"


def test_a_pull_request_of_a_fork_names_it(fake_github):
    fake_github.add_pull({"f.py": PATCH}, fork="mallory/project")
    theirs = client(fake_github).get_repo("octo/project").get_pull(1)
    assert theirs.head.repo.full_name == "mallory/project"
    assert theirs.base.repo.full_name == "octo/project"
    fake_github.repository.pulls[1].head_repository = None
    assert client(fake_github).get_repo("octo/project").get_pull(1).head.repo is None


def test_only_own_comments_can_be_edited(fake_github, theirs, pull):
    summary = theirs.create_issue_comment("first")
    summary.edit("second")
    assert [each.body for each in pull.issue_comments] == ["second"]
    person = client(fake_github, fake_github.personal_token).get_repo("octo/project")
    with pytest.raises(github.GithubException) as refused:
        person.get_pull(1).get_issue_comment(summary.id).edit("mine")
    assert refused.value.status == 403


SHIFTED = "@@ -1,4 +41,5 @@\n a\n-b\n+B\n+B2\n c\n d"
CHANGED = "@@ -1,4 +1,4 @@\n a\n-b\n+other\n c\n d"


@pytest.mark.parametrize(
    ("patch", "line"), [(PATCH, 2), (SHIFTED, 42), (CHANGED, None), (None, None)]
)
def test_comments_follow_their_line_or_become_outdated(
    fake_github, theirs, head, pull, patch, line
):
    theirs.create_review(commit=head, body="b", event="COMMENT", comments=[on(2)])
    fake_github.force_push(pull, {"f.py": patch}, head="c" * 40)
    (comment,) = theirs.get_review_comments()
    assert (comment.line, comment.original_line) == (line, 2)
    assert pull.comments[0].is_outdated == (line is None)
    assert comment.commit_id == ("c" * 40 if line else HEAD)


def test_a_commit_that_a_push_left_behind_can_still_be_reviewed(fake_github, theirs, head, pull):
    fake_github.push(pull, {"f.py": SHIFTED}, head="c" * 40)
    review = theirs.create_review(commit=head, body="b", event="COMMENT", comments=[on(2)])
    assert review.commit_id == HEAD
    assert pull.comments[0].line == 42


def test_a_commit_that_a_forced_push_removed_cannot(fake_github, theirs, head, pull):
    fake_github.force_push(pull, {"f.py": PATCH}, head="c" * 40)
    with pytest.raises(github.GithubException, match="not part of the pull request"):
        theirs.create_review(commit=head, body="b", event="COMMENT")


def test_check_runs_are_for_apps(fake_github, pull):
    repository = client(fake_github).get_repo("octo/project")
    run = repository.create_check_run("dsreview", HEAD, status="in_progress")
    notes = [
        {
            "path": "f.py",
            "start_line": 2,
            "end_line": 2,
            "annotation_level": "warning",
            "message": "x",
        }
    ] * 50
    for _ in range(2):
        output = {"title": "t", "summary": "s", "annotations": notes}
        run.edit(conclusion="neutral", output=output)
    assert len(fake_github.repository.check_runs[0].annotations) == 100
    with pytest.raises(github.GithubException):
        run.edit(output={"title": "t", "summary": "s", "annotations": [*notes, notes[0]]})
    person = client(fake_github, fake_github.personal_token).get_repo("octo/project")
    with pytest.raises(github.GithubException, match="GitHub App"):
        person.create_check_run("dsreview", HEAD)


@pytest.mark.parametrize(
    ("retry", "reviews"),
    [
        (github.Github.default_retry, 2),
        (GithubRetry(total=5, allowed_methods={"GET", "HEAD"}), 1),
        (None, 1),
    ],
    ids=["PyGithub as it comes", "reads alone", "none"],
)
def test_pygithub_posts_twice_unless_told_otherwise(retry, reviews):
    """Why the poster asks before it repeats."""
    (after,) = (fault for fault in FAULTS if fault.name == "502-after")
    with FakeGitHub() as fake:
        pull = fake.add_pull({"f.py": PATCH})
        fake.inject(after, "POST", "/reviews$")
        theirs = client(fake, retry=retry).get_repo("octo/project").get_pull(1)
        commit = client(fake).get_repo("octo/project").get_commit(HEAD)
        if reviews == 2:
            theirs.create_review(commit=commit, body="b", event="COMMENT", comments=[on(2)])
        else:
            with pytest.raises((github.GithubException, OSError)):
                theirs.create_review(commit=commit, body="b", event="COMMENT", comments=[on(2)])
        assert len(pull.reviews) == reviews


def test_a_second_fake_starts_at_once():
    begun = time.perf_counter()
    with FakeGitHub() as fake:
        fake.add_pull({"f.py": PATCH})
        client(fake).get_repo("octo/project").get_pull(1)
    assert time.perf_counter() - begun < 1
