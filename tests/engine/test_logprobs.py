"""What an engine tells of the tokens of its answers."""

import math

import pytest
import torch
from transformers import AutoModelForCausalLM

from dsengine import Message, Piece

NUM_TOP = 4


def test_each_token_of_an_answer_has_its_rank(trained, prompts, answers, schema):
    completions = trained.engine(batch_size=3).generate(
        prompts, max_new_tokens=200, grammar=schema, top_logprobs=NUM_TOP
    )
    assert [completion.text for completion in completions] == answers
    for completion in completions:
        assert "".join(choice.text for choice in completion.tokens) == completion.text
        for choice in completion.tokens:
            likeliest = choice.top[0]
            assert (choice.text, choice.logprob) == (likeliest.text, likeliest.logprob)
            assert math.exp(choice.logprob) > 0.5  # taught by heart
            assert 1 <= len(choice.top) <= NUM_TOP
            assert sum(math.exp(other.logprob) for other in choice.top) < 1 + 1e-4


def test_nothing_is_told_unasked(trained_llama, prompts, schema):
    completions = trained_llama.engine().generate(prompts, max_new_tokens=9, grammar=schema)
    assert {completion.tokens for completion in completions} == {()}


def test_a_rank_is_that_of_a_plain_pass(trained_llama, prompts):
    engine = trained_llama.engine()
    asked = prompts[2]
    completion = engine.generate([asked], max_new_tokens=12, top_logprobs=NUM_TOP)[0]
    module = AutoModelForCausalLM.from_pretrained(trained_llama.folder, local_files_only=True)
    ids = [*engine._tokenizer.encode_prompt(asked), *completion.token_ids]
    with torch.no_grad():
        logits = module(torch.tensor([ids])).logits[0, -1 - len(completion.token_ids) : -1]
    free = torch.zeros(logits.shape[-1], dtype=torch.bool)
    free[[*engine._tokenizer.text_ids, *engine._tokenizer.end_ids]] = True
    held = torch.log_softmax(logits.masked_fill(~free, -torch.inf), dim=-1)
    told = torch.tensor([choice.logprob for choice in completion.tokens])
    own = held.gather(-1, torch.tensor(completion.token_ids)[:, None])[:, 0]
    torch.testing.assert_close(told, own, atol=1e-4, rtol=1e-4)
    for place, choice in enumerate(completion.tokens):
        top = torch.tensor([other.logprob for other in choice.top])
        torch.testing.assert_close(top, held[place].topk(NUM_TOP).values, atol=1e-4, rtol=1e-4)


def test_prompts_of_one_call_may_be_drawn_each_in_its_own_way(random_llama_engine):
    engine, prompt = random_llama_engine
    alone = [
        engine.generate([prompt], max_new_tokens=12, temperature=warmth, seed=seed)[0].text
        for warmth, seed in [(0.0, 0), (1.0, 1), (1.0, 2), (1.0, 1)]
    ]
    together = engine.generate(
        [prompt] * 4, max_new_tokens=12, temperature=[0.0, 1.0, 1.0, 1.0], seed=[0, 1, 2, 1]
    )
    assert [completion.text for completion in together] == alone
    assert len(set(alone)) == 3
    assert alone[1] == alone[3]


def test_prompts_that_are_asked_again_and_again_are_computed_once(trained_llama, prompts, answers):
    engine = trained_llama.engine(batch_size=4)
    asked = [prompt for prompt in prompts for _ in range(3)]
    seen = []
    completions = engine.generate(
        asked, max_new_tokens=200, on_progress=lambda done, every: seen.append((done, every))
    )
    assert [one.text for one in completions] == [answer for answer in answers for _ in range(3)]
    for place in range(0, len(asked), 3):
        for again in completions[place + 1 : place + 3]:
            assert again.cached_prefix_tokens == again.prompt_tokens - 1
    assert (seen[0], seen[-1]) == ((0, len(asked)), (len(asked), len(asked)))
    assert seen == sorted(seen)


@pytest.mark.parametrize(("temperature", "seed"), [([0.0], 0), (0.0, [1, 2, 3])])
def test_as_many_draws_as_prompts(random_llama_engine, temperature, seed):
    engine, prompt = random_llama_engine
    with pytest.raises(ValueError, match="2 prompts"):
        engine.generate([prompt] * 2, max_new_tokens=1, temperature=temperature, seed=seed)


@pytest.fixture(scope="module")
def random_llama_engine(random_llama):
    from dsengine import Engine

    piece = Piece("Review this change:\n", is_trusted=True)
    return Engine(random_llama, device="cpu"), (Message("user", (piece,)),)
