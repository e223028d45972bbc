"""The installed scripts, run by real shells and by real git.

They read no PYTHONPATH: what they call is the dsreview that is installed for this interpreter.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dsreview.cli.native_hook import STOPPED
from dsreview.githook.hook_files import template
from dsreview.githook.installation import Program, Stage, script

BUG = "def add(item, items=[]):\n    items.append(item)\n    return items\n"
SHELLS = [shell for shell in ("sh", "dash", "bash", "ksh", "zsh", "yash") if shutil.which(shell)]
STUB = """#!/bin/sh
printf '%s|' "$@" > "{log}"
cat >> "{log}"
exit {code}
"""


class Installed:
    """A script whose interpreter is a stub that writes down what it was given."""

    def __init__(self, folder, stage, code=0):
        folder.mkdir(exist_ok=True)
        self.log = folder / "log"
        self.python = folder / "it's $HOME python"
        self.python.write_text(STUB.format(log=self.log, code=code))
        self.python.chmod(0o755)
        self.package = folder / "__main__.py"
        self.package.write_text("")
        self.file = folder / stage
        paths = Program(bytes(self.python), bytes(self.package))
        self.file.write_bytes(script(template(stage), paths))
        self.file.chmod(0o755)

    def run(self, *arguments, shell="sh", stdin=b""):
        return subprocess.run(
            [shell, self.file, *arguments], input=stdin, capture_output=True, cwd=self.file.parent
        )


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("stage", Stage)
def test_arguments_input_and_a_stop_pass_through(shell, stage, tmp_path):
    hook = Installed(tmp_path, stage, code=STOPPED)
    answer = hook.run("ori gin", "*", "", shell=shell, stdin=b"refs/heads/a 1 refs/heads/a 0\n")
    assert answer.returncode == 1
    assert hook.log.read_text() == (
        f"-E|-P|-m|dsreview.cli.native_hook|{stage}|ori gin|*||refs/heads/a 1 refs/heads/a 0\n"
    )
    assert answer.stdout + answer.stderr == b""


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("code", "expected"), [(0, 0), (130, 130), (1, 0), (2, 0), (3, 0), (137, 0)]
)
def test_an_interpreter_that_dies_stops_nobody(shell, code, expected, tmp_path):
    """1 is what Python itself ends with where it cannot start or import."""
    hook = Installed(tmp_path, Stage.PRE_COMMIT, code=code)
    answer = hook.run(shell=shell)
    assert answer.returncode == expected
    said = answer.stderr.decode()
    assert said.count("\n") == (code not in (0, 130))
    assert ("dsreview does not run with" in said) == (code not in (0, 130))


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("gone", ["python", "package"])
def test_the_commit_passes_with_one_line_when_dsreview_is_gone(shell, gone, tmp_path):
    hook = Installed(tmp_path, Stage.PRE_COMMIT, code=1)
    getattr(hook, gone).unlink()
    answer = hook.run(shell=shell)
    assert (answer.returncode, answer.stdout) == (0, b"")
    (line,) = answer.stderr.decode().splitlines()
    assert line.startswith("dsreview: not reviewed: ")
    assert str(hook.python) in line
    assert "dsreview hook install" in line
    assert str(hook.file) in line


def test_a_push_of_many_refs_passes_when_dsreview_is_gone(repository, tmp_path):
    """git writes more to the hook than a pipe holds, and nobody reads it."""
    oid = repository.commit({"a.py": "a = 1\n"})
    lines = "".join(f"create refs/heads/{'b' * 80}-{number} {oid}\n" for number in range(900))
    repository.git("update-ref", "--stdin", input=lines.encode())
    repository.git("init", "-q", "--bare", str(tmp_path / "remote"))
    hook = Installed(tmp_path / "hook", Stage.PRE_PUSH)
    hook.python.unlink()
    place = repository.folder / ".git" / "hooks" / "pre-push"
    place.write_bytes(hook.file.read_bytes())
    place.chmod(0o755)
    repository.git("push", "-q", "--all", str(tmp_path / "remote"))
    assert repository.git("ls-remote", str(tmp_path / "remote")).count(oid) == 901


PLANTED = ("dsreview", "typer", "msgspec", "json", "runpy", "sitecustomize", "usercustomize")


def plant(repository, *names):
    """Modules that leave a trace where they are imported; the trace."""
    canary = repository.folder / "executed"
    planted = f"open({str(canary)!r}, 'w').close()\nraise SystemExit(1)\n"
    repository.commit({"a.txt": "words\n"} | {f"{name}.py": planted for name in names})
    repository.write({"shop.py": BUG})
    repository.git("add", "-A")
    return canary


@pytest.mark.parametrize(
    "search", ["/x:", *(pytest.param(text, marks=pytest.mark.slow) for text in ("", ":", "."))]
)
def test_modules_of_the_repository_are_never_imported(repository, run_dsreview, search):
    """The working folder of a hook is the top of the worktree."""
    canary = plant(repository, *PLANTED)
    run_dsreview("hook", "install", cwd=repository.folder)
    hook = repository.folder / ".git" / "hooks" / "pre-commit"
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": search, "HOME": "/nowhere"}
    answer = subprocess.run([hook], cwd=repository.folder, env=environment, capture_output=True)
    assert not canary.exists()
    assert answer.returncode == 0
    assert b"HIGH  shop.py:1" in answer.stderr


def test_the_command_drops_entries_that_lead_to_the_repository(repository):
    """What its interpreter itself imports first is beyond its reach."""
    canary = plant(repository, "msgspec", "gc", "typer", "tomllib")
    first = f"import sys; sys.path[:0] = ['', '.', {str(repository.folder)!r}]; "
    command = "from dsreview.cli import main; sys.exit(main(['hook', 'run', 'pre-commit']))"
    answer = subprocess.run(
        [sys.executable, "-P", "-c", first + command],
        cwd=repository.folder,
        env={"PATH": "/usr/bin:/bin", "HOME": "/nowhere", "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
    )
    assert not canary.exists()
    assert b"HIGH  shop.py:1" in answer.stderr


@pytest.mark.parametrize(
    "name", ["PYTHONHOME", pytest.param("PYTHONNOUSERSITE", marks=pytest.mark.slow)]
)
def test_variables_of_another_python_do_not_reach_it(repository, run_dsreview, name):
    """An AppImage or an IDE sets them for its own interpreter."""
    run_dsreview("hook", "install", cwd=repository.folder)
    repository.write({"shop.py": BUG})
    repository.git("add", "-A")
    answer = subprocess.run(
        [repository.folder / ".git" / "hooks" / "pre-commit"],
        cwd=repository.folder,
        env={"PATH": "/usr/bin:/bin", "HOME": "/nowhere", name: "/nowhere"},
        capture_output=True,
    )
    assert answer.returncode == 0
    assert b"HIGH  shop.py:1" in answer.stderr


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
@pytest.mark.parametrize("stage", Stage)
def test_shellcheck_has_nothing_to_say(stage, tmp_path):
    hook = Installed(tmp_path, stage)
    command = ["shellcheck", "-s", "sh", "-e", "SC2016", hook.file]  # the "$HOME" of the path
    answer = subprocess.run(command, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stdout


def test_templates_use_nothing_that_only_bash_knows():
    for path in (Path(__file__).parents[2] / "hooks").glob("*.sh"):
        text = path.read_text()
        found = [word for word in ("[[", "function ", "local ", "source ", "<<<") if word in text]
        assert found == [], path
