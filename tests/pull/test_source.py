"""The change of a pull request, from the objects of a clone."""

import pytest

from dsreview.errors import GitError, NotARepositoryError, RevisionError
from dsreview.outputs.github_pr.values import PullRequest
from dsreview.sources.github_pr import open_pull


def pull(base, head):
    return PullRequest(
        owner="octo",
        name="project",
        number=7,
        base_sha=base,
        head_sha=head,
        base_ref="main",
        head_ref="change",
        title="",
        author="",
        is_open=True,
        is_draft=False,
        is_fork=False,
        is_public=False,
    )


def paths(change):
    return [file.path for file in change.patch.files]


@pytest.fixture
def history(repository):
    """main: 1 - 4; change, from 1: 2 - 3."""
    commits = {1: repository.commit({"a.py": "a = 1\n", ".dsreview.toml": "max-findings = 1\n"})}
    repository.git("checkout", "-q", "-b", "change")
    commits[2] = repository.commit({"a.py": "a = 2\n"})
    commits[3] = repository.commit({"b.py": "b = 3\n", ".dsreview.toml": "max-findings = 3\n"})
    repository.git("checkout", "-q", "main")
    commits[4] = repository.commit({"c.py": "c = 4\n", ".dsreview.toml": "max-findings = 4\n"})
    return commits


def test_it_is_what_the_head_did_since_it_left_the_base(repository, history):
    with open_pull(repository.folder, pull(history[4], history[3])) as opened:
        assert opened.merge_base == history[1]
        assert paths(opened.change) == [".dsreview.toml", "a.py", "b.py"]
        assert opened.change.base.read("a.py") == b"a = 1\n"


def test_settings_come_from_the_tip_of_the_base(repository, history):
    with open_pull(repository.folder, pull(history[4], history[3])) as opened:
        assert opened.change.settings.read(".dsreview.toml") == b"max-findings = 4\n"
        assert opened.since(history[2]).settings.read(".dsreview.toml") == b"max-findings = 4\n"


def test_what_came_since_a_commit(repository, history):
    with open_pull(repository.folder, pull(history[4], history[3])) as opened:
        assert opened.has(history[2])
        assert opened.descends_from(history[2])
        assert opened.parted_where(history[2])
        assert opened.since(history[2]).focus == {".dsreview.toml", "b.py"}
        assert paths(opened.since(history[2])) == paths(opened.change)


def test_a_file_touched_again_is_looked_at_whole(repository, history):
    repository.git("checkout", "-q", "change")
    new = repository.commit({"a.py": "a = 2\nmore = 3\n"})
    with open_pull(repository.folder, pull(history[4], new)) as opened:
        change = opened.since(history[3])
        assert change.focus == {"a.py"}
        assert [file.added_lines for file in change.patch.files if file.path == "a.py"] == [{1, 2}]


def test_a_file_that_is_as_before_again_is_no_part_of_it(repository, history):
    repository.git("checkout", "-q", "change")
    new = repository.commit({"a.py": "a = 1\n"})
    with open_pull(repository.folder, pull(history[4], new)) as opened:
        assert opened.since(history[3]).focus == frozenset()


def test_a_rewritten_branch_does_not_descend_from_its_old_head(repository, history):
    repository.git("checkout", "-q", "change")
    repository.git("commit", "-q", "--amend", "-m", "again")
    new = repository.git("rev-parse", "HEAD").strip()
    with open_pull(repository.folder, pull(history[4], new)) as opened:
        assert opened.descends_from(history[2])
        assert not opened.descends_from(history[3])
        assert not opened.has("f" * 40)


def test_a_base_that_was_merged_in_is_noticed(repository, history):
    repository.git("checkout", "-q", "change")
    repository.git("rm", "-q", ".dsreview.toml")
    repository.git("commit", "-q", "-m", "gone")
    repository.git("merge", "-q", "-X", "ours", "--no-edit", "-s", "ours", "main")
    new = repository.git("rev-parse", "HEAD").strip()
    with open_pull(repository.folder, pull(history[4], new)) as opened:
        assert opened.merge_base == history[4]
        assert opened.descends_from(history[3])
        assert not opened.parted_where(history[3])


def test_a_commit_that_is_not_here_says_how_to_fetch_it(repository, history):
    with pytest.raises(RevisionError, match=r"head.*refs/pull/7/head.*fetch-depth: 0"):
        open_pull(repository.folder, pull(history[4], "f" * 40)).__enter__()
    with pytest.raises(RevisionError, match=r"base.*git fetch origin main.*fetch-depth: 0"):
        open_pull(repository.folder, pull("f" * 40, history[3])).__enter__()


def test_a_shallow_clone_says_how_to_deepen_it(repository, history, tmp_path):
    shallow = tmp_path / "shallow"
    repository.git(
        "clone", "-q", "--depth=1", "--no-single-branch", repository.folder.as_uri(), str(shallow)
    )
    with pytest.raises(RevisionError, match=r"too shallow.*unshallow.*fetch-depth: 0"):
        open_pull(shallow, pull(history[4], history[3])).__enter__()


def test_a_partial_clone_is_told_that_nothing_is_fetched(repository, history, tmp_path):
    repository.git("config", "uploadpack.allowFilter", "true")
    partial = tmp_path / "partial"
    options = ("--no-checkout", "--filter=blob:none", repository.folder.as_uri())
    repository.git("-c", "protocol.file.allow=always", "clone", "-q", *options, str(partial))
    with pytest.raises(GitError, match=r"octo/project#7: .*without --filter"):
        open_pull(partial, pull(history[4], history[3])).__enter__()


def test_a_folder_outside_any_repository_is_refused(tmp_path):
    with pytest.raises(NotARepositoryError):
        open_pull(tmp_path, pull("b" * 40, "a" * 40)).__enter__()
