"""`dsreview hook install`, `uninstall` and `status` on real repositories."""

import os
import resource
import stat
import subprocess
import sys

import pytest

from dsreview.githook.hook_files import template, this_program
from dsreview.githook.installation import Program, Stage, script

FOREIGN = b"#!/bin/sh\nmake lint\n"


@pytest.fixture
def hooks(repository):
    return repository.folder / ".git" / "hooks"


def contents(folder):
    """Every file below a folder but samples, with its mode; links as what they say."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix != ".sample" and not path.is_dir():
            content = path.readlink() if path.is_symlink() else path.read_bytes()
            found[path.relative_to(folder).as_posix()] = (content, path.lstat().st_mode)
    return found


def identity(path):
    status = path.lstat()
    return (status.st_ino, status.st_mode, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def written(stage):
    return script(template(stage), this_program())


def put(path, content, mode=0o755):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(mode)


def test_install_writes_executable_scripts_and_nothing_else(hook, hooks, repository):
    before = contents(repository.folder)
    outcome = hook("install")
    assert outcome == type(outcome)(
        0,
        f"pre-commit: installed in {hooks}\npre-merge-commit: installed in {hooks}\n",
        "",
    )
    after = contents(repository.folder)
    mode = stat.S_IFREG | 0o755
    expected = {f".git/hooks/{stage}": (written(stage), mode) for stage in list(Stage)[:2]}
    assert after == before | expected
    assert os.fsencode(sys.executable) in written(Stage.PRE_COMMIT)


def test_installing_twice_changes_nothing(hook, hooks, repository):
    hook("install", "--stage=pre-push")
    before = identity(hooks / "pre-push")
    outcome = hook("install", "--stage", "pre-push", "--stage", "pre-push")
    assert (outcome.code, outcome.out) == (0, "pre-push: already installed\n")
    assert identity(hooks / "pre-push") == before
    assert set(contents(hooks)) == {"pre-push"}


def test_uninstall_leaves_what_was_there_before(hook, hooks):
    put(hooks / "commit-msg", FOREIGN)
    before = contents(hooks)
    hook("install", *(f"--stage={stage}" for stage in Stage))
    assert set(contents(hooks)) == {*Stage, "commit-msg"}
    outcome = hook("uninstall")
    assert (outcome.code, outcome.out.count("removed from")) == (0, 3)
    assert contents(hooks) == before
    assert hook("uninstall").out == "no hook of dsreview is installed\n"


@pytest.mark.parametrize("mask", [0o077, 0o022, 0o000])
def test_the_mode_does_not_depend_on_the_umask(mask, hook, hooks):
    before = os.umask(mask)
    try:
        hook("install")
    finally:
        os.umask(before)
    assert stat.S_IMODE((hooks / "pre-commit").stat().st_mode) == 0o755


GONE = Program(b"/nowhere/bin/python", b"/nowhere/dsreview/__main__.py")


@pytest.mark.parametrize(
    ("content", "mode"),
    [
        (script(template(Stage.PRE_COMMIT), GONE), 0o755),
        (script(template(Stage.PRE_COMMIT).replace(b"-hook 1", b"-hook 0"), GONE), 0o755),
        (written(Stage.PRE_COMMIT), 0o644),
    ],
    ids=["interpreter gone", "older version", "not executable"],
)
def test_a_stale_hook_is_said_to_be_so_and_renewed(content, mode, hook, hooks):
    put(hooks / "pre-commit", content, mode)
    stale = hook("status")
    assert stale.code == 1
    assert "pre-commit        stale " in stale.out
    assert "dsreview hook install --stage pre-commit" in stale.out
    outcome = hook("install", "--stage=pre-commit")
    assert (outcome.code, outcome.out) == (0, f"pre-commit: renewed in {hooks}\n")
    good = stat.S_IFREG | 0o755
    assert contents(hooks) == {"pre-commit": (written(Stage.PRE_COMMIT), good)}


@pytest.mark.parametrize("arguments", [("install",), ("uninstall",), ("status",)])
def test_lines_of_others_in_our_file_are_never_lost(arguments, hook, hooks):
    edited = written(Stage.PRE_COMMIT).replace(b"exit 0\n", b"exit 0\nmake lint\n")
    put(hooks / "pre-commit", edited)
    outcome = hook(*arguments, "--stage=pre-commit")
    assert "lines that are not dsreview's" in outcome.out
    assert outcome.code == (1 if arguments == ("uninstall",) else 0)
    assert (hooks / "pre-commit").read_bytes() == edited


def test_an_edited_file_that_cannot_run_is_not_said_to_be_installed(hook, hooks):
    put(hooks / "pre-commit", script(template(Stage.PRE_COMMIT), GONE) + b"make lint\n")
    before = contents(hooks)
    outcome = hook("install")
    assert (outcome.code, outcome.out.splitlines()[-1]) == (1, "nothing was changed")
    assert hook("status", "--stage=pre-commit").code == 1
    assert contents(hooks) == before


def a_link(path):
    path.symlink_to("../../elsewhere")


def a_dangling_link(path):
    path.symlink_to("/nowhere/at/all")


def a_folder(path):
    path.mkdir()


def a_fifo(path):
    os.mkfifo(path)


def a_script(path):
    put(path, FOREIGN)


def a_script_that_cannot_run(path):
    put(path, FOREIGN, 0o644)


@pytest.mark.parametrize(
    "plant", [a_script, a_script_that_cannot_run, a_link, a_dangling_link, a_folder, a_fifo]
)
def test_a_foreign_hook_is_left_and_the_line_is_printed(plant, hook, hooks, repository):
    put(repository.folder / "elsewhere", FOREIGN)
    plant(hooks / "pre-commit")
    kept = identity(hooks / "pre-commit")
    outcome = hook("install")
    assert outcome.code == 1
    assert outcome.out.splitlines() == [
        "pre-commit: belongs to another hook; add to .git/hooks/pre-commit:",
        '    if command -v dsreview >/dev/null; then dsreview hook run pre-commit "$@" || exit; fi',
        "nothing was changed",
    ]
    assert hook("status", "--stage=pre-commit").code == 1
    assert hook("uninstall").out == "no hook of dsreview is installed\n"
    assert identity(hooks / "pre-commit") == kept
    assert not (hooks / "pre-merge-commit").exists()
    assert (repository.folder / "elsewhere").read_bytes() == FOREIGN


def test_a_foreign_hook_that_calls_dsreview_counts(hook, hooks):
    put(hooks / "pre-commit", FOREIGN + b'dsreview hook run pre-commit "$@" || exit\n')
    before = (hooks / "pre-commit").read_bytes()
    outcome = hook("install")
    assert outcome.code == 0
    assert "pre-commit: another hook calls dsreview already" in outcome.out
    assert (hooks / "pre-merge-commit").read_bytes() == written(Stage.PRE_MERGE_COMMIT)
    assert hook("status").code == 0
    left = hook("uninstall")
    assert (left.code, "pre-commit: still called by another hook" in left.out) == (1, True)
    assert (hooks / "pre-commit").read_bytes() == before


def test_a_comment_that_names_dsreview_is_no_call(hook, hooks):
    put(hooks / "pre-commit", FOREIGN + b"# dsreview hook run pre-commit\n")
    assert hook("status", "--stage=pre-commit").code == 1


def test_the_line_that_is_printed_works(hook, hooks, repository, tmp_path):
    put(hooks / "pre-commit", b"#!/bin/sh\n")
    line = hook("install").out.splitlines()[1].strip()
    put(hooks / "pre-commit", f"#!/bin/sh\n{line}\ntouch went-on\n".encode())
    repository.commit({"a.py": "a = 1\n"})
    assert (repository.folder / "went-on").exists()  # no dsreview: the commit passes
    (repository.folder / "went-on").unlink()
    put(tmp_path / "bin" / "dsreview", b'#!/bin/sh\necho "$@" > called\nexit 1\n')
    answer = subprocess.run(
        [hooks / "pre-commit"], cwd=repository.folder, env={"PATH": f"{tmp_path}/bin:/usr/bin:/bin"}
    )
    assert answer.returncode == 1
    assert (repository.folder / "called").read_text() == "hook run pre-commit\n"
    assert not (repository.folder / "went-on").exists()


def test_a_linked_worktree_shares_the_hooks(hook, hooks, repository, tmp_path):
    repository.commit({"a.py": "a = 1\n"})
    linked = tmp_path / "linked wörk tree"
    repository.git("worktree", "add", "-q", "--detach", linked)
    outcome = hook("install", cwd=linked)
    assert outcome.out.startswith(f"pre-commit: installed in {hooks}\n")
    assert hook("status").code == hook("status", cwd=linked).code == 0
    assert hook("uninstall").code == 0
    assert hook("status", cwd=linked).code == 1


def test_a_worktree_of_a_bare_repository(hook, repository, tmp_path):
    repository.commit({"a.py": "a = 1\n"})
    repository.git("clone", "-q", "--bare", ".", str(tmp_path / "bare.git"))
    repository.git("-C", str(tmp_path / "bare.git"), "worktree", "add", "-q", str(tmp_path / "wt"))
    assert hook("install", cwd=tmp_path / "wt").code == 0
    assert (tmp_path / "bare.git" / "hooks" / "pre-commit").exists()
    assert hook("status", cwd=tmp_path / "wt").code == 0


def test_a_submodule_has_hooks_of_its_own(hook, hooks, repository, tmp_path):
    repository.commit({"a.py": "a = 1\n"})
    repository.git("clone", "-q", ".", str(tmp_path / "other"))
    allow = ("-c", "protocol.file.allow=always")
    repository.git(*allow, "submodule", "add", "-q", str(tmp_path / "other"), "mod")
    assert hook("install", cwd=repository.folder / "mod").code == 0
    assert (repository.folder / ".git/modules/mod/hooks/pre-commit").exists()
    assert not (hooks / "pre-commit").exists()


@pytest.mark.parametrize("command", ["install", "uninstall", "status"])
def test_a_bare_repository_is_refused(command, hook, repository, tmp_path):
    repository.git("init", "-q", "--bare", str(tmp_path / "bare.git"))
    outcome = hook(command, cwd=tmp_path / "bare.git")
    assert (outcome.code, outcome.out) == (2, "")
    assert "a bare repository" in outcome.err
    assert len(outcome.err.splitlines()) == 1


def test_outside_of_a_repository(hook, tmp_path):
    (tmp_path / "plain").mkdir()
    outcome = hook("install", "-C", tmp_path / "plain", cwd="/")
    assert (outcome.code, outcome.out) == (2, "")
    assert "is in no git repository" in outcome.err


def test_an_unknown_stage_is_refused(hook, hooks):
    outcome = hook("install", "--stage=post-merge")
    assert (outcome.code, contents(hooks)) == (2, {})


def test_a_template_without_a_hooks_folder(hook, hooks, repository):
    for file in hooks.iterdir():
        file.unlink()
    hooks.rmdir()
    (repository.folder / "sub").mkdir()
    assert hook("status").code == 1
    assert hook("install", cwd=repository.folder / "sub").code == 0
    assert set(contents(hooks)) == {"pre-commit", "pre-merge-commit"}


def test_a_hooks_folder_that_is_a_file(hook, hooks):
    for file in hooks.iterdir():
        file.unlink()
    hooks.rmdir()
    hooks.write_text("")
    outcome = hook("install")
    assert (outcome.code, len(outcome.err.splitlines())) == (2, 1)
    assert str(hooks) in outcome.err


def test_a_hooks_folder_that_is_a_link_is_not_written_through(hook, hooks, repository):
    target = repository.folder / "githooks"
    hooks.rename(target)
    hooks.symlink_to("../githooks")
    outcome = hook("install")
    assert outcome.code == 1
    assert f"{hooks} is a symbolic link" in outcome.out
    assert contents(target) == {}


def test_a_full_disk_leaves_the_old_hook(hook, hooks):
    old = script(template(Stage.PRE_COMMIT), GONE)
    put(hooks / "pre-commit", old)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        outcome = hook("install", "--stage=pre-commit")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (outcome.code, outcome.err) == (2, f"error: {hooks}: File too large\n")
    assert contents(hooks) == {"pre-commit": (old, stat.S_IFREG | 0o755)}
