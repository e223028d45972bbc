"""Applying and undoing in a repository full of traps runs nothing of it."""

import os
import shutil

import pytest

from dsreview.applying.values import NotApplied, Target


@pytest.fixture
def trapped(play, tmp_path):
    """Every way in which git can be told to run a program, set to a canary."""
    log = tmp_path / "executed"
    canary = tmp_path / "canary"
    canary.write_text(f'#!/bin/sh\necho "$0 $*" >> {log}\ncat 2>/dev/null\nexit 0\n')
    canary.chmod(0o755)
    for key in (
        "core.fsmonitor",
        "core.editor",
        "core.pager",
        "core.sshCommand",
        "diff.external",
        "diff.evil.textconv",
        "filter.evil.clean",
        "filter.evil.smudge",
        "filter.evil.process",
        "hook.evil.command",
    ):
        play.git("config", key, str(canary))
    for event in ("post-index-change", "reference-transaction", "pre-commit"):
        hook = play.folder / ".git/hooks" / event
        hook.parent.mkdir(exist_ok=True)
        shutil.copy(canary, hook)
        play.git("config", "--add", "hook.evil.event", event)
    play.git("config", "core.untrackedCache", "true")
    play.git("config", "splitIndex.maxPercentChange", "0")
    (play.folder / ".gitattributes").write_text("* filter=evil diff=evil ident text eol=crlf\n")
    play.executed = lambda: log.read_text() if log.exists() else ""
    return play


@pytest.mark.parametrize("target", Target)
def test_nothing_of_the_repository_is_run(trapped, target, monkeypatch):
    monkeypatch.setenv("PATH", f"{trapped.folder}:{os.environ['PATH']}")
    (trapped.folder / "git").write_text(f"#!/bin/sh\ntouch {trapped.folder}/planted\n")
    (trapped.folder / "git").chmod(0o755)
    trapped.target = target
    trapped.apply()
    assert trapped.file.read_bytes() == trapped.rewrite.after
    trapped.settle()
    trapped.undo()
    assert trapped.file.read_bytes() == trapped.rewrite.before
    assert trapped.executed() == ""
    assert not (trapped.folder / "planted").exists()


def test_a_git_folder_elsewhere_gets_only_what_git_would_write(play, tmp_path):
    """`.git` may be a file that leads anywhere."""
    elsewhere = tmp_path / "elsewhere.git"
    (play.folder / ".git").rename(elsewhere)
    (play.folder / ".git").write_text(f"gitdir: {elsewhere}\n")
    names = {path.name for path in elsewhere.iterdir()}
    play.apply()
    assert {path.name for path in elsewhere.iterdir()} == names
    assert play.staged_content() == play.rewrite.after


def test_a_spare_that_somebody_planted_is_never_followed(play, tmp_path, monkeypatch):
    """Its name is random; even one that is guessed is only refused."""
    monkeypatch.setattr("secrets.token_hex", lambda _size=16: "0" * 16)
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (play.folder / ".git" / f"dsreview-{'0' * 16}").symlink_to(victim)
    files = play.files()
    with pytest.raises(NotApplied):
        play.apply()
    assert play.files() == files
    assert victim.read_text() == "precious"
