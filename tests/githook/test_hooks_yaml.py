"""`.pre-commit-hooks.yaml`: it runs for every file that would be reviewed, by `identify`."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from identify import extensions, identify

from dsreview.githook.installation import Stage
from dsreview.languages import LANGUAGES
from dsreview.name_rules import PROSE

FILE = Path(__file__).parents[2] / ".pre-commit-hooks.yaml"
HOOKS = {hook["id"]: hook for hook in yaml.safe_load(FILE.read_text())}
NAMES = [
    *(f"name{extension}" for language in LANGUAGES for extension in language.extensions),
    *(name for language in LANGUAGES for name in language.filenames),
    "notebook.ipynb",
]
INTERPRETERS = [program for language in LANGUAGES for program in language.interpreters]


OTHER_SPELLINGS = {".asciidoc", ".markdown"}
"""Of what `PROSE` names."""


def runs_for(hook, tags):
    """As pre-commit decides, without its `files` and `exclude`, which we do not set."""
    wanted = {"file"} if "types" not in hook else set(hook["types"])
    either = hook.get("types_or")
    excluded = tags & set(hook.get("exclude_types", ()))
    return wanted <= tags and not excluded and (not either or bool(tags & set(either)))


@pytest.fixture(params=HOOKS)
def hook(request):
    return HOOKS[request.param]


def test_pre_commit_takes_the_file():
    check = [sys.executable, "-m", "pre_commit", "validate-manifest", FILE]
    subprocess.run(check, check=True)


@pytest.mark.parametrize("name", NAMES)
def test_every_file_of_our_languages_is_reviewed(name, hook, tmp_path):
    (tmp_path / name).write_text("x\n")
    assert runs_for(hook, identify.tags_from_path(tmp_path / name))


@pytest.mark.parametrize("program", INTERPRETERS)
@pytest.mark.parametrize("mode", [0o755, 0o644])
def test_every_script_is_reviewed(program, mode, hook, tmp_path):
    (tmp_path / "script").write_text(f"#!/usr/bin/env {program}\nx\n")
    (tmp_path / "script").chmod(mode)
    assert runs_for(hook, identify.tags_from_path(tmp_path / "script"))


@pytest.mark.parametrize("name", [*(f"name{suffix}" for suffix in PROSE), "README", "LICENSE"])
def test_prose_costs_nothing(name, hook):
    tags = identify.tags_from_filename(name)
    if tags:  # else the content decides, and it is text
        assert not runs_for(hook, tags)


def test_what_is_left_out_would_not_be_reviewed(hook):
    excluded = {
        f".{extension}"
        for extension, tags in extensions.EXTENSIONS.items()
        if set(tags) & set(hook["exclude_types"])
    }
    assert excluded - PROSE == OTHER_SPELLINGS


def test_links_and_submodules_do_not_run_it(hook, tmp_path):
    (tmp_path / "link").symlink_to("nowhere")
    (tmp_path / "folder").mkdir()
    for name in ("link", "folder"):
        assert not runs_for(hook, identify.tags_from_path(tmp_path / name))


def test_the_two_differ_only_in_where_dsreview_comes_from():
    own, system = HOOKS["dsreview"], HOOKS["dsreview-system"]
    assert (own["language"], system["language"]) == ("python", "system")
    differing = {key for key in own if own[key] != system[key]}
    assert differing == {"id", "description", "language"}


def test_one_process_sees_the_whole_change(hook):
    assert hook["pass_filenames"] is False
    assert hook["require_serial"] is True
    assert hook["verbose"] is True
    assert set(hook["stages"]) == {*Stage, "manual"}
    assert hook["entry"] == "dsreview hook run"
