import shutil
import tomllib

import pytest


@pytest.fixture
def use(run_dsreview, tmp_path):
    settings = tmp_path / "config.toml"
    settings.touch()

    def run(name, **options):
        environment = {"DSREVIEW_CONFIG": str(settings), "HF_HUB_CACHE": str(tmp_path / "hub")}
        return run_dsreview("models", "use", name, environment=environment, **options)

    return run


def test_a_folder_is_used_from_every_folder(use, tmp_path, small_model):
    shutil.copytree(small_model, tmp_path / "here" / "model")
    outcome = use("./model", cwd=tmp_path / "here")
    assert (outcome.code, outcome.err) == (0, "")
    assert "from now on" in outcome.out
    assert "llama" in outcome.out
    place = str((tmp_path / "here" / "model").resolve())
    assert tomllib.loads((tmp_path / "config.toml").read_text()) == {"model": place}


def test_what_cannot_be_loaded_is_not_used(use, tmp_path, small_model):
    broken = tmp_path / "broken"
    shutil.copytree(small_model, broken)
    weights = broken / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    for name, reason in ((str(broken), "bytes where"), ("no/such", "not in the local")):
        outcome = use(name)
        assert (outcome.code, outcome.out) == (2, "")
        assert reason in outcome.err
    assert (tmp_path / "config.toml").read_text() == ""
