import json
from dataclasses import dataclass, fields
from pathlib import Path

import pytest

from dsreview.change import EmptySnapshot
from dsreview.config import USER_ONLY, Config, load
from dsreview.errors import ConfigurationError
from dsreview.setting_values import parse_seconds

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Files:
    """The old side of a change, from a dictionary."""

    content: dict

    def paths(self):
        return tuple(sorted(self.content))

    def read(self, path):
        text = self.content.get(path)
        return None if text is None else text.encode()

    def identity(self, path):
        return None

    def size_bytes(self, path):
        return None if path not in self.content else len(self.content[path])


def read(text="", *, flags=None, environment=None, user=None, name=".dsreview.toml"):
    files = Files({name: text} if text else {})
    return load(files, flags or {}, environment or {}, user)


def test_nothing_said_gives_the_defaults():
    assert load(EmptySnapshot(), {}, {}) == Config()


def test_a_flag_beats_the_environment_beats_the_repository_beats_the_user(tmp_path):
    user = tmp_path / "config.toml"
    user.write_text('max-tokens = 1\nmax-findings = 1\nmax-rounds = 1\ncontext = "scope"\n')
    config = read(
        "max-tokens = 2\nmax-findings = 2\nmax-rounds = 2\n",
        flags={"max_tokens": 4},
        environment={"DSREVIEW_MAX_TOKENS": "3", "DSREVIEW_MAX_FINDINGS": "3"},
        user=user,
    )
    assert (config.max_tokens, config.max_findings) == (4, 3)
    assert (config.max_rounds, config.context) == (2, "scope")


def test_the_file_of_our_own_has_the_last_word():
    files = Files(
        {
            ".dsreview.toml": "max-findings = 1\n",
            "pyproject.toml": "[tool.dsreview]\nmax-findings = 2\nmax-rounds = 2\n",
        }
    )
    config = load(files, {}, {})
    assert (config.max_findings, config.max_rounds) == (1, 2)


def test_pyproject_has_a_table_of_ours():
    config = read("[tool.dsreview]\nbudget = '2m'\n[tool.other]\nx = 1\n", name="pyproject.toml")
    assert config.budget_s == 120


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("colour = 1", ".dsreview.toml: unknown key 'colour'; known are budget, context"),
        ('fail-on = "severe"', "fail-on = 'severe'; use low, medium, high or critical"),
        ("max-findings = '5'", "max-findings = '5'; use a whole number from 0"),
        ("max-findings = true", "max-findings = True; use a whole number from 0"),
        ("max-findings = -1", "max-findings = -1; use a whole number from 0"),
        ("max-rounds = 0", "max-rounds = 0; use a whole number from 1"),
        ("min-confidence = 1.5", "min-confidence = 1.5; use a number from 0 to 1"),
        ("min-confidence = true", "min-confidence = True; use a number from 0 to 1"),
        ("min-confidence = 'nan'", "min-confidence = 'nan'; use a number from 0 to 1"),
        ("partial-ok = 1", "partial-ok = 1; use true or false"),
        ("budget = 'soon'", "budget = 'soon'; use seconds, or a number with s, m or h"),
        ("context = 'all'", "context = 'all'; use bare, hunk, scope or outline"),
        ("disable = 'a'", "disable = 'a'; use a list of strings"),
        ("disable = [1]", "disable = [1]; use a list of strings"),
        ("fail-on =", "not valid TOML"),
        ('__doc__ = "x"', "unknown key '__doc__'"),
        ("__class__ = 1", "unknown key '__class__'"),
    ],
)
def test_a_bad_value_is_named_with_its_place_and_what_is_allowed(text, message):
    with pytest.raises(ConfigurationError) as caught:
        read(text)
    assert message in str(caught.value)
    assert str(caught.value).startswith(".dsreview.toml: ")
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("name", sorted(USER_ONLY))
def test_a_repository_cannot_name_models_addresses_or_credentials(name):
    value = {"batch_size": "4", "window": "4", "cache": "false"}.get(name, '"x"')
    with pytest.raises(ConfigurationError, match="cannot be set by a repository"):
        read(f"{name.replace('_', '-')} = {value}")


def test_the_user_can(tmp_path):
    user = tmp_path / "config.toml"
    user.write_text('model = "m"\nbase-url = "http://localhost:1"\nbackend = "http"\n')
    config = read(user=user)
    assert (config.model, config.base_url, config.backend) == ("m", "http://localhost:1", "http")


@pytest.mark.parametrize(
    ("text", "seconds"), [("60s", 60), ("90", 90), ("1.5m", 90), ("2h", 7200), ("0", 0)]
)
def test_times_have_units(text, seconds):
    assert parse_seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "s", "-1", "inf", "nan", "1d"])
def test_other_times_are_refused(text):
    with pytest.raises(ValueError):
        parse_seconds(text)


def test_every_setting_is_in_the_readme():
    text = (ROOT / "README.md").read_text()
    missing = [
        field.name
        for field in fields(Config)
        if f"`{field.name.removesuffix('_s').replace('_', '-')}`" not in text
    ]
    assert not missing


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("exclude = " + "[" * 50_000, "nested too deeply"),
        ("max-findings = " + "9" * 5_000, "not valid TOML"),
        ("#" * 200_001, "larger than 200,000 bytes"),
    ],
    ids=["nested", "number", "size"],
)
def test_a_hostile_file_is_refused_in_one_line(text, message):
    with pytest.raises(ConfigurationError, match=message):
        read(text)


def test_a_repository_cannot_undo_what_a_user_chose_for_hooks(tmp_path):
    user = tmp_path / "config.toml"
    wish = 'mode = "background"\ndeadline = "1s"\nstrict = true\n'
    user.write_text('mode = "block"\n')
    config = read(wish, user=user)
    assert (config.mode, config.deadline_s, config.strict) == ("block", 1.0, True)
    user.write_text("")
    assert read(wish, user=user).mode == "background"
    with pytest.raises(ConfigurationError, match="cannot be set by a repository"):
        read("finish = true\n")
    for wrong in ('deadline = "0s"\n', 'mode = "loud"\n'):
        with pytest.raises(ConfigurationError):
            read(wrong, user=user)


CHOSEN = {
    "fail-on": ("low", "critical"),
    "min-severity": ("low", "critical"),
    "mode": ("block", "warn"),
    "budget": ("60s", "1s"),
    "deadline": ("10s", "1s"),
    "strict": (True, False),
    "partial-ok": (False, True),
}


@pytest.mark.parametrize("key", CHOSEN)
@pytest.mark.parametrize("name", [".dsreview.toml", "pyproject.toml"])
def test_what_a_user_chose_is_kept(tmp_path, key, name):
    mine, theirs = (f"{key} = {json.dumps(value)}\n" for value in CHOSEN[key])
    table = "" if name == ".dsreview.toml" else "[tool.dsreview]\n"
    user = tmp_path / "config.toml"
    user.write_text(mine)
    chosen = load(None, {}, {}, user)
    assert read(table + theirs, user=user, name=name) == chosen
    user.write_text("")
    assert read(table + mine, user=user, name=name) == chosen
    assert read(table + mine, name=name) != read(table + theirs, name=name)


@pytest.mark.parametrize(
    ("wish", "expected"), [("1000h", 20.0), ("20.5s", 20.0), ("20s", 20.0), ("3s", 3.0)]
)
def test_a_repository_may_lower_the_deadline_and_not_raise_it(wish, expected):
    assert read(f'deadline = "{wish}"\n').deadline_s == expected
    assert read('deadline = "1000h"\n', flags={"deadline_s": "1m"}).deadline_s == 60.0
