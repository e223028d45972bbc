"""The commands about hooks, in this process: git and the repositories are real."""

import importlib.util
import os
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
