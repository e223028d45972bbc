"""Batched passes with a shared prefix give the logits of one plain pass per prompt."""

import random

import pytest
import torch

from dsengine.cache import EMPTY_PREFIX
from dsengine.checkpoint import open_checkpoint
from dsengine.network import Network
from dsengine.runner import Runner

SHARED = 37
TOLERANCE = 2e-4


@pytest.fixture(scope="module")
def network(random_model):
    return Network(open_checkpoint(random_model), torch.device("cpu"), torch.float32)


def never():
    return False


def some_prompts(network, lengths, seed):
    source = random.Random(seed)
    shared = [source.randrange(network.vocab_size) for _ in range(SHARED)]
    return [[*shared, *source.choices(range(network.vocab_size), k=k)] for k in lengths]


@torch.inference_mode()
def plain_logits(network, ids):
    return network.module(input_ids=torch.tensor([ids]), use_cache=False).logits[0, -1]


def assert_same(network, logits, sequences):
    plain = torch.stack([plain_logits(network, ids) for ids in sequences])
    torch.testing.assert_close(logits, plain, atol=TOLERANCE, rtol=TOLERANCE)


@pytest.mark.parametrize("num_shared", [0, 1, SHARED])
def test_a_ragged_batch_equals_plain_passes(network, num_shared):
    runner = Runner(network)
    sequences = some_prompts(network, [1, 70, 5, 22], seed=1)
    prefix = EMPTY_PREFIX
    if num_shared:
        prefix = runner.compute_prefix(sequences[0][:num_shared], EMPTY_PREFIX, never)
    batch = runner.start(prefix, 4)
    logits = runner.prefill(batch, [ids[num_shared:] for ids in sequences], never)
    assert_same(network, logits, sequences)
    for step in range(3):
        tokens = [7 + step, 8, 9, 10]
        sequences = [[*ids, token] for ids, token in zip(sequences, tokens, strict=True)]
        assert_same(network, runner.step(batch, tokens), sequences)


def test_rows_that_stay_are_not_changed_by_those_that_leave(network):
    runner = Runner(network)
    sequences = some_prompts(network, [3, 40, 12, 6], seed=2)
    prefix = runner.compute_prefix(sequences[0][:SHARED], EMPTY_PREFIX, never)
    batch = runner.start(prefix, 4)
    runner.prefill(batch, [ids[SHARED:] for ids in sequences], never)
    batch.keep([0, 3])
    rest = [[*sequences[0], 5], [*sequences[3], 6]]
    assert_same(network, runner.step(batch, [5, 6]), rest)
    batch.keep([1])
    assert_same(network, runner.step(batch, [4]), [[*rest[1], 4]])


def test_a_prefix_may_be_extended_and_cut(network):
    runner = Runner(network)
    sequence = some_prompts(network, [60], seed=3)[0]
    long = runner.compute_prefix(sequence[:80], EMPTY_PREFIX, never)
    extended = runner.compute_prefix(sequence[:60], long.cut(20), never)
    batch = runner.start(extended, 1)
    assert_same(network, runner.prefill(batch, [sequence[60:]], never), [sequence])
    assert long.ids == tuple(sequence[:80])


def test_long_prompts_pass_in_parts(network):
    runner = Runner(network)
    sequences = some_prompts(network, [700, 3, 520], seed=4)
    batch = runner.start(EMPTY_PREFIX, 3)
    assert_same(network, runner.prefill(batch, sequences, never), sequences)


def test_a_pass_stops_when_time_is_over(network):
    runner = Runner(network)
    answers = iter([False, True])
    batch = runner.start(EMPTY_PREFIX, 1)
    assert (
        runner.prefill(batch, some_prompts(network, [900], seed=5), lambda: next(answers)) is None
    )
    assert next(answers, "asked twice") == "asked twice"


def shift_positions(options):
    held = options["past_key_values"].get_seq_length()
    return {**options, "position_ids": options["position_ids"] + (1 if held else 0)}


def show_padding(options):
    return {**options, "attention_mask": torch.zeros_like(options["attention_mask"])}


def swap_rows_of_the_cache(options):
    for layer in options["past_key_values"].layers:
        layer.keys.copy_(layer.keys.flip(0).clone())
    return options


@pytest.mark.parametrize("fault", [shift_positions, show_padding, swap_rows_of_the_cache])
def test_the_comparison_notices_a_fault(network, fault):
    runner = Runner(network)
    sequences = some_prompts(network, [1, 70, 5, 22], seed=1)
    prefix = runner.compute_prefix(sequences[0][:SHARED], EMPTY_PREFIX, never)
    batch = runner.start(prefix, 4)
    hook = network.module.register_forward_pre_hook(
        lambda module, arguments, options: (arguments, fault(options)), with_kwargs=True
    )
    runner.prefill(batch, [ids[SHARED:] for ids in sequences], never)
    logits = runner.step(batch, [7, 8, 9, 10])
    hook.remove()
    plain = [plain_logits(network, [*ids, 7 + row]) for row, ids in enumerate(sequences)]
    assert (logits - torch.stack(plain)).abs().max() > 10 * TOLERANCE
