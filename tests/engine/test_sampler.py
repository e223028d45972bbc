import math

import pytest
import torch

from dsengine.sampler import NOT_A_NUMBER, Masks, num_words, pack, rank, sample


def test_never_draws_a_forbidden_token():
    randomness = torch.Generator().manual_seed(0)
    logits = torch.randn(64, 50, generator=randomness)
    allowed = torch.rand(64, 50, generator=randomness) < 0.1
    allowed[:, 7] = True
    for uniform in [0.0, 0.3, 0.7, 1 - 2**-24]:
        tokens = sample(logits, allowed, torch.ones(64), torch.full((64,), uniform))
        assert allowed.gather(1, tokens[:, None]).all()


@pytest.mark.parametrize(
    ("allowed", "expected"),
    [([True, True, True], 0), ([False, True, True], 1), ([False, False, True], 2)],
)
def test_zero_temperature_takes_the_most_likely_allowed_token(allowed, expected):
    logits = torch.tensor([[5.0, 4.0, 3.0]])
    drawn = sample(logits, torch.tensor([allowed]), torch.zeros(1), torch.tensor([0.9]))
    assert drawn.item() == expected


def test_draws_as_often_as_the_probabilities_say():
    logits = torch.tensor([[1.0, 0.0, 2.0, -1.0, 5.0]])
    allowed = torch.tensor([[True, True, True, True, False]])
    expected = torch.softmax(logits[0, :4] / 0.7, dim=-1)
    uniform = (torch.arange(20_000) + 0.5) / 20_000
    rows = (20_000, -1)
    tokens = sample(logits.expand(rows), allowed.expand(rows), torch.full((20_000,), 0.7), uniform)
    frequencies = torch.bincount(tokens, minlength=5)[:4] / 20_000
    torch.testing.assert_close(frequencies, expected, atol=2e-4, rtol=0)


def test_a_row_draws_alike_in_any_company():
    randomness = torch.Generator().manual_seed(1)
    logits = torch.randn(5, 30, generator=randomness)
    allowed = torch.ones(5, 30, dtype=torch.bool)
    temperature = torch.tensor([0.0, 0.5, 1.0, 2.0, 0.0])
    uniform = torch.rand(5, generator=randomness)
    together = sample(logits, allowed, temperature, uniform)
    alone = [
        sample(logits[[row]], allowed[[row]], temperature[[row]], uniform[[row]])
        for row in range(5)
    ]
    assert together.tolist() == torch.cat(alone).tolist()


def test_a_row_without_numbers_is_told_apart():
    logits = torch.tensor([[0.0, 1.0, 0.5], [0.0, torch.nan, 0.5]])
    allowed = torch.ones(2, 3, dtype=torch.bool)
    tokens = sample(logits, allowed, torch.zeros(2), torch.zeros(2))
    assert tokens.tolist() == [1, NOT_A_NUMBER]


@pytest.mark.parametrize("vocab_size", [1, 31, 32, 33, 90, 1_000])
def test_masks_are_packed_and_unpacked_in_one_go(vocab_size):
    allowed = torch.rand(5, vocab_size) < 0.4
    masks = Masks(torch.device("cpu"), vocab_size)
    packed = masks.packed(5)
    assert packed.shape == (5, num_words(vocab_size))
    for row, mask in enumerate(allowed):
        packed[row] = pack(mask)
    assert torch.equal(masks.unpacked(5), allowed)


def test_a_rank_holds_the_probabilities_of_what_is_allowed():
    logits = torch.tensor([[1.0, 0.0, 2.0, -1.0, 5.0], [0.0, 1.0, 2.0, 3.0, 4.0]])
    allowed = torch.tensor([[True, True, True, True, False], [False, True, False, False, True]])
    first, second = rank(logits, allowed, torch.tensor([0, 4]), 3).ranks()
    probs = torch.softmax(logits[0, :4], dim=-1)
    assert [id_ for id_, _ in first.top] == [2, 0, 1]
    held = torch.tensor([math.exp(logprob) for _, logprob in first.top])
    torch.testing.assert_close(held, probs[[2, 0, 1]])
    assert math.exp(first.logprob) == pytest.approx(float(probs[0]), abs=1e-6)
    assert [id_ for id_, _ in second.top] == [4, 1]
    assert sum(math.exp(logprob) for _, logprob in second.top) == pytest.approx(1.0, abs=1e-6)


def test_the_rank_of_a_row_without_numbers_harms_no_other():
    logits = torch.tensor([[0.0, torch.nan], [0.0, 0.0]])
    tokens = torch.tensor([NOT_A_NUMBER, 1])
    ranks = rank(logits, torch.ones(1, 2, dtype=torch.bool), tokens, 1).ranks()
    assert ranks[1].logprob == pytest.approx(math.log(0.5))
