"""What git's words and the framework's variables come to."""

import pytest

from dsreview.errors import UsageError
from dsreview.githook.events import HookCall, changes_of, read_refs, without_git
from dsreview.sources import open_change
from dsreview.sources.pushed import PushedRef

A, B, ZERO = "a" * 40, "b" * 40, "0" * 40


def test_the_lines_of_a_push():
    lines = f"refs/heads/main {A} refs/heads/main {ZERO}\nmain@{{1 day ago}} {B} refs/x {A}\n"
    assert read_refs(lines.encode()) == (
        PushedRef("refs/heads/main", A, "refs/heads/main", ZERO),
        PushedRef("main@{1 day ago}", B, "refs/x", A),
    )
    assert read_refs(b"") == ()
    with pytest.raises(UsageError):
        read_refs(b"refs/heads/main\n")


def test_children_see_no_variable_of_git():
    variables = {"GIT_DIR": "x", "GIT_INDEX_FILE": "y", "PATH": "z", "HOME": "/"}
    assert without_git(variables) == {"PATH": "z", "HOME": "/"}


@pytest.fixture
def history(repository):
    """Three commits of one file, and a fourth state that is staged."""
    commits = [repository.commit({"a.py": f"{number}\n"}) for number in range(3)]
    repository.write({"a.py": "staged\n"})
    repository.git("add", "-A")
    return commits


def reviewed(repository, name="", *, stdin=b"", arguments=(), **environment):
    """Base and head of each change, as the user would be told."""
    call = HookCall(name, arguments, environment, repository.folder, lambda: stdin)
    found = []
    for request in changes_of(call):
        with open_change(request) as change:
            found.append((change.base_name, change.head_name))
    return found


def test_without_a_name_the_index_is_meant(repository, history):
    expected = [(history[2], "index")]
    assert reviewed(repository) == expected
    for name in ("pre-commit", "pre-merge-commit", "manual"):
        assert reviewed(repository, name) == expected
    assert reviewed(repository, PRE_COMMIT="1") == expected


def test_the_framework_names_two_commits(repository, history):
    refs = {"PRE_COMMIT_FROM_REF": history[0], "PRE_COMMIT_TO_REF": "HEAD"}
    expected = [(history[0], history[2])]
    for name in ("", "manual", "pre-push"):
        assert reviewed(repository, name, PRE_COMMIT="1", **refs) == expected
    # variables that some other process left do not lead a native hook astray
    assert reviewed(repository, "pre-commit", PRE_COMMIT="1", **refs) == [(history[2], "index")]
    assert reviewed(repository, **refs) == [(history[2], "index")]


def test_the_framework_counts_from_where_two_branches_parted(repository, history):
    repository.git("reset", "-q", "--hard")
    repository.git("checkout", "-q", "-b", "side", history[0])
    side = repository.commit({"b.py": "1\n"})
    refs = {"PRE_COMMIT_FROM_REF": "main", "PRE_COMMIT_TO_REF": "side"}
    assert reviewed(repository, PRE_COMMIT="1", **refs) == [(history[0], side)]


def test_the_framework_names_no_range_for_a_first_push(repository, history):
    names = {
        "PRE_COMMIT_REMOTE_NAME": "origin",
        "PRE_COMMIT_REMOTE_URL": "somewhere",
        "PRE_COMMIT_REMOTE_BRANCH": "refs/heads/main",
        "PRE_COMMIT_LOCAL_BRANCH": "refs/heads/main",
    }
    expected = [("(nothing)", history[2])]
    assert reviewed(repository, "pre-push", PRE_COMMIT="1", **names) == expected
    gone = names | {"PRE_COMMIT_LOCAL_BRANCH": "(delete)"}
    assert reviewed(repository, "pre-push", PRE_COMMIT="1", **gone) == []


def pushed(repository, *lines):
    text = "".join(f"{' '.join(line)}\n" for line in lines)
    return reviewed(repository, "pre-push", stdin=text.encode(), arguments=("origin", "url"))


def test_a_push_of_nothing_is_nothing(repository, history):
    assert pushed(repository) == []
    assert pushed(repository, ("(delete)", ZERO, "refs/heads/side", history[0])) == []


def test_what_a_tag_and_a_branch_bring_together_is_reviewed_once(repository, history):
    repository.git("tag", "-a", "-m", "tag", "v1")
    tag = repository.git("rev-parse", "v1").strip()
    lines = [
        ("refs/tags/v1", tag, "refs/tags/v1", ZERO),
        ("refs/heads/main", history[2], "refs/heads/main", history[0]),
    ]
    assert pushed(repository, *lines) == [(history[0], history[2])]


def test_a_tag_of_a_file_is_nothing(repository, history):
    blob = repository.git("rev-parse", "HEAD:a.py").strip()
    assert pushed(repository, ("refs/tags/file", blob, "refs/tags/file", ZERO)) == []


def test_a_remote_state_that_is_not_known_here_counts_as_new(repository, history):
    lines = [("refs/heads/main", history[2], "refs/heads/main", A)]
    assert pushed(repository, *lines) == [("(nothing)", history[2])]
    repository.git("update-ref", "refs/remotes/origin/other", history[1])
    assert pushed(repository, *lines) == [(history[1], history[2])]


def test_a_remote_without_a_name_has_what_any_remote_has(repository, history):
    repository.git("update-ref", "refs/remotes/upstream/main", history[0])
    new = ("refs/heads/main", history[2], "refs/heads/main", ZERO)
    assert pushed(repository, new) == [(history[0], history[2])]


def test_a_history_that_replaces_another_is_compared_with_it(repository, history):
    repository.git("checkout", "-q", "--orphan", "fresh")
    fresh = repository.commit({"c.py": "1\n"})
    lines = [("refs/heads/fresh", fresh, "refs/heads/main", history[2])]
    assert pushed(repository, *lines) == [(history[2], fresh)]


def test_a_repository_that_only_git_knows_of(repository, history, tmp_path):
    """`git --git-dir=X --work-tree=Y commit`: no folder leads to the repository."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    git_dir = repository.folder / ".git"
    call = HookCall("pre-commit", (), {"GIT_DIR": str(git_dir)}, elsewhere, lambda: b"")
    (request,) = changes_of(call)
    with open_change(request) as change:
        assert change.base_name == history[2]
        assert [file.path for file in change.patch.files] == ["a.py"]
        assert change.head.read("a.py") == b"staged\n"
