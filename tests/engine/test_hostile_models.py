"""A model's folder comes from somebody else: one line says what is wrong, nothing runs."""

import json
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dsengine import Engine, EngineError, Message, Piece
from dsengine.errors import (
    DeviceError,
    ModelNotFoundError,
    PromptTooLongError,
    UnsupportedModelError,
)
from dsengine.torch_runner.attention import SHARED

HELLO = [Message("user", (Piece("return values"),))]


@pytest.fixture
def folder(random_llama, tmp_path):
    """A copy to spoil."""
    return Path(shutil.copytree(random_llama, tmp_path / "model"))


def edit_json(path, **changes):
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def refusal(folder, kind=UnsupportedModelError):
    with pytest.raises(kind) as caught:
        Engine(folder, device="cpu")
    assert "\n" not in str(caught.value)
    return str(caught.value)


class Canary:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


def test_pickled_weights_are_refused_and_not_opened(folder, tmp_path):
    (folder / "model.safetensors").unlink()
    canary = tmp_path / "executed"
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Canary(canary)))
    assert "only pickled weights (pytorch_model.bin)" in refusal(folder)
    assert not canary.exists()


def test_code_beside_a_model_is_never_run(folder, tmp_path):
    canary = tmp_path / "executed"
    for name in ("modeling_evil.py", "configuration_evil.py", "tokenization_evil.py"):
        (folder / name).write_text(f"open({str(canary)!r}, 'w')\n")
    remote = {
        "AutoConfig": "configuration_evil.Evil",
        "AutoModelForCausalLM": "modeling_evil.Evil",
        "AutoTokenizer": ["tokenization_evil.Evil", None],
    }
    edit_json(folder / "config.json", auto_map=remote)
    edit_json(folder / "tokenizer_config.json", auto_map=remote, tokenizer_class="Evil")
    assert Engine(folder, device="cpu").generate([HELLO], max_new_tokens=2)
    assert not canary.exists()


def test_a_model_of_unknown_type_is_refused(folder):
    edit_json(folder / "config.json", model_type="evil", auto_map={"AutoConfig": "evil.Evil"})
    assert "'evil' is no causal language model" in refusal(folder)


@pytest.mark.parametrize(
    "key",
    [
        "attn_implementation",
        "_attn_implementation",
        "_attn_implementation_internal",
        "experts_implementation",
        "_experts_implementation",
    ],
)
def test_a_kernel_named_by_the_configuration_is_ignored(folder, key):
    edit_json(folder / "config.json", **{key: "evil/kernels"})
    engine = Engine(folder, device="cpu")
    config = engine._scheduler._runner._network.module.config
    assert config._attn_implementation == SHARED
    assert "evil" not in repr(config.to_dict())
    assert engine.generate([HELLO], max_new_tokens=2)


def test_a_template_that_never_ends_is_not_run(folder):
    bomb = "{% for i in range(99999) %}{% for j in range(99999) %}x{% endfor %}{% endfor %}"
    (folder / "chat_template.jinja").write_text(bomb + "<|start_header_id|>")
    engine = Engine(folder, device="cpu")
    assert engine.template == "llama-3"
    assert engine.count_tokens(HELLO) < 50


def test_cut_weights_are_refused(folder):
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    assert "bytes where" in refusal(folder)
    weights.write_bytes(weights.read_bytes()[:50])
    assert "cut" in refusal(folder)
    weights.write_bytes(b"")
    assert "cut" in refusal(folder)


def test_a_damaged_header_is_refused(folder):
    text = b'{"a": {"dtype": "F32", "shape": [1]}}'
    (folder / "model.safetensors").write_bytes(len(text).to_bytes(8, "little") + text)
    assert "damaged safetensors header" in refusal(folder)


def test_missing_weights_are_refused_and_not_made_up(folder):
    edit_json(folder / "config.json", num_hidden_layers=3)
    assert "weights are missing or of another shape" in refusal(folder)


def test_weights_of_another_shape_are_refused(folder):
    edit_json(folder / "config.json", intermediate_size=64)
    refusal(folder)


def test_an_index_cannot_point_outside(folder):
    index = {"weight_map": {"a": "../../secret.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    assert "lacks the weight file" in refusal(folder)


@pytest.mark.parametrize("name", ["tokenizer.json", "config.json"])
def test_a_missing_part_is_named(folder, name):
    (folder / name).unlink()
    assert f"has no {name}" in refusal(folder)


@pytest.mark.parametrize("text", ["", "[]", "{", "\ud800", '{"model": 3}', "[" * 100_000])
@pytest.mark.parametrize("name", ["tokenizer.json", "config.json"])
def test_a_part_that_is_not_what_it_should_be_is_refused(folder, name, text):
    (folder / name).write_bytes(text.encode("utf-8", "surrogatepass"))
    refusal(folder)


def test_a_tokenizer_larger_than_the_model_is_refused(folder):
    tokens = {"added_tokens_decoder": {"99999": {"content": "<|beyond|>"}}}
    edit_json(folder / "tokenizer_config.json", **tokens)
    assert "the model" in refusal(folder)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"quantization_config": {"quant_method": "fp8"}}, "quantised"),
        ({"max_position_embeddings": 8}, "window of 8 is too small"),
        ({"num_hidden_layers": "many"}, ""),
        ({"hidden_size": -1}, ""),
        ({"model_type": None}, "no causal language model"),
        ({"layer_types": ["linear_attention"] * 2}, "cannot be cached"),
    ],
)
def test_a_configuration_that_cannot_be_is_refused(folder, changes, reason):
    edit_json(folder / "config.json", **changes)
    assert reason in refusal(folder)


def test_an_adapter_is_no_model(folder):
    (folder / "adapter_config.json").write_text("{}")
    assert "adapter" in refusal(folder)


@pytest.mark.parametrize("model", ["no/such", "/nowhere/at/all", "../x", "https://example.org/m"])
def test_what_is_not_here_is_not_fetched(model, monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    refusal(model, ModelNotFoundError)


def test_a_prompt_beyond_the_window_is_refused_before_any_pass(folder):
    edit_json(folder / "config.json", max_position_embeddings=100)
    engine = Engine(folder, device="cpu")
    assert engine.max_tokens == 100
    long = [Message("user", (Piece("x = 1\n" * 200),))]
    with pytest.raises(PromptTooLongError, match=r"prompt 2 has .* the model takes 100"):
        engine.generate([HELLO, long], max_new_tokens=10)
    assert engine.stats.prefill_s == 0
    room = 100 - engine.count_tokens(HELLO)
    assert engine.generate([HELLO], max_new_tokens=room)
    with pytest.raises(PromptTooLongError):
        engine.generate([HELLO], max_new_tokens=room + 1)


def test_a_sliding_window_is_the_window(random_model, tmp_path):
    folder = Path(shutil.copytree(random_model, tmp_path / "model"))
    edit_json(folder / "config.json", sliding_window=300, use_sliding_window=True)
    engine = Engine(folder, device="cpu", max_thinking_tokens=0)
    assert engine.max_tokens in {300, 8_192}  # 8,192 where the architecture has no such window


@pytest.mark.parametrize(
    "options", [{"device": "tpu"}, {"dtype": "int3"}, {"device": "mps"}, {"device": "cuda"}]
)
def test_a_device_that_is_not_here_is_named(random_llama, options):
    import torch

    if options.get("device") == "cuda" and torch.cuda.is_available():
        pytest.skip("this machine has cuda")
    if options.get("device") == "mps" and torch.backends.mps.is_available():
        pytest.skip("this machine has mps")
    with pytest.raises(DeviceError, match=r"\S"):
        Engine(random_llama, **{"device": "cpu", **options})


def test_identity_changes_with_weights_tokenizer_and_dtype(folder, random_llama):
    first = Engine(folder, device="cpu").identity
    assert Engine(random_llama, device="cpu").identity == first
    assert Engine(random_llama, device="cpu", dtype="bfloat16").identity != first
    weights = folder / "model.safetensors"
    changed = bytearray(weights.read_bytes())
    changed[-40] ^= 1
    weights.write_bytes(changed)
    assert Engine(folder, device="cpu").identity != first


def test_errors_are_one_tree():
    for error in (DeviceError, ModelNotFoundError, PromptTooLongError, UnsupportedModelError):
        assert issubclass(error, EngineError)


OFFLINE = """
import socket, sys

def refuse(*arguments, **options):
    raise SystemExit("opened a socket")

socket.socket.connect = refuse
socket.getaddrinfo = refuse
import dsengine
assert "torch" not in sys.modules and "transformers" not in sys.modules
engine = dsengine.Engine(sys.argv[1], device="cpu")
prompt = [dsengine.Message("user", (dsengine.Piece("x"),))]
assert engine.generate([prompt], max_new_tokens=3)[0].completion_tokens > 0
assert "kernels" not in sys.modules
assert not sys.modules["transformers.integrations.hub_kernels"]._kernels_enabled
import huggingface_hub.constants
assert huggingface_hub.constants.HF_HUB_OFFLINE
"""


def test_nothing_is_fetched_and_torch_waits_for_the_engine(random_llama):
    command = [sys.executable, "-c", OFFLINE, str(random_llama)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout == ""
