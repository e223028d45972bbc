"""Real repositories, made by real git that sees no configuration of this machine."""

import importlib.util
import os
from pathlib import Path

import pytest

specification = importlib.util.spec_from_file_location("play", Path(__file__).with_name("play.py"))
module = importlib.util.module_from_spec(specification)
specification.loader.exec_module(module)
Repo = module.Repo


@pytest.fixture(autouse=True)
def _no_git_environment(monkeypatch, tmp_path):
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "no-user-configuration"))


@pytest.fixture(scope="session")
def new_repo():
    """Makes a repository in any folder."""
    return Repo


@pytest.fixture
def repo(tmp_path):
    return Repo(tmp_path / "repo")


@pytest.fixture
def make_repo(tmp_path):
    return lambda name, *options: Repo(tmp_path / name, *options)
