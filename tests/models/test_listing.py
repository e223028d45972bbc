import json
import os
import struct
import subprocess
import sys

import pytest

from dsreview.models.catalogue import CATALOGUE, Room
from dsreview.models.hub_cache import cache_folder, cached_model, cached_models
from dsreview.models.listing import survey

KNOWN = CATALOGUE[-1].name


@pytest.fixture
def put_model(tmp_path):
    """Writes a model into a cache as the hub's programs do."""

    def put(name, files, commit="c" * 40):
        folder = tmp_path / "hub" / f"models--{name.replace('/', '--')}"
        snapshot = folder / "snapshots" / commit
        for place in (folder / "blobs", folder / "refs", snapshot):
            place.mkdir(parents=True, exist_ok=True)
        for number, (file, text) in enumerate(files.items()):
            blob = folder / "blobs" / f"blob{number}"
            blob.write_text(text)
            (snapshot / file).symlink_to(os.path.relpath(blob, snapshot))
        (folder / "refs" / "main").write_text(commit)
        return snapshot

    return put


SMALLEST_GGUF = (
    struct.pack("<4sIQQ", b"GGUF", 3, 0, 1)
    + struct.pack("<Q20sIQ5s", 20, b"general.architecture", 8, 5, b"llama")
    + bytes(32)
)
WHOLE = {"config.json": "{}", "tokenizer.json": "{}", "model.safetensors": "12345"}
INDEX = json.dumps({"weight_map": {"a": "x.safetensors", "b": "y.safetensors"}})
SHARDED = {"config.json": "{}", "tokenizer.json": "{}", "model.safetensors.index.json": INDEX}


@pytest.mark.parametrize(
    ("files", "is_whole"),
    [
        (WHOLE, True),
        ({key: WHOLE[key] for key in ("config.json", "model.safetensors")}, False),
        (SHARDED, False),
        (SHARDED | {"x.safetensors": "1"}, False),
        (SHARDED | {"x.safetensors": "1", "y.safetensors": "2"}, True),
        ({"config.json": "{}", "tokenizer.json": "{}", "pytorch_model.bin": "1"}, False),
    ],
)
def test_a_model_is_whole_when_all_that_is_loaded_is_there(tmp_path, put_model, files, is_whole):
    snapshot = put_model("some/model", files)
    (found,) = cached_models(tmp_path / "hub")
    assert (found.name, found.folder, found.is_whole) == ("some/model", snapshot, is_whole)
    assert found.size_bytes == sum(map(len, files.values()))


@pytest.mark.parametrize(
    "index", ["", "[]", "[" * 100_000, '{"weight_map": {"a": "../x"}}', '{"weight_map": {}}']
)
def test_an_index_that_makes_no_sense_is_no_model(tmp_path, put_model, index):
    put_model("some/model", SHARDED | {"model.safetensors.index.json": index})
    assert cached_model(tmp_path / "hub", "some/model") is None


def test_the_catalogue_and_what_else_is_here_are_listed_once_each(tmp_path, put_model):
    put_model(KNOWN, WHOLE)
    put_model("some/model", WHOLE)
    cache = tmp_path / "hub"
    listing = survey("some/model", cache, tuple(cached_models(cache)), [Room("cpu", 10**10, 4)])
    assert [row.name for row in listing.catalogue if row.is_installed] == [KNOWN]
    assert [(model.name, model.is_used) for model in listing.others] == [("some/model", True)]
    assert sum(row.is_recommended for row in listing.catalogue) == 1


def test_the_command_says_what_fits_and_where_models_lie(run_dsreview, tmp_path, put_model):
    pytest.importorskip("torch")
    put_model("some/model", WHOLE)
    environment = {"HF_HUB_CACHE": str(tmp_path / "hub")}
    page = run_dsreview("models", environment=environment)
    assert (page.code, page.err) == (0, "")
    for model in CATALOGUE:
        assert model.name in page.out
    assert f"models lie in {tmp_path / 'hub'}" in page.out
    listed = json.loads(run_dsreview("models", "list", "--json", environment=environment).out)
    assert [model["name"] for model in listed["others"]] == ["some/model"]
    assert {fit["device"] for row in listed["catalogue"] for fit in row["fits"]} >= {"cpu"}


def test_files_of_other_programs_are_listed_and_left_alone(run_dsreview, tmp_path, put_model):
    pytest.importorskip("torch")
    folder = tmp_path / "home" / ".lmstudio" / "models" / "some" / "model"
    folder.mkdir(parents=True)
    file = folder / "small-q4.gguf"
    file.write_bytes(SMALLEST_GGUF)
    put_model("some/files", {"config.json": "{}", "README.md": "x"})
    environment = {"HOME": str(tmp_path / "home"), "HF_HUB_CACHE": str(tmp_path / "hub")}
    listed = json.loads(run_dsreview("models", "--json", environment=environment).out)
    found = {model["name"]: model for model in listed["others"]}
    assert found["lmstudio:some/model/small-q4"]["kind"] == "GGUF llama"
    assert found["lmstudio:some/model/small-q4"]["source"] == "LM Studio"
    assert not found["some/files"]["is_whole"]
    assert file.read_bytes() == SMALLEST_GGUF


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"HF_HOME": "~/elsewhere"},
        {"XDG_CACHE_HOME": "/caches"},
        {"HUGGINGFACE_HUB_CACHE": "/old", "HF_HOME": "/home"},
        {"HF_HUB_CACHE": "$HOME/new", "HUGGINGFACE_HUB_CACHE": "/old"},
    ],
)
def test_the_cache_is_where_the_hub_looks_for_it(variables):
    pytest.importorskip("huggingface_hub")
    names = ("HF_HOME", "XDG_CACHE_HOME", "HUGGINGFACE_HUB_CACHE", "HF_HUB_CACHE")
    environment = {key: text for key, text in os.environ.items() if key not in names} | variables
    program = "from huggingface_hub.constants import HF_HUB_CACHE; print(HF_HUB_CACHE)"
    theirs = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert str(cache_folder(environment)) == theirs.stdout.strip()
