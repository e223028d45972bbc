"""The commands about hooks, in this process: git and the repositories are real."""

import os
from dataclasses import dataclass

import pytest

from dsreview.cli import main


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
