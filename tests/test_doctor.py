import pytest

from dsreview.config import Config
from dsreview.doctor import _known_models, examine
from dsreview.models.catalogue import CATALOGUE, TABLE, Room


def test_it_says_what_is_installed_and_what_is_missing(run_dsreview):
    outcome = run_dsreview("doctor")
    assert (outcome.code, outcome.err) == (0, "")
    for words in ("python", "git version", "configuration", "cache", "none named"):
        assert words in outcome.out


def test_it_works_with_settings_that_cannot_be_read(run_dsreview, tmp_path):
    file = tmp_path / "config.toml"
    file.write_text('devise = "cpu"')
    outcome = run_dsreview("doctor", environment={"DSREVIEW_CONFIG": str(file)})
    assert (outcome.code, outcome.err) == (0, "")
    (line,) = (line for line in outcome.out.splitlines() if "configuration" in line)
    assert line.startswith("--")
    assert "config.toml" in line
    assert "GB free" in outcome.out


def test_every_known_model_is_said_to_fit_or_not():
    pytest.importorskip("torch")
    texts = [check.text for check in examine(Config())]
    for model in CATALOGUE:
        assert sum(f"{model.name} (" in text for text in texts) == 1


def test_a_model_fits_exactly_where_its_memory_is_free():
    needed = CATALOGUE[0].memory_bytes(TABLE[-1])
    for free, fits in ((needed, True), (needed - 1, False)):
        check = next(iter(_known_models(Room("mps", free, 2))))
        assert check.is_good is fits


def test_a_named_model_is_shown_with_its_backend():
    config = Config(model="qwen", backend="http", base_url="http://127.0.0.1:1/v1")
    (check,) = (check for check in examine(config) if check.name == "model")
    assert check.text == "qwen at http://127.0.0.1:1/v1, backend http"


def test_settings_that_say_too_little_are_named():
    (check,) = (check for check in examine(Config(backend="http")) if check.name == "model")
    assert not check.is_good
    assert "--model" in check.text
