"""Against a hub of our own, which does all that hubs and networks do wrong."""

import hashlib
import json
import os
import shutil
import socket
from collections import namedtuple

import pytest

from dsreview.errors import DownloadError, UsageError
from dsreview.models.catalogue import CATALOGUE
from dsreview.models.hub import Hub
from dsreview.models.hub_cache import cached_model
from dsreview.models.patience import TRIES
from dsreview.models.pulling import pinned_revision, pull

COMMIT = "5" * 40
NAME = "some/model"
WEIGHTS = bytes(range(256)) * 1_200
FILES = {
    "config.json": b'{"model_type": "llama"}',
    "tokenizer.json": b'{"version": "1.0"}',
    "model.safetensors": WEIGHTS,
}
REFUSED = {
    "pytorch_model.bin": b"pickle",
    "modeling_evil.py": b"import os",
    "training_args.bin": b"pickle",
    "sub/model.safetensors": b"other",
    "README.md": b"# hello",
}


class Bar:
    def __init__(self):
        self.started, self.reached, self.pauses = [], [], []

    def start(self, file):
        self.started.append(file.name)

    def reach(self, num_bytes):
        self.reached.append(num_bytes)

    def pause(self, reason, wait_s):
        self.pauses.append((reason, wait_s))


@pytest.fixture
def bar():
    return Bar()


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "hub"


@pytest.fixture
def pull_it(hub, cache, bar):
    def run(name=NAME, revision="main", token=""):
        client = Hub(hub.endpoint, token)
        try:
            return pull(client, cache, name, revision, bar, sleep=lambda _: None)
        finally:
            client.close()

    return run


def closed_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def everything(cache):
    return sorted(str(path.relative_to(cache)) for path in cache.rglob("*") if path.is_file())


def test_what_is_loaded_lies_where_the_hubs_programs_look_and_nothing_else(
    hub, cache, pull_it, bar
):
    hub.add(NAME, FILES | REFUSED)
    pulled = pull_it()
    snapshot = cache / "models--some--model" / "snapshots" / COMMIT
    assert pulled.folder == snapshot
    assert {path.name: path.read_bytes() for path in snapshot.iterdir()} == FILES
    for path in snapshot.iterdir():
        assert path.readlink().parts[:3] == ("..", "..", "blobs")
    assert (snapshot / "model.safetensors").resolve().name == hashlib.sha256(WEIGHTS).hexdigest()
    assert (snapshot / "config.json").resolve().name == hashlib.sha1(
        b"blob 23\0" + FILES["config.json"]
    ).hexdigest()
    assert cached_model(cache, NAME).is_whole
    assert not list(cache.rglob("*.incomplete"))
    asked = {path.rpartition("/")[2] for path, _ in hub.requests if "/resolve/" in path}
    assert asked == set(FILES)
    assert bar.reached[-1] == len(WEIGHTS)


def test_the_hubs_own_program_finds_it(hub, cache, pull_it, monkeypatch):
    huggingface_hub = pytest.importorskip("huggingface_hub")
    hub.add(NAME, FILES)
    pull_it()
    found = huggingface_hub.try_to_load_from_cache(NAME, "config.json", cache_dir=cache)
    assert found == str(cache / "models--some--model" / "snapshots" / COMMIT / "config.json")
    (repository,) = huggingface_hub.scan_cache_dir(cache).repos
    assert repository.size_on_disk == sum(map(len, FILES.values()))


def test_all_parts_of_an_index_come(hub, cache, pull_it):
    parts = {"a-1.safetensors": b"first" * 1000, "a-2.safetensors": b"second" * 1000}
    index = json.dumps({"weight_map": {"x": "a-1.safetensors", "y": "a-2.safetensors"}}).encode()
    files = {key: FILES[key] for key in ("config.json", "tokenizer.json")}
    hub.add(
        NAME, files | parts | {"model.safetensors.index.json": index, "b.safetensors": b"not named"}
    )
    names = {path.name for path in pull_it().folder.iterdir()}
    assert names == {*files, *parts, "model.safetensors.index.json"}


def test_the_token_goes_to_the_hub_alone(hub, pull_it):
    hub.add(NAME, FILES)
    hub.token = "secret"
    with pytest.raises(DownloadError, match="HF_TOKEN"):
        pull_it()
    pull_it(token="secret")
    for path, headers in hub.requests[1:]:
        is_elsewhere = headers["Host"].startswith("localhost")
        assert ("Authorization" in headers) is not is_elsewhere, path
    assert any(headers["Host"].startswith("localhost") for _, headers in hub.requests)


@pytest.mark.parametrize(
    "faults",
    [
        ("cut",),
        ("cut", "cut", "cut"),
        (503, 429),
        ("cut", "no range"),
        ("longer",),
        ("cut", 500, "cut", "cut", "no range"),
    ],
)
def test_a_bad_connection_costs_time_and_no_byte(hub, cache, pull_it, bar, faults):
    hub.add(NAME, FILES)
    hub.fault(*faults)
    folder = pull_it().folder
    assert (folder / "model.safetensors").read_bytes() == WEIGHTS
    assert len(bar.pauses) == len([kind for kind in faults if kind not in ("longer", "no range")])
    assert hub.faults == []


def test_only_what_is_missing_comes_again(hub, pull_it):
    hub.add(NAME, FILES)
    hub.fault("cut", "cut")
    pull_it()
    half = len(WEIGHTS) // 2
    assert hub.ranges("model.safetensors") == ["", f"bytes={half}-", f"bytes={half + half // 2}-"]


def test_a_later_pull_goes_on_from_where_the_last_one_ended(hub, cache, pull_it):
    hub.add(NAME, FILES)
    hub.fault("cut", *[503] * TRIES)
    with pytest.raises(DownloadError, match="goes on from here"):
        pull_it()
    assert cached_model(cache, NAME) is None
    assert not (cache / "models--some--model" / "snapshots").exists()
    (part,) = cache.rglob("*.incomplete")
    assert part.read_bytes() == WEIGHTS[: len(WEIGHTS) // 2]
    hub.requests.clear()
    assert (pull_it().folder / "model.safetensors").read_bytes() == WEIGHTS
    assert hub.ranges("model.safetensors") == [f"bytes={len(WEIGHTS) // 2}-"]


def test_a_pause_is_as_long_as_the_hub_asks_and_else_grows(hub, cache, bar):
    hub.add(NAME, FILES)
    hub.fault(*[429] * 2, file="list")
    waits = []
    client = Hub(hub.endpoint)
    pull(client, cache, NAME, "main", bar, waits.append)
    assert waits == [0, 0]
    client.close()
    waits.clear()
    client = Hub(f"http://127.0.0.1:{closed_port()}")
    with pytest.raises(DownloadError, match="times in a row"):
        pull(client, cache, NAME, "main", bar, waits.append)
    client.close()
    assert waits == [2, 4, 8, 16, 32]


@pytest.mark.parametrize("begun", [None, WEIGHTS[:1000], b"x" * 1000])
def test_other_bytes_than_announced_are_refused_and_deleted(hub, cache, pull_it, begun):
    hub.add(NAME, FILES)
    if begun is not None:
        blobs = cache / "models--some--model" / "blobs"
        blobs.mkdir(parents=True)
        (blobs / f"{hashlib.sha256(WEIGHTS).hexdigest()}.incomplete").write_bytes(begun)
    hub.fault("wrong", "wrong")
    with pytest.raises(DownloadError, match="checksum differs"):
        pull_it()
    assert cached_model(cache, NAME) is None
    assert not [
        name
        for name in everything(cache)
        if hashlib.sha256(WEIGHTS).hexdigest() in name and "lock" not in name
    ]


def test_what_was_begun_wrongly_is_begun_again(hub, cache, pull_it):
    hub.add(NAME, FILES)
    blobs = cache / "models--some--model" / "blobs"
    blobs.mkdir(parents=True)
    (blobs / f"{hashlib.sha256(WEIGHTS).hexdigest()}.incomplete").write_bytes(b"x" * 1000)
    assert (pull_it().folder / "model.safetensors").read_bytes() == WEIGHTS


def test_what_is_damaged_on_the_disk_is_brought_again(hub, cache, pull_it):
    hub.add(NAME, FILES)
    weights = (pull_it().folder / "model.safetensors").resolve()
    weights.write_bytes(b"y" + WEIGHTS[1:])
    hub.requests.clear()
    pull_it()
    assert weights.read_bytes() == WEIGHTS
    assert [path for path, _ in hub.requests if "/bytes/" in path] == [
        "/cdn/some/model/bytes/model.safetensors"
    ]


def test_a_whole_model_is_checked_and_nothing_is_downloaded(hub, pull_it, bar):
    hub.add(NAME, FILES)
    pull_it()
    hub.requests.clear()
    pull_it()
    assert [path for path, _ in hub.requests] == [f"/api/models/{NAME}/revision/main"]


def test_a_wrong_small_file_is_refused_as_well(hub, cache, pull_it):
    hub.add(NAME, FILES)
    hub.fault("wrong", file="config.json")
    with pytest.raises(DownloadError, match="git checksum differs"):
        pull_it()


@pytest.mark.parametrize("status", [400, 401, 403, 404, 418])
def test_a_refusal_is_not_tried_again(hub, pull_it, bar, status):
    hub.add(NAME, FILES)
    hub.fault(status)
    with pytest.raises(DownloadError):
        pull_it()
    assert bar.pauses == []


@pytest.mark.parametrize(
    ("kind", "words"), [("circle", "in circles"), ("plain", "redirects to http://192.0.2.1")]
)
def test_redirects_lead_to_safe_places_and_end(hub, pull_it, kind, words):
    hub.add(NAME, FILES)
    hub.fault(*[kind] * 10)
    with pytest.raises(DownloadError, match=words):
        pull_it()


@pytest.mark.parametrize(
    "evil", ["../evil", "/etc/passwd", "a/../../b", "a//b", "..", "c:\\d", "model.safetensors\0"]
)
def test_a_hub_that_lists_files_outside_is_not_believed(hub, cache, pull_it, evil):
    hub.add(NAME, FILES | {evil: b"evil"})
    with pytest.raises(DownloadError, match="is no file of a repository"):
        pull_it()
    assert not cache.exists()


@pytest.mark.parametrize(
    "name", ["../x.safetensors", "y.safetensors", "pytorch_model.bin", "config.json", 7]
)
def test_an_index_names_weights_of_the_same_folder(hub, cache, pull_it, name):
    index = json.dumps({"weight_map": {"a": name}}).encode()
    files = {key: FILES[key] for key in ("config.json", "tokenizer.json")}
    hub.add(NAME, files | {"model.safetensors.index.json": index, "pytorch_model.bin": b"pickle"})
    with pytest.raises(DownloadError, match="index"):
        pull_it()
    assert cached_model(cache, NAME) is None


@pytest.mark.parametrize(
    ("listed", "words"),
    [
        ({"size": 1 << 50}, "bytes"),
        ({"size": -1}, "has -1 bytes"),
        ({"blobId": "../../x"}, "is no checksum"),
        ({"blobId": None}, "has no checksum"),
        ({"size": "many"}, "Expected"),
    ],
)
def test_a_listing_that_makes_no_sense_is_refused(hub, pull_it, listed, words):
    hub.add(NAME, FILES)
    hub.listed["config.json"] = listed
    with pytest.raises(DownloadError, match=words):
        pull_it()


@pytest.mark.parametrize("missing", FILES)
def test_what_could_not_be_loaded_is_not_downloaded(hub, cache, pull_it, missing):
    hub.add(NAME, {key: content for key, content in FILES.items() if key != missing} | REFUSED)
    with pytest.raises(DownloadError, match="has no"):
        pull_it()
    assert cached_model(cache, NAME) is None


def test_a_full_disk_is_noticed_before(hub, cache, pull_it, monkeypatch):
    hub.add(NAME, FILES)
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**12, 10**12, 10**8))
    with pytest.raises(DownloadError, match="GB free; HF_HOME"):
        pull_it()
    assert not [path for path, _ in hub.requests if "/bytes/" in path]


def test_two_pulls_do_not_write_one_file(hub, cache, pull_it):
    import fcntl

    hub.add(NAME, FILES)
    locks = cache / ".locks" / "models--some--model"
    locks.mkdir(parents=True)
    with (locks / f"{hashlib.sha256(WEIGHTS).hexdigest()}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(DownloadError, match="another process"):
            pull_it()
    pull_it()


def test_a_name_means_the_new_commit_only_when_all_of_it_is_here(hub, cache, pull_it):
    hub.add(NAME, FILES)
    pull_it()
    hub.branches["main"] = "6" * 40
    hub.add(NAME, FILES | {"model.safetensors": WEIGHTS[::-1]})
    hub.fault("wrong")
    with pytest.raises(DownloadError):
        pull_it()
    assert cached_model(cache, NAME).revision == COMMIT
    assert pinned_revision(NAME, cache) == COMMIT
    assert pull_it().revision == "6" * 40
    assert (
        cached_model(cache, NAME).folder.joinpath("model.safetensors").read_bytes() == WEIGHTS[::-1]
    )


def test_a_pin_is_that_of_the_catalogue_else_what_is_here_else_the_newest(cache):
    assert pinned_revision(CATALOGUE[0].name, cache) == CATALOGUE[0].revision
    assert pinned_revision(NAME, cache) == "main"


@pytest.mark.parametrize(
    "name", ["", "model", "../x", "a/../b", "a/b/c", "a/b?x", "a--b/c", "a/b\n", "-a/b"]
)
def test_a_name_is_an_owner_and_a_name(hub, pull_it, name):
    with pytest.raises(UsageError, match="owner/name"):
        pull_it(name=name)
    assert hub.requests == []


@pytest.mark.parametrize(
    "environment",
    [
        {"HF_ENDPOINT": "http://example.org"},
        {"HF_ENDPOINT": "ftp://x"},
        {"HF_ENDPOINT": "hub"},
        {"HF_HUB_OFFLINE": "1"},
    ],
)
def test_unsafe_hubs_and_switched_off_downloads_are_refused(environment):
    with pytest.raises(UsageError, match="HF_"):
        Hub.from_environment(environment)


def test_links_that_others_left_are_replaced(hub, cache, pull_it):
    hub.add(NAME, FILES)
    snapshot = cache / "models--some--model" / "snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    (snapshot / "config.json").write_text("old")
    os.symlink("/nowhere", snapshot / "model.safetensors")
    pull_it()
    assert {path.name: path.read_bytes() for path in snapshot.iterdir()} == FILES
