"""Which runner auto takes, and that measuring is done once."""

import platform
from pathlib import Path

import pytest

from dsengine import fastest
from dsengine.checkpoint import open_checkpoint
from dsengine.errors import DeviceError
from dsengine.runners import RUNNERS, Wanted, open_runner
from dsengine.testing import write_model

CPU = Wanted(device="cpu")


def broken(checkpoint, wanted):
    raise DeviceError("no such device")


def never(checkpoint, wanted):
    raise AssertionError("measured again")


@pytest.fixture
def apple(monkeypatch):
    """What Python says of itself on a Mac with Apple's own chip."""
    pytest.importorskip("mlx_lm")
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    monkeypatch.setattr(platform, "machine", lambda: "arm64")


def test_what_fails_is_last_and_all_is_remembered(tmp_path):
    names = ("broken", "torch")
    first = {"broken": broken, "torch": RUNNERS["torch"]}
    order = fastest.fastest_first(names, "llama", CPU, first, tmp_path / "memory")
    assert order == ("torch", "broken")
    (place,) = (tmp_path / "memory").iterdir()
    (measured,) = fastest.all_measured(tmp_path / "memory")
    assert measured == fastest.recall(place)
    rates = measured.tokens_per_s
    assert rates["torch"] > 0 == rates["broken"]
    again = dict.fromkeys(names, never)
    assert fastest.fastest_first(names, "llama", CPU, again, tmp_path / "memory") == order


def test_without_a_memory_the_order_is_that_of_the_names():
    again = {"b": never, "a": never}
    assert fastest.fastest_first(("b", "a"), "llama", CPU, again, None) == ("b", "a")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        "[" * 100_000,
        '{"torch": 1.0}',
        '{"model_type": "x", "tokens_per_s": {"torch": "fast"}}',
        "\xff",
    ],
)
def test_a_spoilt_memory_is_no_memory(tmp_path, text):
    place = tmp_path / "rates.json"
    place.write_bytes(text.encode("latin-1"))
    assert fastest.recall(place) is None
    assert fastest.all_measured(tmp_path) == ()


def test_a_disk_that_refuses_is_no_error(tmp_path):
    (tmp_path / "memory").write_text("no folder")
    openers = {"broken": broken, "b": broken}
    order = fastest.fastest_first(("broken", "b"), "llama", CPU, openers, tmp_path / "memory")
    assert order == ("broken", "b")


def test_elsewhere_than_on_apples_chips_torch_is_taken(random_llama):
    assert fastest.runners_to_try(open_checkpoint(random_llama), Wanted()) == ("torch",)


def test_on_apples_chips_mlx_is_tried_where_it_could_be_faster(apple, random_llama):
    checkpoint = open_checkpoint(random_llama)
    assert fastest.runners_to_try(checkpoint, Wanted()) == ("mlx", "torch")
    assert fastest.runners_to_try(checkpoint, CPU) == ("torch",)


def test_what_mlx_refuses_runs_on_torch(apple, tmp_path):
    folder = write_model(
        tmp_path / "model", "deepseek_v2", ["a few words"], changes={"norm_topk_prob": True}
    )
    checkpoint = open_checkpoint(folder)
    assert fastest.runners_to_try(checkpoint, Wanted())[0] == "mlx"
    assert open_runner(checkpoint, Wanted()).versions[0].startswith("torch")


@pytest.mark.slow
def test_a_measurement_of_both_takes_no_longer_than_people_wait(tmp_path):
    """On a Mac they have a GPU; here MLX has a CPU and must lose."""
    pytest.importorskip("mlx_lm")
    order = fastest.fastest_first(("mlx", "torch"), "llama", CPU, RUNNERS, Path(tmp_path))
    assert order == ("torch", "mlx")
