"""What is read without typer is read as typer would."""

import subprocess
import sys

import pytest
import typer.main

from dsreview.cli.app import app
from dsreview.cli.hook_options import HOOK_OPTIONS, read_words

COMMAND = typer.main.get_command(app).commands["hook"].commands["run"]
PARAMETERS = {parameter.name: parameter for parameter in COMMAND.params}


@pytest.mark.parametrize("option", HOOK_OPTIONS.values(), ids=lambda option: option.name)
def test_the_table_is_that_of_the_command(option):
    parameter = PARAMETERS[option.name]
    assert parameter.opts == [option.flag]
    assert parameter.secondary_opts == []
    assert parameter.is_flag == (option.metavar is None)
    assert (parameter.help, parameter.nargs, parameter.multiple) == (option.help, 1, False)
    if option.metavar:
        assert parameter.metavar == option.metavar


LINES = (
    "",
    "pre-commit",
    "pre-push origin ssh://host/path",
    "--mode=block",
    "pre-commit --mode block --strict",
    "--deadline 3s pre-commit --finish --fail-on=low a b",
    "--mode warn --mode block",
    "--deadline=a=b",
)


@pytest.mark.parametrize("line", LINES)
def test_words_are_read_as_by_the_command(line):
    words = read_words(line.split())
    params = COMMAND.make_context("run", line.split()).params
    given = {name: value for name, value in params.items() if value not in (None, [], ())}
    assert words.name == given.pop("name", "")
    assert list(words.arguments) == given.pop("arguments", [])
    assert words.options == {name: value for name, value in given.items() if value != ""}


OTHER = (
    "--help",
    "--loud",
    "--mode",
    "--mode=",
    "--mode --strict",
    "--strict=1",
    "-x",
    "-",
    "-- a",
)


@pytest.mark.parametrize("line", [*OTHER, "--notify", "--model m", "--mod block"])
def test_other_words_are_left_to_the_command(line):
    assert read_words(line.split()) is None


@pytest.mark.parametrize("option", ["--mode=block", "--deadline=5s", "--strict", "--finish"])
def test_an_option_costs_no_import_of_typer(hooked, option):
    command = [sys.executable, "-P", "-X", "importtime", "-m", "dsreview", "hook", "run", option]
    answer = subprocess.run(
        command, cwd=hooked.repository.folder, env=hooked.environment(), capture_output=True
    )
    assert answer.returncode == 0
    assert b"| typer" not in answer.stderr.replace(b"  ", b"")
