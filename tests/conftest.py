"""Real git repositories and the real command, for every test."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("patient", deadline=None)  # a machine with other work is no failure
settings.load_profile("patient")

GIT_ENVIRONMENT = {
    "GIT_AUTHOR_NAME": "Ann Author",
    "GIT_AUTHOR_EMAIL": "ann@example.org",
    "GIT_COMMITTER_NAME": "Ann Author",
    "GIT_COMMITTER_EMAIL": "ann@example.org",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
}


@dataclass(frozen=True)
class Repository:
    folder: Path

    def git(self, *arguments, **options):
        environment = {key: text for key, text in os.environ.items() if not key.startswith("GIT_")}
        answer = subprocess.run(
            ["git", "-C", self.folder, *arguments],
            env=environment | GIT_ENVIRONMENT,
            check=True,
            capture_output=True,
            **options,
        )
        return answer.stdout if isinstance(answer.stdout, str) else answer.stdout.decode()

    def write(self, files):
        for path, content in files.items():
            place = self.folder / path
            place.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, bytes):
                place.write_bytes(content)
            else:
                place.write_text(content)

    def commit(self, files, message="change"):
        self.write(files)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD").strip()


@pytest.fixture
def repository(tmp_path):
    folder = tmp_path / "repository"
    folder.mkdir()
    new = Repository(folder)
    new.git("init", "-q", "-b", "main")
    return new


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


@pytest.fixture
def run_dsreview(tmp_path):
    """Runs the command as a user does: its own process, its own cache and settings."""

    def run(*arguments, cwd=tmp_path, stdin=b"", environment=None):
        settings = {key: text for key, text in os.environ.items() if not key.startswith("GIT_")}
        settings |= {
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
            "DSREVIEW_CACHE_DIR": str(tmp_path / "cache"),
            "DSREVIEW_DATA_DIR": str(tmp_path / "data"),
            "DSREVIEW_CONFIG": os.devnull,
        }
        answer = subprocess.run(
            [sys.executable, "-P", "-m", "dsreview", *map(str, arguments)],
            cwd=cwd,
            input=stdin,
            env=settings | (environment or {}),
            capture_output=True,
        )
        return Outcome(answer.returncode, answer.stdout.decode(), answer.stderr.decode())

    return run
