"""What only MLX has: its own quantised folders, other configurations, and what it refuses."""

import json
import shutil

import pytest

mx = pytest.importorskip("mlx.core", reason="needs the extra mlx")
pytest.importorskip("mlx_lm", reason="needs the extra mlx")

import torch  # noqa: E402
from mlx.utils import tree_flatten  # noqa: E402

from dsengine import Engine, Message, Piece  # noqa: E402
from dsengine.checkpoint import open_checkpoint  # noqa: E402
from dsengine.errors import DeviceError, UnsupportedModelError  # noqa: E402
from dsengine.memory import Demand, Numbers, plan_memory  # noqa: E402
from dsengine.mlx_runner.network import Network  # noqa: E402
from dsengine.mlx_runner.opening import computes_right  # noqa: E402
from dsengine.runners import Wanted, open_runner  # noqa: E402
from dsengine.testing import write_model  # noqa: E402

HELLO = [Message("user", (Piece("return values"),))]


def edit_json(path, **changes):
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


@pytest.fixture
def folder(random_llama, tmp_path):
    return shutil.copytree(random_llama, tmp_path / "model")


def num_bytes(network):
    return sum(value.nbytes for _, value in tree_flatten(network.module.parameters()))


def logits(model, ids, runner="mlx", dtype="float32", weights="full"):
    opened = open_runner(open_checkpoint(model), Wanted(runner, "cpu", dtype, weights=weights))
    batch = opened.start(opened.empty_prefix, 1, len(ids))
    entry = opened.enter(batch, [ids])
    while (answer := opened.advance(batch, entry)) is None:
        pass
    return answer


def quantise(folder, bits, group=32):
    """As `mlx_lm.convert` writes a folder: products and embeddings packed."""
    weights = mx.load(str(folder / "model.safetensors"))
    for name in [name for name, value in weights.items() if value.ndim == 2]:
        packed, scales, biases = mx.quantize(weights.pop(name), group_size=group, bits=bits)
        stem = name.removesuffix(".weight")
        weights |= {name: packed, f"{stem}.scales": scales, f"{stem}.biases": biases}
    mx.save_safetensors(str(folder / "model.safetensors"), weights, {"format": "mlx"})
    packing = {"group_size": group, "bits": bits, "mode": "affine"}
    edit_json(folder / "config.json", quantization=packing, quantization_config=packing)


@pytest.mark.parametrize(("bits", "most"), [(8, 0.02), (4, 0.4)])
def test_a_folder_quantised_for_mlx_is_run_by_mlx_alone(folder, random_llama, bits, most):
    quantise(folder, bits)
    ids = list(range(5, 60))
    difference = (logits(folder, ids) - logits(random_llama, ids)).abs().max()
    assert 0 < difference < most
    engine = Engine(folder, device="cpu")
    assert engine.dtype == f"int{bits}"
    assert engine.generate([HELLO], max_new_tokens=3)[0].completion_tokens == 3
    with pytest.raises(UnsupportedModelError, match="mlx alone runs it"):
        Engine(folder, device="cpu", runner="torch")


@pytest.mark.parametrize("architecture", ["llama", "deepseek_v2", "deepseek_v3"])
@pytest.mark.parametrize(("weights", "most"), [("int8", 0.03), ("int4", 0.4)])
def test_products_are_kept_in_fewer_bits_experts_included(tmp_path, architecture, weights, most):
    changes = {"hidden_size": 128, "intermediate_size": 128}
    if "deepseek" in architecture:
        changes |= {"moe_intermediate_size": 128, "q_lora_rank": 64, "v_head_dim": 32}
    folder = write_model(tmp_path / "model", architecture, ["a few words of code"], changes=changes)
    checkpoint = open_checkpoint(folder)
    ids = list(range(5, 60))
    full = Network(checkpoint, "bfloat16")
    packed = Network(checkpoint, "bfloat16", weights)
    assert packed.dtype_name == weights
    planned = plan_memory(checkpoint, Numbers(weights, 2), Demand(1, 1, 1, "cpu")).weight_bytes
    assert num_bytes(packed) < 0.8 * num_bytes(full)
    assert num_bytes(packed) == pytest.approx(planned, rel=0.1)
    whole = logits(folder, ids)
    error = (logits(folder, ids, weights=weights) - whole).norm() / whole.norm()
    assert 0 < error < most


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ["llama", "qwen2", "deepseek_v3"])
@pytest.mark.parametrize(("weights", "least"), [("int8", 5), ("int4", 4)])
def test_trained_models_answer_the_same_in_fewer_bits(
    train, prompts, answers, schema, architecture, weights, least
):
    engine = train(architecture).engine(runner="mlx", weights=weights)
    completions = engine.generate(prompts, max_new_tokens=200, grammar=schema)
    right = [done.text == answer for done, answer in zip(completions, answers, strict=True)]
    print(architecture, weights, f"{sum(right)} of {len(right)} answers are the same")
    assert sum(right) >= least


@pytest.mark.parametrize("architecture", ["qwen3", "deepseek_v2"])
def test_further_architectures_compute_what_torch_computes(architecture, tmp_path):
    folder = write_model(tmp_path / "model", architecture, ["a few words of code"])
    ids = list(range(3, 70))
    torch.testing.assert_close(
        logits(folder, ids), logits(folder, ids, "torch"), atol=2e-4, rtol=2e-4
    )


@pytest.mark.parametrize(
    "scaling",
    [
        {"rope_type": "linear", "factor": 4.0},
        {
            "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
            "original_max_position_embeddings": 64,
        },
        {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64},
    ],
    ids=lambda scaling: scaling["rope_type"],
)  # fmt: skip
def test_stretched_positions_are_those_of_torch(folder, scaling):
    edit_json(
        folder / "config.json", rope_parameters=None, rope_theta=10_000.0, rope_scaling=scaling
    )
    ids = list(range(3, 100))
    torch.testing.assert_close(
        logits(folder, ids), logits(folder, ids, "torch"), atol=5e-4, rtol=5e-4
    )


def test_half_the_bits_are_close(folder):
    ids = list(range(5, 60))
    assert (logits(folder, ids, dtype="bfloat16") - logits(folder, ids)).abs().max() < 0.1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"rope_scaling": {"rope_type": "dynamic", "factor": 2.0}, "rope_parameters": None},
            "rope",
        ),
        ({"model_type": "gpt2"}, "model type 'gpt2'"),
        ({"hidden_size": "96"}, "mlx cannot load it"),
        ({"num_hidden_layers": 3}, "mlx cannot load it"),
        ({"intermediate_size": 100}, "mlx cannot load it"),
        ({"max_position_embeddings": 10}, "window of 10"),
        ({"model_file": "evil.py", "num_hidden_layers": 3}, "mlx cannot load it"),
    ],
)
def test_what_it_cannot_run_is_refused_in_one_line(folder, tmp_path, changes, words):
    (folder / "evil.py").write_text(f"open({str(tmp_path / 'executed')!r}, 'w')\n")
    edit_json(folder / "config.json", **changes)
    with pytest.raises(UnsupportedModelError, match=words) as caught:
        Engine(folder, device="cpu", runner="mlx")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize(
    "wanted",
    [Wanted("mlx", "cuda"), Wanted("mlx", "cpu", "int3"), Wanted("mlx", "cpu", weights="int2")],
)
def test_what_it_does_not_have_is_refused(random_llama, wanted):
    with pytest.raises(DeviceError):
        open_runner(open_checkpoint(random_llama), wanted)


def test_a_model_without_room_is_refused_before_it_is_read(folder):
    with (folder / "model.safetensors").open("r+b") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
    last = max(
        (entry for name, entry in header.items() if name != "__metadata__"),
        key=lambda one: one["data_offsets"][1],
    )
    numbers = 1 << 42
    start = last["data_offsets"][1]
    header["huge"] = {"dtype": "U8", "shape": [numbers], "data_offsets": [start, start + numbers]}
    content = json.dumps(header).encode()
    sparse = folder / "model.safetensors"
    sparse.write_bytes(len(content).to_bytes(8, "little") + content)
    with sparse.open("r+b") as file:
        file.truncate(8 + len(content) + start + numbers)  # a hole: no disk is used
    with pytest.raises(DeviceError, match="GB free"):
        Engine(folder, device="cpu", runner="mlx")


@pytest.mark.skipif(not mx.metal.is_available(), reason="needs a GPU of Apple's")
def test_the_gpu_computes_what_the_cpu_computes():
    assert computes_right()
