"""What every runner promises, on the same weights: logits of plain passes, and one answer.

A new runner is one row of `OPENERS`. The reference is transformers, one prompt at a time.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from dsengine import Engine, StopReason
from dsengine.checkpoint import open_checkpoint
from dsengine.runner import AnyRunner
from dsengine.runners import Wanted, open_runner

SHARED = 37
ARCHITECTURES = ("llama", "qwen2", "deepseek_v3")


def torch_checkpoint(folder: Path, scratch: Path) -> Path:
    return folder


def llama_checkpoint(folder: Path, scratch: Path) -> Path:
    pytest.importorskip("llama_cpp", reason="needs the extra gguf")
    pytest.importorskip("gguf", reason="needs the package gguf")
    from dsengine.testing_gguf import write_gguf

    return write_gguf(folder, scratch / "model.gguf")


def mlx_checkpoint(folder: Path, scratch: Path) -> Path:
    pytest.importorskip("mlx_lm", reason="needs the extra mlx")
    return folder


@dataclass(frozen=True)
class Opener:
    name: str
    """Of the runner."""
    checkpoint: Callable[[Path, Path], Path]
    """From a Hugging Face folder and one to write into to what the runner loads."""
    tolerance: float
    """Of logits in float32, whose size is about 1."""
    is_brief: bool = False
    """Slow here: one architecture is enough where time is short."""


OPENERS: Mapping[str, Opener] = {
    opener.name: opener
    for opener in (
        Opener("torch", torch_checkpoint, 2e-4),
        Opener("llama.cpp", llama_checkpoint, 2e-4),
        Opener("mlx", mlx_checkpoint, 2e-4, is_brief=True),
    )
}


CASES = [
    pytest.param(
        (opener, architecture),
        id=f"{architecture}-{opener.name}",
        marks=[pytest.mark.slow] if opener.is_brief and architecture != ARCHITECTURES[-1] else [],
    )
    for architecture in ARCHITECTURES
    for opener in OPENERS.values()
]


@dataclass(frozen=True)
class Loaded:
    """A runner, and the same weights as transformers runs them."""

    runner: AnyRunner
    plain: torch.nn.Module
    tolerance: float

    @torch.inference_mode()
    def plain_logits(self, sequences):
        passes = [self.plain(input_ids=torch.tensor([ids]), use_cache=False) for ids in sequences]
        return torch.stack([one.logits[0, -1] for one in passes])

    def assert_same(self, logits, sequences):
        tolerance = self.tolerance
        plain = self.plain_logits(sequences)
        torch.testing.assert_close(logits, plain, atol=tolerance, rtol=tolerance)

    def prompts(self, lengths, seed):
        """With a common beginning of `SHARED` tokens."""
        source = random.Random(seed)
        shared = source.choices(range(self.runner.vocab_size), k=SHARED)
        return [[*shared, *source.choices(range(self.runner.vocab_size), k=k)] for k in lengths]

    def start(self, sequences, num_shared=SHARED, num_rows=None):
        """A batch behind the first tokens of the sequences; nobody is in it."""
        prefix = self.runner.empty_prefix
        if num_shared:
            prefix = self.runner.compute_prefix(sequences[0][:num_shared], prefix, lambda: False)
        longest = max(len(ids) for ids in sequences) - num_shared
        return self.runner.start(prefix, num_rows or len(sequences), longest + 20)

    def enter(self, batch, sequences):
        entry = self.runner.enter(batch, [ids[len(batch.prefix.ids) :] for ids in sequences])
        while (logits := self.runner.advance(batch, entry)) is None:
            pass
        return logits

    def step(self, batch, tokens):
        return self.runner.step(batch, torch.tensor(tokens))


@pytest.fixture(scope="module", params=CASES)
def loaded(request, random_folder, tmp_path_factory) -> Loaded:
    opener, architecture = request.param
    folder = random_folder(architecture)
    model = opener.checkpoint(folder, tmp_path_factory.mktemp("model"))
    runner = open_runner(open_checkpoint(model), Wanted(opener.name, "cpu", "float32"))
    plain = AutoModelForCausalLM.from_pretrained(folder, attn_implementation="sdpa")
    return Loaded(runner, plain, opener.tolerance)


@pytest.mark.parametrize("num_shared", [0, 1, SHARED])
def test_a_ragged_batch_equals_plain_passes(loaded, num_shared):
    sequences = loaded.prompts([1, 70, 5, 22], seed=1)
    batch = loaded.start(sequences, num_shared)
    loaded.assert_same(loaded.enter(batch, sequences), sequences)
    for number in range(3):
        tokens = [7 + number, 8, 9, 10]
        sequences = [[*ids, token] for ids, token in zip(sequences, tokens, strict=True)]
        loaded.assert_same(loaded.step(batch, tokens), sequences)
    batch.close()


def test_rows_come_and_go_without_changing_others(loaded):
    """A walk at random: rows enter, step and leave in any order."""
    source = random.Random(7)
    waiting = loaded.prompts([source.randrange(1, 150) for _ in range(8)], seed=2)
    batch = loaded.start(waiting, num_rows=4)
    running = []
    while waiting or running:
        if waiting and batch.room and source.random() < 0.5:
            count = min(source.randint(1, batch.room), len(waiting))
            entering = [waiting.pop() for _ in range(count)]
            loaded.assert_same(loaded.enter(batch, entering), entering)
            running += entering
        if running:
            tokens = source.choices(range(loaded.runner.vocab_size), k=len(running))
            running = [[*ids, token] for ids, token in zip(running, tokens, strict=True)]
            loaded.assert_same(loaded.step(batch, tokens), running)
            assert batch.num_tokens == [len(ids) - SHARED for ids in running]
        if running and source.random() < 0.3:
            place = source.randrange(len(running))
            last = batch.leave(place)
            running[place] = running[last]
            running.pop()
    batch.close()


def test_rows_that_run_are_not_changed_by_one_that_enters_slowly(loaded):
    sequences = loaded.prompts([3, 40, 700], seed=9)
    batch = loaded.start(sequences)
    running = sequences[:2]
    loaded.enter(batch, running)
    entry = loaded.runner.enter(batch, [sequences[2][SHARED:]])
    num_passes = 0
    while (logits := loaded.runner.advance(batch, entry)) is None:
        num_passes += 1
        running = [[*ids, 5 + num_passes] for ids in running]
        loaded.assert_same(loaded.step(batch, [5 + num_passes] * len(running)), running)
        if num_passes == 1:
            batch.leave(0)
            running = running[1:]
    assert num_passes
    loaded.assert_same(logits, [sequences[2]])
    running = [[*ids, 3] for ids in (*running, sequences[2])]
    loaded.assert_same(loaded.step(batch, [3, 3]), running)
    batch.close()


def test_what_was_about_to_enter_may_be_left_behind(loaded):
    sequences = loaded.prompts([3, 700, 40], seed=10)
    batch = loaded.start(sequences)
    loaded.enter(batch, sequences[:1])
    entry = loaded.runner.enter(batch, [sequences[1][SHARED:]])
    assert loaded.runner.advance(batch, entry) is None
    loaded.assert_same(loaded.enter(batch, sequences[2:]), sequences[2:])
    running = [[*sequences[0], 4], [*sequences[2], 5]]
    loaded.assert_same(loaded.step(batch, [4, 5]), running)
    batch.close()


def test_a_prefix_may_be_extended_and_cut(loaded):
    sequence = loaded.prompts([60], seed=3)[0]
    empty = loaded.runner.empty_prefix
    long = loaded.runner.compute_prefix(sequence[:80], empty, lambda: False)
    extended = loaded.runner.compute_prefix(sequence[:60], long.cut(20), lambda: False)
    batch = loaded.runner.start(extended, 1, len(sequence))
    loaded.assert_same(loaded.enter(batch, [sequence]), [sequence])
    batch.close()
    assert long.ids == tuple(sequence[:80])
    assert long.cut(0).ids == ()
    assert long.size_bytes == 4 * long.cut(20).size_bytes > 0


def test_a_prefix_outlives_what_was_made_of_it(loaded):
    """Longer and other ones come and go; batches, too."""
    first, other = loaded.prompts([50, 50], seed=11), loaded.prompts([50], seed=12)[0]
    empty = loaded.runner.empty_prefix
    kept = loaded.runner.compute_prefix(first[0][:SHARED], empty, lambda: False)
    for ids in (first[0], other, first[1]):
        known = kept if ids is not other else empty
        longer = loaded.runner.compute_prefix(ids, known, lambda: False)
        loaded.runner.start(longer, 8, 2_000).close()
        del longer
    batch = loaded.runner.start(kept, 2, 100)
    loaded.assert_same(loaded.enter(batch, first), first)
    batch.close()


def test_a_prefix_is_given_up_when_time_is_over(loaded):
    answers = iter([False, True])
    long = loaded.prompts([900], seed=5)[0]
    empty = loaded.runner.empty_prefix
    assert loaded.runner.compute_prefix(long, empty, lambda: next(answers)) is None
    assert next(answers, "asked twice") == "asked twice"


def test_drafts_may_be_longer_in_some_rows_and_be_taken_back(loaded):
    sequences = loaded.prompts([5, 30, 2], seed=6)
    batch = loaded.start(sequences)
    loaded.enter(batch, sequences)
    drafts = [[3, 4, 5, 6], [7], [8, 9]]
    logits = loaded.runner.extend(batch, drafts)
    for row, draft in enumerate(drafts):
        for place in range(len(draft)):
            ids = [*sequences[row], *draft[: place + 1]]
            loaded.assert_same(logits[row, place][None], [ids])
    loaded.runner.forget(batch, 0, 3)
    loaded.runner.forget(batch, 2, 1)
    running = [[*sequences[0], 3, 11], [*sequences[1], 7, 12], [*sequences[2], 8, 13]]
    loaded.assert_same(loaded.step(batch, [11, 12, 13]), running)
    batch.close()


def test_the_comparison_notices_a_wrong_beginning(loaded):
    right, wrong = loaded.prompts([20], seed=1)[0], loaded.prompts([20], seed=2)[0]
    batch = loaded.start([wrong])
    entry = loaded.runner.enter(batch, [right[SHARED:]])
    logits = loaded.runner.advance(batch, entry)
    difference = (logits - loaded.plain_logits([right])).abs().max()
    batch.close()
    assert difference > 100 * loaded.tolerance


def test_a_runner_says_what_it_is(loaded):
    runner = loaded.runner
    assert runner.device_name == "cpu"
    assert runner.window > 1_000
    assert runner.bytes_per_token > 0 < runner.free_memory()
    assert runner.versions
    assert runner.vocab_size == loaded.plain_logits([[1]]).shape[-1]
    assert runner.empty_prefix.ids == ()


@pytest.fixture(scope="module", params=CASES)
def trained_model(request, train, tmp_path_factory):
    """Loads engines of one model."""
    opener, architecture = request.param
    model = opener.checkpoint(train(architecture).folder, tmp_path_factory.mktemp("trained"))

    def load(**options) -> Engine:
        return Engine(model, **{"device": "cpu", "runner": opener.name, **options})

    return load


def texts(completions):
    return [completion.text for completion in completions]


@pytest.mark.parametrize("batch_size", [1, 3, 8])
def test_each_prompt_gets_its_answer(trained_model, prompts, answers, schema, batch_size):
    engine = trained_model(batch_size=batch_size)
    completions = engine.generate(prompts, max_new_tokens=200, grammar=schema)
    assert texts(completions) == answers
    assert {completion.stop for completion in completions} == {StopReason.END}
    assert texts(engine.generate(prompts, max_new_tokens=200)) == answers


def test_beginnings_are_kept_apart(
    trained_model, prompts, answers, mild_prompts, mild_answers, schema
):
    engine = trained_model()
    for _ in range(2):
        assert texts(engine.generate(prompts, max_new_tokens=200, grammar=schema)) == answers
        mild = engine.generate(mild_prompts, max_new_tokens=200, grammar=schema)
        assert texts(mild) == mild_answers


def test_an_answer_is_told_while_it_is_written(trained_model, prompts, answers):
    pieces: dict[int, list[str]] = {}
    trained_model().generate(
        prompts,
        max_new_tokens=200,
        on_text=lambda number, place, text: pieces.setdefault(number, []).append(text),
    )
    for number, answer in enumerate(answers):
        told = "".join(pieces[number])
        assert answer.startswith(told)
        assert len(told) > len(answer) // 2


def test_time_that_is_over_ends_every_answer(trained_model, prompts):
    completions = trained_model().generate(prompts, max_new_tokens=200, deadline_s=0.0)
    assert {completion.stop for completion in completions} == {StopReason.DEADLINE}


def test_a_batch_without_memory_is_halved(trained_model, prompts, answers, schema, monkeypatch):
    engine = trained_model()
    runner = engine._scheduler._runner
    enter = runner.enter

    def refuse_many(batch, rows):
        if len(rows) > 2:
            raise MemoryError("out of memory")
        return enter(batch, rows)

    monkeypatch.setattr(runner, "enter", refuse_many)
    completions = engine.generate(prompts, max_new_tokens=200, grammar=schema)
    assert texts(completions) == answers
    assert engine.stats.batches_halved > 0


def test_answers_do_not_depend_on_the_runner_when_drawn(trained_model, train, prompts, schema):
    """One uniform number a token: what is likely by far is drawn by all."""
    drawn = trained_model().generate(
        prompts, max_new_tokens=60, grammar=schema, temperature=1.0, seed=7
    )
    again = trained_model(batch_size=2).generate(
        prompts, max_new_tokens=60, grammar=schema, temperature=1.0, seed=7
    )
    assert texts(drawn) == texts(again)
