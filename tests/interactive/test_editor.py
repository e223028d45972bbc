"""Only the environment names the editor, and it is given one line of one file."""

import os
from pathlib import Path

import pytest

from dsreview.cli.editor import open_editor
from dsreview.errors import UsageError


@pytest.fixture
def programs(tmp_path):
    """A folder for PATH; each program in it notes how it was called."""
    folder = tmp_path / "bin"
    folder.mkdir()

    def add(name, at=folder):
        path = at / name
        path.write_text(f'#!/bin/sh\necho "$(basename "$0") $*" >> {tmp_path}/calls\n')
        path.chmod(0o755)

    add.path = f"{folder}:/usr/bin:/bin"
    add.calls = lambda: (tmp_path / "calls").read_text() if (tmp_path / "calls").exists() else ""
    return add


@pytest.mark.parametrize(
    ("named", "called"),
    [
        ("vim", "vim +7 /r/a b.py"),
        ("nano -w", "nano -w +7 /r/a b.py"),
        ("emacsclient -t", "emacsclient -t +7 /r/a b.py"),
        ("code", "code --wait --goto /r/a b.py:7"),
        ("subl -w", "subl -w /r/a b.py:7"),
        ("unknown-editor", "unknown-editor /r/a b.py"),
    ],
)
def test_the_line_is_given_as_the_editor_takes_it(programs, tmp_path, named, called):
    programs(named.split()[0])
    environment = {"PATH": programs.path, "VISUAL": named}
    open_editor(Path("/r/a b.py"), 7, tmp_path / "elsewhere", environment)
    assert programs.calls() == f"{called}\n"


def test_the_variables_count_in_gits_order(programs, tmp_path):
    for name in ("first", "second", "third", "vi"):
        programs(name)
    environment = {"PATH": programs.path}
    called = []
    for variable, name in (("EDITOR", "third"), ("VISUAL", "second"), ("GIT_EDITOR", "first")):
        environment[variable] = name
        open_editor(Path("/r/a"), 1, tmp_path / "elsewhere", environment)
        called.append(programs.calls().splitlines()[-1].split()[0])
    assert called == ["third", "second", "first"]


@pytest.mark.parametrize("folders", ["{repository}", ".", "", "{repository}/tools"])
def test_no_program_of_the_repository_is_taken_for_an_editor(
    programs, tmp_path, monkeypatch, folders
):
    repository = tmp_path / "repository"
    (repository / "tools").mkdir(parents=True)
    for place in (repository, repository / "tools"):
        programs("planted", at=place)
    monkeypatch.chdir(repository)
    path = folders.format(repository=repository) + os.pathsep + programs.path
    with pytest.raises(UsageError, match="planted is not on PATH"):
        open_editor(Path("/r/a"), 1, repository, {"PATH": path, "VISUAL": "planted"})
    with pytest.raises(UsageError, match="not on PATH"):
        open_editor(Path("/r/a"), 1, repository, {"PATH": path, "VISUAL": "tools/planted"})
    assert programs.calls() == ""


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ("'unclosed", "is no command"),
        ("false", "ended with status 1"),
        ("/no/such/editor", "No such file"),
        ("''", "is not on PATH"),
    ],
)
def test_what_fails_is_said(programs, tmp_path, named, message):
    environment = {"PATH": programs.path, "VISUAL": named}
    with pytest.raises(UsageError, match=message):
        open_editor(Path("/r/a"), 1, tmp_path / "elsewhere", environment)
