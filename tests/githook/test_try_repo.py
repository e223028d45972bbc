"""This repository as users of the pre-commit framework take it; needs a package index."""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
NOT_IN_A_CLONE = shutil.ignore_patterns(
    ".git", "build", "dist", "*.egg-info", "__pycache__", ".*_cache", ".hypothesis", ".venv*"
)
BUG = "def total(prices):\n    return sum(price)\n"
DURATION = re.compile(r"- duration: ([\d.]+)s")
SECOND_COMMIT_S = 5.0
"""For the whole `git commit`, on a machine with other work; the docs name what was measured."""


class Developer:
    """Somebody with a home of their own, and nothing installed but git and pre-commit."""

    def __init__(self, folder):
        self.folder = folder
        (folder / "home").mkdir()
        kept = {key: text for key, text in os.environ.items() if key.startswith(("PIP_", "SSL_"))}
        self.environment = kept | {
            "PATH": os.environ["PATH"],
            "HOME": str(folder / "home"),
            "PRE_COMMIT_HOME": str(folder / "home" / "pre-commit"),
            "GIT_CONFIG_NOSYSTEM": "1",
            "LC_ALL": "C.UTF-8",
        }
        (folder / "home" / ".gitconfig").write_text(
            "[user]\n\tname = Ann Author\n\temail = ann@example.org\n"
        )

    def run(self, *command, cwd, **environment):
        return subprocess.run(
            list(map(str, command)),
            cwd=cwd,
            env=self.environment | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def git(self, *arguments, cwd):
        answer = self.run("git", *arguments, cwd=cwd)
        assert answer.returncode == 0, answer.stdout
        return answer.stdout.strip()

    def pre_commit(self, *arguments, cwd, **environment):
        return self.run(sys.executable, "-m", "pre_commit", *arguments, cwd=cwd, **environment)


@pytest.fixture(scope="module")
def developer(tmp_path_factory):
    folder = tmp_path_factory.mktemp("developer")
    new = Developer(folder)
    shutil.copytree(ROOT, folder / "dsreview", symlinks=True, ignore=NOT_IN_A_CLONE)
    new.git("init", "-q", cwd=folder / "dsreview")
    new.git("add", "-A", cwd=folder / "dsreview")
    new.git("commit", "-qm", "as published", cwd=folder / "dsreview")
    (folder / "project").mkdir()
    new.git("init", "-q", cwd=folder / "project")
    command = (sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d")
    if new.run(*command, folder / "probe", "typer", cwd=folder).returncode != 0:
        pytest.skip("no package index can be reached")
    return new


@pytest.fixture
def project(developer):
    folder = developer.folder / "project"
    (folder / "bug.py").write_text(BUG)
    developer.git("add", "bug.py", cwd=folder)
    return folder


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("mode", "code", "end"),
    [("warn", 0, "the commit goes on"), ("block", 1, "the commit is stopped")],
)
def test_try_repo_finds_the_planted_bug(mode, code, end, developer, project):
    answer = developer.pre_commit(
        "try-repo", developer.folder / "dsreview", "dsreview", cwd=project, DSREVIEW_MODE=mode
    )
    print(answer.stdout)  # shown by -rP
    assert answer.returncode == code, answer.stdout
    assert "`price` is used here, but nothing in this file defines" in answer.stdout
    assert end in answer.stdout


@pytest.mark.timeout(600)
def test_from_the_second_commit_on_it_is_fast(developer, project):
    """As configured by a user, with `args`; the first commit builds the environment."""
    source = developer.folder / "dsreview"
    row = {"id": "dsreview", "args": ["--mode=block"]}
    revision = developer.git("rev-parse", "HEAD", cwd=source)
    config = {"repos": [{"repo": str(source), "rev": revision, "hooks": [row]}]}
    (project / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config))
    (project / "bug.py").write_text(BUG.replace("price)", "prices)"))
    developer.git("add", "-A", cwd=project)
    developer.pre_commit("install", cwd=project)
    first = developer.run("git", "commit", "-m", "first", cwd=project)
    assert first.returncode == 0, first.stdout
    (project / "bug.py").write_text(BUG)
    began = time.monotonic()
    second = developer.run("git", "commit", "-am", "second", cwd=project)
    took_s = time.monotonic() - began
    print(second.stdout, f"git commit: {took_s:.2f} s")  # shown by -rP
    assert second.returncode == 1
    assert "`price` is used here" in second.stdout
    assert float(DURATION.search(second.stdout).group(1)) < took_s < SECOND_COMMIT_S


@pytest.mark.timeout(600)
def test_its_environment_holds_no_torch(developer, project):
    environments = list((developer.folder / "home" / "pre-commit").glob("repo*/py_env-*"))
    if not environments:
        pytest.skip("the tests above build it")
    for environment in environments:
        installed = {path.name for path in environment.glob("lib/python*/site-packages/*")}
        assert "dsreview" in installed
        assert not installed & {"torch", "transformers", "tokenizers"}
