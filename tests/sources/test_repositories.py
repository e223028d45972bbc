"""Every layout of a repository that git knows."""

import os
import shutil
import sys

import pytest

from dsreview.errors import GitError, NotARepositoryError, RevisionError, UsageError


@pytest.fixture
def base(repo):
    repo.write("x.py", "one\n")
    repo.commit("first")
    repo.write("x.py", "two\n")
    repo.commit("second")
    return repo


def test_a_folder_in_no_repository_is_refused(tmp_path, repo):
    with pytest.raises(NotARepositoryError), repo.change(folder=tmp_path):
        pass


def test_any_folder_of_the_worktree_will_do(base):
    base.write("deep/er/y.py", "y\n")
    base.git("add", "-A")
    assert base.rows(folder=base.top / "deep" / "er") == base.rows()


def test_a_linked_worktree_has_its_own_head_and_index(base, tmp_path):
    base.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "linked"), "HEAD~1")
    linked = tmp_path / "linked"
    (linked / "x.py").write_text("linked\n")
    with base.change(folder=linked) as change:
        assert change.base_name == base.git("rev-parse", "HEAD~1").decode().strip()
        assert change.head.read("x.py") == b"linked\n"
    assert base.rows(folder=linked, is_staged=True) == []
    assert base.rows(folder=linked, revision="side..main") == [("modified", "x.py", "x.py")]
    assert base.rows() == []


def test_a_bare_repository_has_commits_and_no_worktree(base, tmp_path):
    base.git("clone", "-q", "--bare", str(base.top), str(tmp_path / "bare.git"))
    bare = tmp_path / "bare.git"
    assert base.rows(folder=bare, commit="HEAD") == [("modified", "x.py", "x.py")]
    assert base.rows(folder=bare, revision="HEAD~1..", paths=("x.py",)) == [
        ("modified", "x.py", "x.py")
    ]
    patch = b"--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-two\n+three\n"
    assert base.rows(folder=bare, patch=patch) == [("modified", "x.py", "x.py")]
    for request in ({}, {"revision": "HEAD~1"}):
        with pytest.raises(UsageError, match="no worktree"), base.change(folder=bare, **request):
            pass


def test_a_shallow_clone_says_where_it_ends(base, tmp_path):
    base.write("y.py", "y\n")
    base.commit("third")
    base.git("clone", "-q", "--depth=2", f"file://{base.top}", str(tmp_path / "shallow"))
    shallow = tmp_path / "shallow"
    assert base.rows(folder=shallow, revision="HEAD~1") == [("added", "y.py", "y.py")]
    assert base.rows(folder=shallow, commit="HEAD") == [("added", "y.py", "y.py")]
    for request in ({"commit": "HEAD~1"}, {"revision": "HEAD~2"}):
        with pytest.raises(RevisionError, match="shallow"), base.change(folder=shallow, **request):
            pass


def test_a_shallow_clone_without_a_merge_base_says_so(base, tmp_path):
    base.git("checkout", "-q", "-b", "side", "HEAD~1")
    base.commit("side")
    base.git(
        "clone", "-q", "--depth=1", "--no-single-branch", f"file://{base.top}", str(tmp_path / "s")
    )
    with (
        pytest.raises(RevisionError, match="no commit in common; the clone is shallow"),
        base.change(folder=tmp_path / "s", revision="origin/main...HEAD"),
    ):
        pass


def test_a_sha256_repository(make_repo):
    repo = make_repo("sha256", "--object-format=sha256")
    repo.write("x.py", "one\n")
    repo.commit()
    repo.write("d/x.py", "two\n")
    repo.commit()
    assert repo.rows(commit="HEAD") == [("added", "d/x.py", "d/x.py")]
    repo.write("d/x.py", "three\n")
    for request in ({}, {"revision": "HEAD~1"}, {"patch": repo.git("diff")}):
        with repo.change(**request) as change:
            assert change.head.read("d/x.py") == b"three\n"
            assert len(change.head.identity("d/x.py")) == 64
    repo.git("add", "-A")
    assert repo.rows(is_staged=True) == [("modified", "d/x.py", "d/x.py")]
    first = repo.git("rev-list", "--max-parents=0", "HEAD").decode().strip()
    assert repo.rows(commit=first) == [("added", "x.py", "x.py")]


@pytest.fixture
def with_submodule(base, make_repo):
    inner = make_repo("inner")
    inner.write("m.py", "1\n")
    inner.commit()
    base.git("submodule", "-q", "add", str(inner.top), "mod")
    base.commit("with a submodule")
    return base


def test_a_submodule_is_a_commit_and_its_files_are_its_own(with_submodule):
    repo = with_submodule
    assert repo.rows() == []
    (repo.top / "mod" / "m.py").write_text("changed\n")
    assert repo.rows() == []
    repo.git("-C", "mod", "commit", "-qam", "inner")
    with repo.change(with_untracked=True) as change:
        (file,) = change.patch.files
        assert (file.path, file.kind.value) == ("mod", "submodule")
        assert file.hunks[0].lines[1].text.startswith("Subproject commit ")
        assert change.head.read("mod") is None
    repo.git("-C", "mod", "pack-refs", "--all")
    assert repo.rows() == [("modified", "mod", "mod")]
    repo.git("add", "mod")
    assert repo.rows(is_staged=True) == [("modified", "mod", "mod")]
    assert repo.rows(patch=repo.git("diff", "--cached")) == [("modified", "mod", "mod")]


def test_a_submodule_that_is_not_checked_out_is_no_change(with_submodule):
    with_submodule.git("submodule", "-q", "deinit", "-f", "mod")
    assert with_submodule.rows() == []


def test_the_submodule_itself_can_be_reviewed(with_submodule):
    (with_submodule.top / "mod" / "m.py").write_text("changed\n")
    assert with_submodule.rows(folder=with_submodule.top / "mod") == [("modified", "m.py", "m.py")]


@pytest.mark.parametrize("version", ["2", "3", "4"])
def test_every_version_of_the_index(base, version):
    base.git("update-index", "--index-version", version)
    base.write("y.py", "y\n")
    base.git("add", "-N", "y.py")
    assert base.rows() == [("added", "y.py", "y.py")]


def test_a_split_index(base):
    base.git("update-index", "--split-index")
    base.write("y.py", "y\n")
    base.git("add", "y.py")
    assert list((base.top / ".git").glob("sharedindex.*"))
    assert base.rows() == base.rows(is_staged=True) == [("added", "y.py", "y.py")]


def test_packed_refs_and_objects(base):
    base.git("tag", "-a", "-m", "t", "v1", "HEAD~1")
    base.git("pack-refs", "--all")
    base.git("gc", "-q", "--aggressive")
    assert base.rows(revision="v1..main") == [("modified", "x.py", "x.py")]


def test_a_loose_ref_outdoes_a_packed_one(base):
    base.git("pack-refs", "--all")
    base.write("x.py", "three\n")
    head = base.commit()
    with base.change(revision="HEAD~1..main") as change:
        assert change.head_name == head


def test_a_detached_head(base):
    base.git("checkout", "-q", "--detach", "HEAD~1")
    base.write("x.py", "three\n")
    assert base.rows() == [("modified", "x.py", "x.py")]


def test_a_head_that_is_a_symbolic_link(base):
    head = base.top / ".git" / "HEAD"
    head.unlink()
    head.symlink_to("refs/heads/main")
    assert base.rows(commit="HEAD") == [("modified", "x.py", "x.py")]


def test_objects_borrowed_from_a_folder_with_an_odd_name(make_repo, tmp_path):
    origin = make_repo('or:ig"in\\ \n é')
    origin.write("x.py", "1\n")
    origin.commit()
    assert origin.rows(commit="HEAD") == [("added", "x.py", "x.py")]
    shutil.rmtree(tmp_path / "clone", ignore_errors=True)
    plain = make_repo("plain")
    plain.write("y.py", "1\n")
    plain.commit()
    plain.git("clone", "-q", "--shared", str(plain.top), str(tmp_path / "clone"))
    assert plain.rows(folder=tmp_path / "clone", commit="HEAD") == [("added", "y.py", "y.py")]


def test_a_git_folder_that_is_elsewhere(base, tmp_path):
    shutil.move(base.top / ".git", tmp_path / "elsewhere.git")
    (base.top / ".git").write_text("gitdir: ../elsewhere.git\n")
    base.write("x.py", "three\n")
    assert base.rows() == [("modified", "x.py", "x.py")]


def test_pointers_that_go_round_in_circles_end(tmp_path, repo):
    loop = tmp_path / "loop"
    loop.mkdir()
    (loop / ".git").write_text("gitdir: .git\n")
    with pytest.raises(NotARepositoryError), repo.change(folder=loop):
        pass


def test_a_partial_clone_says_what_is_missing_and_fetches_nothing(base, tmp_path):
    base.git("config", "uploadpack.allowFilter", "true")
    partial = tmp_path / "partial"
    base.git("clone", "-q", "--filter=blob:none", f"file://{base.top}", str(partial))
    with pytest.raises(GitError) as caught, base.change(folder=partial, commit="HEAD"):
        pass
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 3
    (partial / "new.py").write_text("n\n")
    with base.change(folder=partial, with_untracked=True) as change:
        assert [file.path for file in change.patch.files] == ["new.py"]


def test_a_blob_that_is_not_here_reads_as_none(base):
    base.write("other.py", "o\n")
    base.commit()
    base.write("x.py", "three\n")
    base.commit()
    blob = base.git("rev-parse", "HEAD:other.py").decode().strip()
    (base.top / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    with base.change(commit="HEAD") as change:
        assert change.head.read("other.py") is None
        assert change.head.size_bytes("other.py") is None
        assert change.head.read("x.py") == b"three\n"


def test_a_broken_index_is_an_error_of_one_line(base):
    (base.top / ".git" / "index").write_bytes(b"DIRC garbage")
    with pytest.raises(GitError) as caught, base.change(is_staged=True):
        pass
    assert "\n" not in str(caught.value)


def test_refs_in_a_table_are_refused_with_a_way_out(base):
    base.git("config", "core.repositoryFormatVersion", "1")
    base.git("config", "extensions.refStorage", "reftable")
    with pytest.raises(UsageError, match="reftable"), base.change():
        pass


def test_a_configuration_that_git_would_refuse_changes_nothing(base):
    with (base.top / ".git" / "config").open("a") as file:
        file.write("[broken\n\tthis is = not [ a configuration\n")
    base.write("x.py", "three\n")
    assert base.rows() == base.rows(revision="HEAD") == [("modified", "x.py", "x.py")]


def test_names_that_are_no_refs_are_left_out(base):
    base.write(".git/refs/heads/bad.lock", "1" * 40)
    base.write(".git/refs/heads/not-a-ref", "hello\n")
    base.write(".git/refs/heads/a..b", "1" * 40)
    os.mkfifo(base.top / ".git" / "refs" / "heads" / "fifo")
    (base.top / ".git" / "refs" / "heads" / "out").symlink_to("/etc/passwd")
    (base.top / ".git" / "refs" / "loop").symlink_to(".")
    assert base.rows(commit="HEAD") == [("modified", "x.py", "x.py")]
    for name in ("not-a-ref", "fifo", "out"):
        with pytest.raises(RevisionError), base.change(commit=name):
            pass


def test_a_broken_head_is_not_taken_for_an_empty_branch(base):
    base.write(".git/HEAD", "0123456789" * 4 + "\n")
    for request in ({}, {"is_staged": True}):
        with pytest.raises(RevisionError, match="HEAD names no commit"), base.change(**request):
            pass
    base.write(".git/HEAD", "nonsense\n")
    with pytest.raises(GitError, match="HEAD cannot be read"), base.change():
        pass


def test_a_shallow_file_of_nonsense_stops_nothing(base):
    base.write(".git/shallow", "nonsense\n")
    assert base.rows(commit="HEAD") == [("modified", "x.py", "x.py")]


def test_new_objects_of_a_push_are_seen_before_they_are_taken(base, tmp_path):
    base.git("clone", "-q", "--bare", str(base.top), str(tmp_path / "server.git"))
    log = tmp_path / "log"
    script = tmp_path / "receive.py"
    script.write_text(
        f"import sys; sys.path[:0] = {sys.path!r}\n"
        "from pathlib import Path\nfrom dsreview.sources import SourceRequest, open_change\n"
        "old, new, _ = sys.stdin.readline().split()\n"
        "request = SourceRequest(Path.cwd(), revision=f'{old}..{new}')\n"
        "with open_change(request) as change:\n"
        f"    Path({str(log)!r}).write_text(change.patch.files[0].path)\n"
    )
    hook = tmp_path / "server.git" / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\nexec {sys.executable} -I {script}\n")
    hook.chmod(0o755)
    base.write("pushed.py", "p\n")
    base.commit("pushed")
    base.git("push", "-q", str(tmp_path / "server.git"), "main")
    assert log.read_text() == "pushed.py"
