"""What is planned before a load, and what is said where it does not fit."""

import json
import re
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from dsengine import Engine
from dsengine.checkpoint import open_checkpoint
from dsengine.errors import DeviceError
from dsengine.fitting import choose_weights, refuse_hopeless
from dsengine.memory import Demand, Numbers, bits_of, loaded_tensors, plan_memory, stored_bytes
from dsengine.runners import Wanted
from dsengine.testing import write_model
from dsengine.torch_runner.network import Network

BATCH = Demand(num_rows=8, num_prefix=512, num_slots=256, device="cpu")


@pytest.fixture(scope="session")
def wide_model(tmp_path_factory):
    """Large enough that weights outweigh the work."""
    changes = {"hidden_size": 512, "intermediate_size": 2_048, "num_hidden_layers": 4}
    return write_model(tmp_path_factory.mktemp("wide"), "llama", ["some text"], changes=changes)


def total(checkpoint, weights, rows=8):
    demand = Demand(rows, BATCH.num_prefix, BATCH.num_slots, BATCH.device)
    return plan_memory(checkpoint, Numbers(weights, 4), demand).total_bytes


def test_the_plan_knows_every_number_of_the_loaded_network(random_model):
    checkpoint = open_checkpoint(random_model)
    network = Network(checkpoint, torch.device("cpu"), torch.float32)
    plain = AutoModelForCausalLM.from_pretrained(random_model, local_files_only=True)
    held = sum(weight.nbytes for weight in plain.parameters())
    buffers = sum(buffer.nbytes for buffer in plain.buffers())
    planned = plan_memory(checkpoint, Numbers("full", 4), BATCH)
    assert held <= planned.weight_bytes <= held + buffers
    tokens = BATCH.num_prefix + BATCH.num_rows * 384  # slots come in blocks
    assert planned.cache_bytes == tokens * network.bytes_per_token


def test_what_is_never_loaded_is_not_counted(tmp_path):
    folder = write_model(tmp_path, "deepseek_v3", ["text"], changes={"num_hidden_layers": 3})
    whole = open_checkpoint(folder)
    for changes, lacks in (
        ({"num_hidden_layers": 2}, "layers.2."),
        ({"tie_word_embeddings": True}, "lm_head"),
    ):
        config = {**whole.config, **changes}
        cut = type(whole)(
            *(config if f == "config" else getattr(whole, f) for f in whole.__slots__)
        )
        left = {tensor.name for tensor in loaded_tensors(cut)}
        gone = {tensor.name for tensor in whole.tensors} - left
        assert gone
        assert all(lacks in name for name in gone)


def test_a_larger_batch_and_more_precise_weights_take_more(wide_model):
    checkpoint = open_checkpoint(wide_model)
    sizes = [total(checkpoint, weights) for weights in ("int4", "int8", "full")]
    assert sizes == sorted(set(sizes))
    rows = [total(checkpoint, "full", number) for number in range(1, 9)]
    assert rows == sorted(set(rows))


def test_experts_are_quantised_and_what_all_depends_on_is_not(tmp_path):
    checkpoint = open_checkpoint(write_model(tmp_path, "deepseek_v3", ["text"]))
    kept = {
        t.name.split(".", 3)[-1] for t in checkpoint.tensors if not bits_of(t.name, t.shape, "int4")
    }
    assert "self_attn.kv_b_proj.weight" in kept
    assert "mlp.gate.weight" in kept
    assert not [
        name for name in kept if "experts" in name and "norm" not in name and "bias" not in name
    ]
    experts = [t for t in checkpoint.tensors if ".experts." in t.name]
    full = sum(stored_bytes(t, Numbers("full", 2)) for t in experts)
    assert sum(stored_bytes(t, Numbers("int4", 2)) for t in experts) < 0.3 * full


@pytest.mark.parametrize("weights", ["full", "int8", "int4"])
def test_auto_takes_the_most_precise_that_fits(wide_model, weights):
    checkpoint = open_checkpoint(wide_model)
    free = total(checkpoint, weights)
    numbers, plan = choose_weights(checkpoint, "auto", 4, BATCH, free, "cpu")
    assert numbers.weights == weights
    assert plan.total_bytes <= free


def test_what_is_said_to_fit_fits(wide_model):
    checkpoint = open_checkpoint(wide_model)
    for rows in (1, 3, 8):
        free = total(checkpoint, "int8", rows) - (rows == 8)
        with pytest.raises(DeviceError, match="model needs") as caught:
            choose_weights(checkpoint, "full", 4, BATCH, free, "cpu")
        said = re.findall(r"--weights (\w+)(?: --batch-size (\d))?", str(caught.value))
        assert said
        for weights, most in said:
            demand = replace(BATCH, num_rows=int(most or BATCH.num_rows))
            choose_weights(checkpoint, weights, 4, demand, free, "cpu")
            if most:
                with pytest.raises(DeviceError):
                    choose_weights(
                        checkpoint, weights, 4, replace(demand, num_rows=int(most) + 1), free, "cpu"
                    )


def test_weights_of_no_known_kind_are_refused(random_llama):
    checkpoint = open_checkpoint(random_llama)
    with pytest.raises(DeviceError, match="'int3' is none of: auto, full, int8, int4"):
        choose_weights(checkpoint, "int3", 4, BATCH, 10**12, "cpu")


@pytest.fixture
def large_model(random_llama, tmp_path):
    """Its headers tell of 2 TB of weights; there is nothing behind them but a hole."""
    folder = Path(shutil.copytree(random_llama, tmp_path / "large"))
    shape = [250_000, 1_000_000]
    size = 8 * shape[0] * shape[1]
    entry = {"dtype": "F64", "shape": shape, "data_offsets": [0, size]}
    header = json.dumps({"model.layers.0.mlp.up_proj.weight": entry}).encode()
    with (folder / "model.safetensors").open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        file.truncate(8 + len(header) + size)
    return folder


def test_a_hopeless_model_is_refused_at_once_without_torch(large_model):
    code = """
import sys
from dsengine.errors import DeviceError
from dsengine.fitting import refuse_hopeless
from dsengine.runners import Wanted
try:
    refuse_hopeless(sys.argv[1], Wanted(device="cpu"))
except DeviceError as error:
    print(error, "torch" in sys.modules)
"""
    started = time.monotonic()
    command = [sys.executable, "-c", code, str(large_model)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert time.monotonic() - started < 1
    assert "GB free; would fit: a model of at most" in said
    assert said.endswith("False\n")


def test_the_engine_refuses_what_does_not_fit(large_model):
    with pytest.raises(DeviceError, match=r"model needs 1\d\d\d\.\d GB .*would fit"):
        Engine(large_model, device="cpu")


def test_what_is_wrong_with_a_model_is_left_to_who_loads_it(tmp_path):
    refuse_hopeless(tmp_path / "none", Wanted(device="cpu"))
