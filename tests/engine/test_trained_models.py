"""Models that were taught an answer for each prompt give it, to the letter.

Any fault of the cache, the mask, the positions, the template or the batch makes another
answer; the last tests break them on purpose to show it.
"""

import time

import pytest
import torch

from dsengine import StopReason
from dsengine.errors import DeviceError
from dsengine.torch_runner.cache import Prefix


def texts(completions):
    return [completion.text for completion in completions]


@pytest.mark.parametrize("batch_size", [1, 3, 8])
def test_each_prompt_gets_its_answer_in_any_batch(trained, prompts, answers, schema, batch_size):
    engine = trained.engine(batch_size=batch_size)
    completions = engine.generate(prompts, max_new_tokens=200, grammar=schema)
    assert texts(completions) == answers
    assert {completion.stop for completion in completions} == {StopReason.END}


def test_each_prompt_gets_its_answer_without_a_grammar(trained, prompts, answers):
    assert texts(trained.engine().generate(prompts, max_new_tokens=200)) == answers


def test_each_prompt_gets_its_answer_when_asked_alone(trained, prompts, answers, schema):
    engine = trained.engine()
    for prompt, answer in zip(prompts, answers, strict=True):
        assert texts(engine.generate([prompt], max_new_tokens=200, grammar=schema)) == [answer]


def test_the_common_beginning_is_computed_once(trained, prompts, schema):
    engine = trained.engine()
    first = engine.generate(prompts, max_new_tokens=200, grammar=schema)
    again = engine.generate(prompts[2:3], max_new_tokens=200, grammar=schema)
    shared = {completion.cached_prefix_tokens for completion in first[1:]}
    assert first[0].cached_prefix_tokens == 0
    assert len(shared) == 1
    assert shared.pop() > engine.count_tokens(prompts[0][:1]) - 10
    assert again[0].cached_prefix_tokens == first[1].cached_prefix_tokens
    assert again[0].text == first[2].text


def test_counts_are_those_of_the_prompts_and_answers(trained_llama, prompts, schema):
    engine = trained_llama.engine()
    completions = engine.generate(prompts, max_new_tokens=200, grammar=schema)
    assert [c.prompt_tokens for c in completions] == [engine.count_tokens(p) for p in prompts]
    assert [c.completion_tokens for c in completions] == [len(c.token_ids) for c in completions]
    assert engine.stats.prompts == len(prompts)
    assert engine.stats.completion_tokens == sum(c.completion_tokens for c in completions)
    assert engine.stats.prefill_s > 0 < engine.stats.decode_s


def test_progress_counts_up_to_all(trained_llama, prompts):
    seen = []
    trained_llama.engine(batch_size=2).generate(
        prompts, max_new_tokens=200, on_progress=lambda done, total: seen.append((done, total))
    )
    assert seen[0] == (0, len(prompts))
    assert seen[-1] == (len(prompts), len(prompts))
    assert seen == sorted(seen)


def test_a_cut_answer_says_so(trained_llama, prompts, answers):
    completions = trained_llama.engine().generate(prompts[2:3], max_new_tokens=5)
    assert completions[0].stop is StopReason.LENGTH
    assert len(completions[0].token_ids) == 5
    assert answers[2].startswith(completions[0].text)


def test_time_that_is_over_ends_every_answer(trained_llama, prompts):
    completions = trained_llama.engine().generate(prompts, max_new_tokens=200, deadline_s=0.0)
    assert {completion.stop for completion in completions} == {StopReason.DEADLINE}
    assert texts(completions) == [""] * len(prompts)


def test_time_may_run_out_in_the_middle(trained_llama, prompts, answers):
    engine = trained_llama.engine()
    engine.generate(prompts[:1], max_new_tokens=1)
    steps = []

    def pause(module, arguments):
        steps.append(1)
        if len(steps) == 4:
            time.sleep(3)

    engine._scheduler._runner._network.module.register_forward_pre_hook(pause)
    completion = engine.generate(prompts[2:3], max_new_tokens=200, deadline_s=3)[0]
    assert completion.stop is StopReason.DEADLINE
    assert 0 < len(completion.token_ids) < len(answers[2])
    assert answers[2].startswith(completion.text)


def test_a_batch_without_memory_is_halved(trained, prompts, answers, schema):
    engine = trained.engine()

    def refuse_large_batches(module, arguments, options):
        if options["input_ids"].shape[0] > 2:
            raise torch.OutOfMemoryError("out of memory")

    engine._scheduler._runner._network.module.register_forward_pre_hook(
        refuse_large_batches, with_kwargs=True
    )
    completions = engine.generate(prompts, max_new_tokens=200, grammar=schema)
    assert texts(completions) == answers
    assert engine.stats.batches_halved > 0


def test_a_device_too_small_for_one_prompt_says_so(trained_llama, prompts):
    engine = trained_llama.engine()

    def refuse(module, arguments):
        raise RuntimeError("MPS backend out of memory")

    engine._scheduler._runner._network.module.register_forward_pre_hook(refuse)
    for some in (prompts, prompts[:1]):
        with pytest.raises(DeviceError, match=r"cpu has no memory for a prompt of \d+ tokens"):
            engine.generate(some, max_new_tokens=5)


def test_the_beginning_counts_too(trained, prompts, answers, mild_prompts, mild_answers, schema):
    engine = trained.engine()
    for _ in range(2):
        assert texts(engine.generate(prompts, max_new_tokens=200, grammar=schema)) == answers
        mild = engine.generate(mild_prompts, max_new_tokens=200, grammar=schema)
        assert texts(mild) == mild_answers


def test_the_cache_of_another_prefix_changes_answers(
    trained, prompts, answers, mild_prompts, schema
):
    engine = trained.engine()
    store = engine._scheduler._prefixes
    engine.generate(prompts, max_new_tokens=1)
    engine.generate(mild_prompts, max_new_tokens=1)
    right, wrong = store._kept
    length = min(len(right.ids), len(wrong.ids))
    store._kept = [Prefix(right.ids[:length], wrong.cut(length).layers)]
    assert texts(engine.generate(prompts, max_new_tokens=200, grammar=schema)) != answers


def test_lost_positions_change_answers(trained, prompts, answers, schema):
    engine = trained.engine()

    def lose(module, arguments, options):
        options["position_ids"] = torch.zeros_like(options["position_ids"])
        return arguments, options

    module = engine._scheduler._runner._network.module
    module.register_forward_pre_hook(lose, with_kwargs=True)
    assert texts(engine.generate(prompts, max_new_tokens=200, grammar=schema)) != answers
