"""Models of Ollama, LM Studio and the Hugging Face cache are found, and nothing else is."""

import hashlib
import json
import os

import pytest

from dsengine.errors import ModelNotFoundError, UnsupportedModelError
from dsengine.gguf_stores import find_stored, stored_models

pytest.importorskip("gguf", reason="needs the package gguf")
from dsengine.testing_gguf import write_gguf


@pytest.fixture(scope="module")
def octets(random_folder, tmp_path_factory):
    path = write_gguf(random_folder("llama"), tmp_path_factory.mktemp("model") / "model.gguf")
    return path.read_bytes()


def layer(digest, kind="model"):
    return {"mediaType": f"application/vnd.ollama.image.{kind}", "digest": digest, "size": 1}


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return path


class Home:
    """The folders of a user, and of nobody else."""

    def __init__(self, path):
        self.path = path
        self.ollama = path / "ollama"
        self.environment = {"OLLAMA_MODELS": str(self.ollama)}

    def add_ollama(self, name, content, manifest=None):
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        write(self.ollama / "blobs" / digest.replace(":", "-"), content)
        layers = [layer(digest), layer(f"sha256:{'0' * 64}", "template")]
        usual = {"layers": layers}
        write(self.ollama / "manifests" / name, usual if manifest is None else manifest)

    def find(self, name):
        return find_stored(name, self.path, self.environment)

    def listed(self):
        return {model.name: model for model in stored_models(self.path, self.environment)}


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path)


def everything(folder):
    return {path: path.lstat().st_mtime_ns for path in folder.rglob("*")}


def test_ollama_models_are_found_under_the_names_that_it_gives(home, octets):
    home.add_ollama("registry.ollama.ai/library/deepseek-coder/6.7b", octets)
    home.add_ollama("registry.ollama.ai/someone/fine/latest", octets)
    home.add_ollama("hf.co/owner/model-GGUF/Q4_K_M", octets)
    before = everything(home.path)
    assert set(home.listed()) == {
        "ollama:deepseek-coder:6.7b",
        "ollama:someone/fine:latest",
        "ollama:hf.co/owner/model-GGUF:Q4_K_M",
    }
    for name, model in home.listed().items():
        assert home.find(name) == model.path
        assert (model.size_bytes, model.architecture) == (len(octets), "llama")
        assert (model.source, model.quantisation) == ("Ollama", "F32")
    assert home.find("ollama:someone/fine") == home.find("ollama:someone/fine:latest")
    assert everything(home.path) == before


def test_lm_studio_models_are_found(home, octets):
    root = home.path / ".lmstudio" / "models" / "publisher" / "model-GGUF"
    write(root / "model-Q4_K_M.gguf", octets)
    write(root / "mmproj-model.gguf", octets)
    write(root / "big-00001-of-00002.gguf", octets)
    write(root / "big-00002-of-00002.gguf", octets)
    old = home.path / ".cache" / "lm-studio" / "models" / "other" / "old"
    write(old / "old.gguf", octets)
    assert set(home.listed()) == {
        "lmstudio:publisher/model-GGUF/model-Q4_K_M",
        "lmstudio:publisher/model-GGUF/big-00001-of-00002",
        "lmstudio:other/old/old",
    }
    big = home.listed()["lmstudio:publisher/model-GGUF/big-00001-of-00002"]
    assert big.size_bytes == 2 * len(octets)
    assert home.find("lmstudio:other/old/old.gguf") == old / "old.gguf"


def test_files_of_the_hugging_face_cache_are_found_through_its_links(home, octets):
    folder = home.path / ".cache" / "huggingface" / "hub" / "models--owner--some-GGUF"
    blob = write(folder / "blobs" / "abc", octets)
    write(folder / "refs" / "main", b"f00d")
    snapshot = folder / "snapshots" / "f00d"
    snapshot.mkdir(parents=True)
    (snapshot / "some-Q8_0.gguf").symlink_to(os.path.relpath(blob, snapshot))
    outside = write(home.path / "secret.gguf", octets)
    (snapshot / "evil.gguf").symlink_to(outside)
    assert set(home.listed()) == {"huggingface:owner/some-GGUF/some-Q8_0"}
    with pytest.raises(ModelNotFoundError):
        home.find("huggingface:owner/some-GGUF/evil")


@pytest.mark.parametrize(
    "name",
    [
        "ollama:../../../../etc/passwd",
        "ollama:a/../../b:c",
        "ollama:..:latest",
        "ollama:a/b/c/d/e:f",
        "ollama:/etc/passwd",
        "ollama:a:../b",
        "ollama:a\n:b",
        "ollama:",
        "lmstudio:../../x/y",
        "lmstudio:/a/b/c",
        "lmstudio:a/b",
        "huggingface:../b/c",
        "huggingface:a/b/../c",
        "nowhere:model",
    ],
)
def test_a_name_never_leads_out_of_a_store(home, octets, name):
    write(home.path / "etc" / "passwd", octets)
    home.ollama.mkdir()
    with pytest.raises(ModelNotFoundError):
        home.find(name)


@pytest.mark.parametrize(
    ("manifest", "reason"),
    [
        ({"layers": [layer("sha256:../../../../etc/passwd")]}, "names no single model"),
        ({"layers": [layer("sha256:" + "a" * 63 + "/")]}, "names no single model"),
        ({"layers": [layer("sha256:" + "a" * 64)]}, "is missing"),
        ({"layers": []}, "names no single model"),
        ({"layers": "many"}, "names no single model"),
        ({"layers": [1, None, "a"]}, "names no single model"),
        ([], "names no single model"),
        (b"{", "is no manifest"),
        (b"[" * 100_000, "is no manifest"),
        (b'{"layers": []}' + b" " * (1 << 20), "too large for a manifest"),
        (b"\xff\xfe", "is no manifest"),
    ],
)
def test_a_hostile_manifest_is_refused(home, octets, manifest, reason):
    home.add_ollama("registry.ollama.ai/library/evil/latest", octets, manifest)
    with pytest.raises(UnsupportedModelError, match=reason):
        home.find("ollama:evil")
    assert home.listed() == {}


def test_an_adapter_is_no_model(home, octets):
    digest = f"sha256:{hashlib.sha256(octets).hexdigest()}"
    layers = {"layers": [layer(digest), layer(digest, "adapter")]}
    home.add_ollama("registry.ollama.ai/library/tuned/latest", octets, layers)
    with pytest.raises(UnsupportedModelError, match="has an adapter"):
        home.find("ollama:tuned")


def test_links_out_of_a_store_are_not_followed(home, octets):
    secret = write(home.path / "secret", octets)
    digest = "a" * 64
    (home.ollama / "blobs").mkdir(parents=True)
    (home.ollama / "blobs" / f"sha256-{digest}").symlink_to(secret)
    manifest = {"layers": [layer(f"sha256:{digest}")]}
    write(home.ollama / "manifests/registry.ollama.ai/library/evil/latest", manifest)
    elsewhere = home.path / "elsewhere"
    write(elsewhere / "model" / "some.gguf", octets)
    root = home.path / ".lmstudio" / "models"
    root.mkdir(parents=True)
    (root / "publisher").symlink_to(elsewhere)
    assert home.listed() == {}
    with pytest.raises(UnsupportedModelError, match="a link out of the store"):
        home.find("ollama:evil")
    with pytest.raises(ModelNotFoundError):
        home.find("lmstudio:publisher/model/some")


def test_names_with_control_characters_are_not_listed(home, octets):
    root = home.path / ".lmstudio" / "models"
    write(root / "publisher" / "\x1b[31mred" / "a.gguf", octets)
    write(root / "publisher" / ".hidden" / "a.gguf", octets)
    write(root / "publisher" / "fine" / "not a word.gguf", octets)
    assert home.listed() == {}


def test_what_is_damaged_is_left_out_of_the_list(home):
    home.add_ollama("registry.ollama.ai/library/text/latest", b"not a model")
    home.add_ollama("registry.ollama.ai/library/cut/latest", b"GGUF")
    assert home.listed() == {}


def test_a_store_that_is_not_there_is_empty(home):
    assert home.listed() == {}
    with pytest.raises(ModelNotFoundError, match="nothing of that name in"):
        home.find("ollama:deepseek-coder")
