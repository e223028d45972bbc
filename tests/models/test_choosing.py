"""`dsreview models use`: one line of the user's settings changes, and no other byte."""

import os
import stat
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsreview.errors import ConfigurationError
from dsreview.models.choosing import use_model


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", 'model = "new"\n'),
        ("fail-on = 'low'", "fail-on = 'low'\nmodel = \"new\"\n"),
        ('model = "old"\ncache = true\n', 'model = "new"\ncache = true\n'),
        ("# why\nmodel='old' # small\n", '# why\nmodel = "new"  # small\n'),
        ('model = "a#b"\n', 'model = "new"\n'),
        ('"model" = "old"\r\ncache = true\r\n', 'model = "new"\r\ncache = true\r\n'),
        (
            "cache = true\n\n[other]\nmodel = 1\n",
            'cache = true\n\nmodel = "new"\n[other]\nmodel = 1\n',
        ),
    ],
)
def test_one_line_changes(tmp_path, before, after):
    file = tmp_path / "config.toml"
    file.write_bytes(before.encode())
    use_model(file, "new")
    assert file.read_bytes().decode() == after


def test_a_new_file_is_for_its_user_alone(tmp_path):
    file = tmp_path / "folder" / "config.toml"
    use_model(file, "owner/name")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert tomllib.loads(file.read_text()) == {"model": "owner/name"}


def test_a_linked_file_stays_a_link_and_keeps_its_mode(tmp_path):
    real = tmp_path / "dotfiles.toml"
    real.write_text("cache = true\n")
    real.chmod(0o644)
    link = tmp_path / "config.toml"
    link.symlink_to(real)
    use_model(link, "new")
    assert link.is_symlink()
    assert tomllib.loads(real.read_text()) == {"cache": True, "model": "new"}
    assert stat.S_IMODE(real.stat().st_mode) == 0o644


@pytest.mark.parametrize(
    "text",
    [
        'model = """old\nmodel"""\n',
        'note = """\nmodel = "quoted"\n"""\n',
        "list = [\n[1],\n]\nmodel = 'behind'\n",
        "broken = \n",
        "\xff",
    ],
)
def test_what_no_line_can_say_is_left_alone(tmp_path, text):
    file = tmp_path / "config.toml"
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(ConfigurationError):
        use_model(file, "new")
    assert file.read_bytes() == text.encode("latin-1")


def test_a_device_is_no_settings_file():
    with pytest.raises(ConfigurationError, match="is no file"):
        use_model(Path(os.devnull), "new")
    assert not os.path.isfile(os.devnull)


@settings(deadline=None)  # of files, on a machine with other work
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_any_name_is_read_back_as_it_was_given(tmp_path_factory, name):
    file = tmp_path_factory.mktemp("settings") / "config.toml"
    file.write_text("cache = true\n")
    try:
        use_model(file, name)
    except ConfigurationError:
        assert "\x7f" in name  # the one character that TOML wants escaped and JSON does not
        return
    assert tomllib.loads(file.read_text())["model"] == name
