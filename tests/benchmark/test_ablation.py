from dataclasses import fields

import pytest

from dsreview.benchmark.ablation import ABLATIONS, without
from dsreview.benchmark.settings import config_for
from dsreview.config import Config
from dsreview.errors import UsageError


@pytest.mark.parametrize("part", ABLATIONS)
def test_a_part_is_switched_off_whatever_the_flags_say(part, monkeypatch, tmp_path):
    monkeypatch.setenv("DSREVIEW_CONFIG", str(tmp_path / "config.toml"))
    (tmp_path / "config.toml").touch()
    flags = {"context": "outline", "examples": True, "max_rounds": 5}
    full, less = config_for("checks", flags), config_for("checks", without([part], flags))
    changed = [
        field.name
        for field in fields(Config)
        if getattr(full, field.name) != getattr(less, field.name)
    ]
    assert changed == list(ABLATIONS[part])


def test_several_parts_are_switched_off_together():
    assert without(ABLATIONS, {}) == {"context": "bare", "examples": False, "max_rounds": 1}


def test_what_is_no_part_is_refused_by_name():
    with pytest.raises(UsageError, match="use context, examples, repair"):
        without(["everything"], {})
