"""Batched passes with a shared prefix give the logits of one plain pass per prompt."""

import random

import pytest
import torch
from transformers import AutoModelForCausalLM

from dsengine.checkpoint import open_checkpoint
from dsengine.torch_runner.cache import EMPTY_PREFIX
from dsengine.torch_runner.network import Network
from dsengine.torch_runner.runner import TorchRunner

SHARED = 37
TOLERANCE = 2e-4


def load(random_model):
    """The network, and the same weights as transformers runs them."""
    network = Network(open_checkpoint(random_model), torch.device("cpu"), torch.float32)
    network.plain = AutoModelForCausalLM.from_pretrained(random_model, attn_implementation="sdpa")
    return network


@pytest.fixture(scope="module")
def network(random_model):
    return load(random_model)


def never():
    return False


def some_prompts(network, lengths, seed):
    source = random.Random(seed)
    shared = [source.randrange(network.vocab_size) for _ in range(SHARED)]
    return [[*shared, *source.choices(range(network.vocab_size), k=k)] for k in lengths]


@torch.inference_mode()
def plain_logits(network, ids):
    return network.plain(input_ids=torch.tensor([ids]), use_cache=False).logits[0, -1]


def assert_same(network, logits, sequences):
    plain = torch.stack([plain_logits(network, ids) for ids in sequences])
    torch.testing.assert_close(logits, plain, atol=TOLERANCE, rtol=TOLERANCE)


def start(network, sequences, num_shared, num_rows=None):
    """A batch behind the first tokens of the sequences; nobody is in it."""
    runner = TorchRunner(network)
    prefix = EMPTY_PREFIX
    if num_shared:
        prefix = runner.compute_prefix(sequences[0][:num_shared], EMPTY_PREFIX, never)
    longest = max(len(ids) for ids in sequences) - num_shared
    return runner, runner.start(prefix, num_rows or len(sequences), longest + 20)


def enter(runner, batch, sequences):
    entry = runner.enter(batch, [ids[len(batch.cache.prefix.ids) :] for ids in sequences])
    while (logits := runner.advance(batch, entry)) is None:
        pass
    return logits


def step(runner, batch, tokens):
    return runner.step(batch, torch.tensor(tokens))


@pytest.mark.parametrize("num_shared", [0, 1, SHARED])
def test_a_ragged_batch_equals_plain_passes(network, num_shared):
    sequences = some_prompts(network, [1, 70, 5, 22], seed=1)
    runner, batch = start(network, sequences, num_shared)
    assert_same(network, enter(runner, batch, sequences), sequences)
    for number in range(3):
        tokens = [7 + number, 8, 9, 10]
        sequences = [[*ids, token] for ids, token in zip(sequences, tokens, strict=True)]
        assert_same(network, step(runner, batch, tokens), sequences)


def test_rows_come_and_go_without_changing_others(network):
    """A walk at random: rows enter, step and leave in any order."""
    source = random.Random(7)
    waiting = some_prompts(network, [source.randrange(1, 150) for _ in range(14)], seed=2)
    runner, batch = start(network, waiting, SHARED, num_rows=4)
    running = []
    while waiting or running:
        if waiting and batch.room and source.random() < 0.5:
            count = min(source.randint(1, batch.room), len(waiting))
            entering = [waiting.pop() for _ in range(count)]
            assert_same(network, enter(runner, batch, entering), entering)
            running += entering
        if running:
            tokens = source.choices(range(network.vocab_size), k=len(running))
            running = [[*ids, token] for ids, token in zip(running, tokens, strict=True)]
            assert_same(network, step(runner, batch, tokens), running)
        if running and source.random() < 0.3:
            place = source.randrange(len(running))
            last = batch.leave(place)
            running[place] = running[last]
            running.pop()


def test_rows_that_run_are_not_changed_by_one_that_enters_slowly(network):
    sequences = some_prompts(network, [3, 40, 700], seed=9)
    runner, batch = start(network, sequences, SHARED, num_rows=3)
    running = sequences[:2]
    enter(runner, batch, running)
    entry = runner.enter(batch, [sequences[2][SHARED:]])
    num_passes = 0
    while (logits := runner.advance(batch, entry)) is None:
        num_passes += 1
        running = [[*ids, 5 + num_passes] for ids in running]
        assert_same(network, step(runner, batch, [5 + num_passes] * len(running)), running)
        if num_passes == 1:
            batch.leave(0)
            running = running[1:]
    assert num_passes
    assert_same(network, logits, [sequences[2]])
    running = [[*ids, 3] for ids in (*running, sequences[2])]
    assert_same(network, step(runner, batch, [3, 3]), running)


def test_a_prefix_may_be_extended_and_cut(network):
    runner = TorchRunner(network)
    sequence = some_prompts(network, [60], seed=3)[0]
    long = runner.compute_prefix(sequence[:80], EMPTY_PREFIX, never)
    extended = runner.compute_prefix(sequence[:60], long.cut(20), never)
    batch = runner.start(extended, 1, len(sequence))
    assert_same(network, enter(runner, batch, [sequence]), [sequence])
    assert long.ids == tuple(sequence[:80])
    assert long.cut(0) == EMPTY_PREFIX


def test_long_prompts_pass_in_parts(network):
    sequences = some_prompts(network, [700, 3, 520], seed=4)
    runner, batch = start(network, sequences, 0)
    assert_same(network, enter(runner, batch, sequences), sequences)


def test_a_prefix_is_given_up_when_time_is_over(network):
    answers = iter([False, True])
    long = some_prompts(network, [900], seed=5)[0]
    assert TorchRunner(network).compute_prefix(long, EMPTY_PREFIX, lambda: next(answers)) is None
    assert next(answers, "asked twice") == "asked twice"


def test_a_model_whose_attention_is_unknown_gets_copies(random_model):
    """Any architecture that is not listed as one that shares takes this way."""
    network = load(random_model)
    sharing = [start(network, some_prompts(network, [9], seed=6), SHARED)[1].cache.is_shared]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dsengine.torch_runner.network.QUANTIZABLE", frozenset())
        network = load(random_model)
        sequences = some_prompts(network, [1, 70, 5], seed=1)
        runner, batch = start(network, sequences, SHARED)
        assert_same(network, enter(runner, batch, sequences), sequences)
        sequences = [[*ids, 4] for ids in sequences]
        assert_same(network, step(runner, batch, [4, 4, 4]), sequences)
        sharing.append(batch.cache.is_shared)
    assert sharing == [True, False]


def shift_positions(options):
    steps = options["input_ids"].shape[-1] == 1
    return {**options, "position_ids": options["position_ids"] + (1 if steps else 0)}


def show_all_slots(options):
    return {**options, "attention_mask": torch.zeros_like(options["attention_mask"])}


def swap_rows_of_the_cache(options):
    for layer in options["past_key_values"].layers:
        if layer.is_initialized:
            layer.states.keys.copy_(layer.states.keys.flip(0).clone())
            layer.states.values.copy_(layer.states.values.flip(0).clone())
    return options


@pytest.mark.parametrize("fault", [shift_positions, show_all_slots, swap_rows_of_the_cache])
def test_the_comparison_notices_a_fault(network, fault):
    sequences = some_prompts(network, [1, 70, 5, 22], seed=1)
    runner, batch = start(network, sequences, SHARED)
    enter(runner, batch, sequences)
    hook = network.module.register_forward_pre_hook(
        lambda module, arguments, options: (arguments, fault(options)), with_kwargs=True
    )
    logits = step(runner, batch, [7, 8, 9, 10])
    hook.remove()
    plain = [plain_logits(network, [*ids, 7 + row]) for row, ids in enumerate(sequences)]
    assert (logits - torch.stack(plain)).abs().max() > 10 * TOLERANCE


def test_several_tokens_in_one_pass_are_as_one_by_one(network):
    runner = TorchRunner(network)
    prompts, answers = [[5, 6, 7], [9, 8]], [[3, 4, 5], [2]]
    batches = [runner.start(EMPTY_PREFIX, 2, 20) for _ in range(2)]
    for batch in batches:
        runner.advance(batch, runner.enter(batch, prompts))
    together = runner.extend(batches[0], answers)
    first = runner.step(batches[1], torch.tensor([3, 2]))
    torch.testing.assert_close(together[:, 0], first)
    runner.forget(batches[0], 0, 2)
    assert batches[0].num_tokens == batches[1].num_tokens
    torch.testing.assert_close(
        runner.step(batches[0], torch.tensor([4, 9])), runner.step(batches[1], torch.tensor([4, 9]))
    )
