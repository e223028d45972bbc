"""The same models give the same answers on a GPU; skipped where there is none."""

import pytest
import torch

from dsengine import Engine
from dsengine.device import computes_right, free_memory
from dsengine.memory import QUANTIZABLE, WEIGHTS
from dsengine.self_test import self_test

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")


@pytest.mark.parametrize("batch_size", [1, 3, 8])
def test_trained_models_answer_alike(trained, prompts, answers, schema, batch_size):
    engine = trained.engine(device="cuda", dtype="float32", batch_size=batch_size)
    completions = engine.generate(prompts, max_new_tokens=200, grammar=schema)
    assert [completion.text for completion in completions] == answers
    assert engine.device == "cuda"


def test_trained_models_answer_alike_in_bfloat16(trained, prompts, answers, schema):
    engine = trained.engine(device="cuda", dtype="bfloat16")
    completions = engine.generate(prompts, max_new_tokens=200, grammar=schema)
    assert [completion.text for completion in completions] == answers


def test_random_weights_give_the_tokens_of_the_cpu(random_model, prompts):
    tokens = []
    for device in ("cpu", "cuda"):
        engine = Engine(random_model, device=device, dtype="float32", max_thinking_tokens=0)
        completions = engine.generate(prompts, max_new_tokens=24)
        tokens.append([completion.token_ids for completion in completions])
    assert tokens[0] == tokens[1]


def test_auto_takes_cuda_and_it_has_memory():
    assert computes_right("cuda")
    for model_type in QUANTIZABLE:
        assert self_test("cuda", model_type, WEIGHTS) == ""
    assert free_memory("cuda") > 0


@pytest.mark.parametrize("weights", ["int8", "int4"])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_quantised_weights_answer_as_on_the_cpu(trained, prompts, schema, weights, dtype):
    texts = []
    for device, kind in (("cpu", "float32"), ("cuda", dtype)):
        engine = trained.engine(device=device, dtype=kind, weights=weights)
        done = engine.generate(prompts, max_new_tokens=200, grammar=schema)
        texts.append([completion.text for completion in done])
    equal = sum(one == other for one, other in zip(*texts, strict=True))
    assert equal >= (len(prompts) if dtype == "float32" else len(prompts) - 1)
