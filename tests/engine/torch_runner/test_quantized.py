"""Weights of 8 and 4 bits: what is kept of each number, and of what a model has learned."""

import pytest
import torch
from transformers import AutoModelForCausalLM

from dsengine.checkpoint import open_checkpoint
from dsengine.memory import GROUP, Demand, Numbers, plan_memory
from dsengine.torch_runner import quantized
from dsengine.torch_runner.network import Network
from dsengine.torch_runner.quantized import QuantizedWeight, dequantize, quantize

CPU = torch.device("cpu")
BITS = (8, 4)


def some_numbers(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(("bits", "steps"), [(8, 127), (4, 8)])
@pytest.mark.parametrize("size", [1e-4, 1.0, 1e4])
def test_a_number_moves_by_half_a_step_at_most(bits, steps, size):
    """The last step of the other sign has no number of its own at 4 bits: there by a whole one."""
    full = some_numbers(40, 4 * GROUP) * size
    kept = dequantize(*quantize(full, bits), bits, torch.float32)
    groups = full.unflatten(-1, (-1, GROUP if bits == 4 else full.shape[-1]))
    step = groups.abs().amax(-1, keepdim=True) / steps
    moved = (kept - full).abs().unflatten(-1, groups.shape[-2:])
    most = torch.where(groups.abs() > (steps - 1.5) * step, 1.02, 0.51)
    assert (moved <= most * step).all()


@pytest.mark.parametrize("bits", BITS)
def test_zeros_stay_zeros(bits):
    full = torch.zeros(3, GROUP)
    assert torch.equal(dequantize(*quantize(full, bits), bits, torch.float32), full)


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("block", [GROUP, 7 * 2 * GROUP, 1 << 22])
def test_a_product_in_blocks_is_that_with_the_full_matrix(monkeypatch, bits, block):
    monkeypatch.setattr(quantized, "_BLOCK_NUMBERS", block)
    stack = QuantizedWeight(bits, (3, 37, 2 * GROUP), CPU)
    for place in range(3):
        stack.fill(some_numbers(20, 2 * GROUP, seed=place), 0, place)
        stack.fill(some_numbers(17, 2 * GROUP, seed=9 + place), 20, place)
    states = some_numbers(5, 2 * GROUP, seed=5)
    for place in range(3):
        expected = states @ stack.full(torch.float32, place).t()
        torch.testing.assert_close(stack.product(states, place), expected)


@pytest.mark.parametrize("weights", ["int8", "int4"])
def test_the_plan_knows_the_bytes_of_quantised_weights(random_model, weights):
    checkpoint = open_checkpoint(random_model)
    network = Network(checkpoint, CPU, torch.bfloat16, weights)
    held = [*network.module.parameters(), *network.module.buffers()]
    planned = plan_memory(checkpoint, Numbers(weights, 2), Demand(1, 64, 64, "cpu")).weight_bytes
    positions = sum(one.nbytes for one in network.module.model.rotary_emb.buffers())
    routers = 4 * 2  # bytes more than planned: corrections of DeepSeek V3 stay in float32
    assert 0 <= sum(one.nbytes for one in held) - positions - planned <= routers


@pytest.mark.parametrize("weights", ["int8", "int4"])
def test_trained_models_keep_their_answers(trained, prompts, answers, schema, weights):
    """int4 forgets some of what so small a model knows by heart."""
    engine = trained.engine(weights=weights)
    assert engine.dtype == f"{weights}, float32"
    found = [done.text for done in engine.generate(prompts, max_new_tokens=200, grammar=schema)]
    equal = sum(one == other for one, other in zip(found, answers, strict=True))
    assert equal >= (len(answers) if weights == "int8" else len(answers) - 2)


def test_identity_tells_weights_apart(random_llama):
    from dsengine import Engine

    kinds = ("full", "int8", "int4")
    assert len({Engine(random_llama, device="cpu", weights=kind).identity for kind in kinds}) == 3


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_what_is_loaded_is_what_transformers_loads(random_model, dtype):
    plain = AutoModelForCausalLM.from_pretrained(random_model, local_files_only=True, dtype=dtype)
    network = Network(open_checkpoint(random_model), CPU, dtype)
    loaded = dict(network.module.named_parameters())
    for name, weight in plain.named_parameters():
        assert name not in loaded or torch.equal(loaded[name], weight), name
    with torch.inference_mode():
        hidden = network.module.get_output_embeddings()(torch.ones(1, 96, dtype=dtype))
        expected = plain.get_output_embeddings()(torch.ones(1, 96, dtype=dtype))
    torch.testing.assert_close(hidden, expected)
    assert all(
        torch.equal(one, other)
        for one, other in zip(network.module.buffers(), plain.buffers(), strict=True)
    )
