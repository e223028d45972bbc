"""The commands about hooks, in this process: git and the repositories are real."""

import importlib.util
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from dsreview.cli import main

specification = importlib.util.spec_from_file_location(
    "playground", Path(__file__).with_name("playground.py")
)
loaded = importlib.util.module_from_spec(specification)
specification.loader.exec_module(loaded)


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str


@pytest.fixture
def hook(repository, monkeypatch, capsys):
    """Runs `dsreview hook ...` in a folder, seen by no configuration of this machine."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")

    def run(*arguments, cwd=repository.folder, **environment):
        with monkeypatch.context() as patch:
            patch.chdir(cwd)
            for name, text in environment.items():
                patch.setenv(name, text)
            code = main(["hook", *map(str, arguments)])
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return run


@pytest.fixture(scope="session")
def playground():
    return loaded


@pytest.fixture
def new_play(tmp_path, monkeypatch):
    """Makes a repository whose hooks are witnessed; its folder's name is no plain word."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")

    def new(install, object_format="sha1"):
        folder = tmp_path / "work" / "a repö"
        return loaded.new_play(folder, tmp_path / "home", install, object_format)

    return new


BUG = "def add(item, items=[]):\n    items.append(item)\n    return items\n"
CLEAN = "def double(number):\n    return number * 2\n"


@dataclass(frozen=True)
class Hooked:
    """A repository whose hooks are the real command, in its own process, and what users see."""

    repository: object
    cache: Path
    settings: Path

    def environment(self, **more):
        kept = {name: text for name, text in os.environ.items() if not name.startswith("GIT_")}
        kept = {name: text for name, text in kept.items() if not name.startswith("PRE_COMMIT")}
        ours = {
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
            "DSREVIEW_CACHE_DIR": str(self.cache),
            "DSREVIEW_STATE_DIR": str(self.cache.with_name("state")),
            "DSREVIEW_CONFIG": str(self.settings),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": "Ann",
            "GIT_AUTHOR_EMAIL": "ann@example.org",
            "GIT_COMMITTER_NAME": "Ann",
            "GIT_COMMITTER_EMAIL": "ann@example.org",
        }
        return kept | ours | more

    def install(self, name="pre-commit", options=""):
        script = self.repository.folder / ".git" / "hooks" / name
        script.write_text(
            f'#!/bin/sh\nexec "{sys.executable}" -P -m dsreview hook run {name} {options} "$@"\n'
        )
        script.chmod(0o755)

    def git(self, *arguments, cwd=None, **environment):
        answer = subprocess.run(
            ["git", *map(str, arguments)],
            cwd=cwd or self.repository.folder,
            env=self.environment(**environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
        )
        return Ran(answer.returncode, answer.stdout.decode(), answer.stderr.decode())

    def run(self, *arguments, stdin=b"", cwd=None, **environment):
        answer = subprocess.run(
            [sys.executable, "-P", "-m", "dsreview", *map(str, arguments)],
            cwd=cwd or self.repository.folder,
            env=self.environment(**environment),
            input=stdin,
            capture_output=True,
            timeout=60,
        )
        return Ran(answer.returncode, answer.stdout.decode(), answer.stderr.decode())

    def commit(self, files, *options, **environment):
        self.repository.write(files)
        self.repository.git("add", "-A")
        return self.git("commit", "-q", "-m", "change", *options, **environment)

    def wait_for_jobs(self, seconds=30.0):
        """Until no review goes on in the background."""
        end = time.monotonic() + seconds
        while list(self.cache.glob("hooks/*/jobs/*.job")):
            assert time.monotonic() < end, "a review in the background does not end"
            time.sleep(0.05)


@pytest.fixture
def hooked(repository, tmp_path):
    settings = tmp_path / "config.toml"
    settings.write_text("")
    repository.commit({"a.txt": "words\n"})
    new = Hooked(repository, tmp_path / "cache", settings)
    new.install()
    return new
