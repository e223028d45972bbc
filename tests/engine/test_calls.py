"""Threads that ask one engine at the same time share its batch and not each other's fate."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from dsengine import Message, Piece, StopReason
from dsengine.calls import Call, Turns
from dsengine.errors import DeviceError
from dsengine.sequence import Sampling, Sequence

HELLO = [Message("user", (Piece("return total_1 = price"),))]


@pytest.fixture
def engine(trained_llama):
    return trained_llama.engine(batch_size=4)


@pytest.fixture
def ask_each(engine):
    """Each prompt in a thread of its own, all at once: their completions."""

    def ask_each(prompts, **options):
        options = {"max_new_tokens": 200, **options}
        ready = threading.Barrier(len(prompts))

        def ask(prompt):
            ready.wait()
            return engine.generate([prompt], **options)[0]

        with ThreadPoolExecutor(len(prompts)) as threads:
            return list(threads.map(ask, prompts))

    return ask_each


def texts(completions):
    return [completion.text for completion in completions]


def test_each_thread_gets_its_own_answer(
    ask_each, prompts, mild_prompts, answers, mild_answers, schema
):
    mixed = [one for pair in zip(prompts, mild_prompts, strict=True) for one in pair] * 2
    expected = [one for pair in zip(answers, mild_answers, strict=True) for one in pair] * 2
    assert texts(ask_each(mixed, grammar=schema)) == expected


def test_rows_of_several_calls_run_in_one_batch(engine, ask_each, prompts, answers, schema):
    engine.generate(prompts, max_new_tokens=1)  # what they share is known
    alone = []
    for prompt in prompts[2:] * 2:
        before = engine.stats.decode_steps
        engine.generate([prompt], max_new_tokens=200, grammar=schema)
        alone.append(engine.stats.decode_steps - before)
    before = engine.stats.decode_steps
    assert texts(ask_each(prompts[2:] * 2, grammar=schema)) == answers[2:] * 2
    assert engine.stats.decode_steps - before <= sum(alone) * 2 / 3


def test_lone_prompts_find_what_they_share(engine, prompts, answers, schema):
    found = [engine.generate([one], max_new_tokens=200, grammar=schema)[0] for one in prompts[:4]]
    assert texts(found) == answers[:4]
    assert found[0].cached_prefix_tokens == 0
    shared = [one.cached_prefix_tokens for one in found[2:]]
    assert min(shared) > 150, shared


def test_another_prefix_is_not_overtaken_for_ever(engine, prompts, answers, schema):
    """A thread that never stops asking, and one whose prompt cannot enter that batch."""
    engine.generate(prompts, max_new_tokens=1)
    is_over = threading.Event()

    def ask_on_and_on():
        while not is_over.is_set():
            engine.generate(prompts[2:4], max_new_tokens=200, grammar=schema)

    with ThreadPoolExecutor(3) as threads:
        busy = [threads.submit(ask_on_and_on) for _ in range(2)]
        other = threads.submit(engine.generate, [HELLO], max_new_tokens=3)
        try:
            assert len(other.result(timeout=60)[0].token_ids) <= 3
        finally:
            is_over.set()
        for one in busy:
            one.result(timeout=60)


def test_what_a_callback_raises_ends_its_own_call_alone(engine, prompts, answers, schema):
    def fail(index, completion):
        raise LookupError("of this caller")

    ready = threading.Barrier(2)

    def ask(on_completion):
        ready.wait()
        return engine.generate(
            prompts, max_new_tokens=200, grammar=schema, on_completion=on_completion
        )

    with ThreadPoolExecutor(2) as threads:
        failing, good = threads.submit(ask, fail), threads.submit(ask, None)
        with pytest.raises(LookupError, match="of this caller"):
            failing.result(timeout=60)
        assert texts(good.result(timeout=60)) == answers
    assert texts(engine.generate(prompts, max_new_tokens=200, grammar=schema)) == answers


def test_a_call_ends_when_its_caller_has_heard_of_all_answers(engine):
    """Whoever works for all may have made an answer, and not told it yet, when others wake."""
    heard = []
    turns = Turns()
    row, other = (
        Sequence([1, 2], Sampling(3, 0, 0.0, 0), engine._vocabulary, None) for _ in range(2)
    )
    assert turns.lead(Call([other], lambda *_: None)), "this thread works for all"
    call = Call([row], lambda num_done, _: heard.append(num_done))
    with ThreadPoolExecutor(1) as threads:
        leads = threads.submit(turns.lead, call)
        while not (submitted := turns.take()) or call not in submitted:
            time.sleep(0.001)
        row.stop = StopReason.END
        turns.wake()
        with pytest.raises(TimeoutError):
            leads.result(timeout=0.2)
        call.tell()
        turns.wake()
        assert leads.result(timeout=20) is False
    assert heard == [1]


def test_an_interrupt_of_the_thread_that_works_loses_no_other_answer(
    engine, prompts, answers, schema
):
    passes = []

    def interrupt_once(module, arguments):
        passes.append(threading.current_thread())
        if len(passes) == 5:
            raise KeyboardInterrupt

    engine._scheduler._runner._network.module.register_forward_pre_hook(interrupt_once)
    ready = threading.Barrier(3)

    def ask():
        ready.wait()
        try:
            return texts(engine.generate(prompts, max_new_tokens=200, grammar=schema))
        except KeyboardInterrupt:
            return "interrupted"

    with ThreadPoolExecutor(3) as threads:
        found = [one.result(timeout=60) for one in [threads.submit(ask) for _ in range(3)]]
    assert sorted(found, key=str) == sorted(["interrupted", answers, answers], key=str)
    assert len(set(passes)) > 1, "another thread went on"


def test_a_deadline_is_of_one_call(ask_each, engine, prompts, answers, schema):
    with ThreadPoolExecutor(2) as threads:
        hurried = threads.submit(engine.generate, prompts, max_new_tokens=200, deadline_s=0.0)
        patient = threads.submit(engine.generate, prompts, max_new_tokens=200, grammar=schema)
        assert {one.stop for one in hurried.result(timeout=60)} == {StopReason.DEADLINE}
        assert texts(patient.result(timeout=60)) == answers


def test_a_prompt_too_large_for_the_memory_fails_alone(engine, prompts, answers, schema):
    """The longest cannot enter even alone: its call ends, the others do not."""
    longest = max(prompts, key=engine.count_tokens)
    others = [one for one in prompts if engine.count_tokens(one) < engine.count_tokens(longest)]
    limit = engine.count_tokens(longest) - 1

    def refuse(module, arguments, options):
        if int(options["position_ids"].max()) >= limit:
            raise torch.OutOfMemoryError("out of memory")

    module = engine._scheduler._runner._network.module
    module.register_forward_pre_hook(refuse, with_kwargs=True)
    with ThreadPoolExecutor(2) as threads:
        large = threads.submit(engine.generate, [longest], max_new_tokens=5)
        small = threads.submit(engine.generate, others[:1], max_new_tokens=5)
        with pytest.raises(DeviceError, match="no memory for a prompt"):
            large.result(timeout=60)
        assert small.result(timeout=60)[0].stop is StopReason.END
