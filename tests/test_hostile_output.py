"""Links of the repository under review lead no report out of it; keys reach no message."""

import os

import pytest

from dsreview.cli.run import _refuse_unwritable
from dsreview.config import Config
from dsreview.errors import ConfigurationError, UsageError
from dsreview.model_choice import open_backend


@pytest.mark.parametrize("name", ["report.json", "reports/report.json", "a/../reports/r", "pipe"])
def test_a_link_or_a_pipe_of_the_repository_takes_no_report(tmp_path, monkeypatch, name):
    here = tmp_path / "repository"
    (here / "a").mkdir(parents=True)
    (tmp_path / "victim").write_text("precious")
    (here / "report.json").symlink_to(tmp_path / "victim")
    (here / "reports").symlink_to(tmp_path)
    os.mkfifo(here / "pipe")
    monkeypatch.chdir(here)
    with pytest.raises(UsageError):
        _refuse_unwritable(here.joinpath(name).relative_to(here))


def test_a_report_goes_beside_and_where_a_full_path_says(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link").symlink_to(tmp_path / "target")
    for name in ("report.json", "../report.json", tmp_path / "link"):
        _refuse_unwritable(tmp_path.__class__(name))


@pytest.mark.parametrize("key", ["sk-SEC\nRET", "sk-SECRÉT", "sk-SEC\x00RET"])
def test_a_broken_key_is_not_quoted(key):
    config = Config(backend="http", base_url="http://127.0.0.1:1", model="m", api_key_env="KEY")
    with pytest.raises(ConfigurationError, match="KEY holds no key") as raised:
        open_backend(config, {"KEY": key})
    assert "SEC" not in str(raised.value)
