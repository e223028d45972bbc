"""One model for the reviews of a chunk: full batches, the same each time, and no review left."""

import json
import threading

import pytest

from dsreview.benchmark.items import Item, Kind
from dsreview.benchmark.results import Side
from dsreview.benchmark.settings import RunOptions
from dsreview.benchmark.shared_model import replay_with_model
from dsreview.config import Config
from dsreview.errors import BackendError
from dsreview.prompt import Answer, StopReason

NOTHING = '{"findings": []}'


def item(number, is_bug=True):
    lines = [
        f"def part(n):\n    first = n * {number}\n    return first {sign} 1\n" for sign in "+-"
    ]
    return Item(
        id=f"item-{number}",
        language="python",
        path=f"part_{number}.py",
        before_text=lines[0],
        after_text=lines[1],
        kind=Kind.REPLACE if is_bug else Kind.BENIGN,
        neutral=True,
        bug_lines=(3,) if is_bug else (),
        clean=not is_bug,
    )


def finding(quote, fix=None):
    suggestion = None if fix is None else {"start_line": 3, "end_line": 3, "replacement": [fix]}
    return {
        "rule": "wrong-sign",
        "severity": "high",
        "line": 3,
        "quote": quote,
        "message": "The sign is wrong.",
        "scenario": "part(1) is too small.",
        "confidence": 0.8,
        "suggestion": suggestion,
    }


class SignModel:
    """Finds each `-` that a change brings in, and remembers what it was asked together."""

    model = "sign-model"
    device = "cpu"
    identity = "sign-model-1"
    max_tokens = 100_000
    counts_are_estimated = False

    def __init__(self, fails_at=None):
        self.calls = []
        self.threads = set()
        self.fails_at = fails_at

    def count_tokens(self, prompt):
        return sum(len(message.text) for message in prompt.messages) // 4

    def complete(self, prompts, sampling, on_answer=lambda index, answer: None):
        self.threads.add(threading.get_ident())
        self.calls.append([prompt.messages[-1].text for prompt in prompts])
        if self.fails_at == len(self.calls):
            raise BackendError("the model is gone")
        answers = [self._answer(prompt.messages[-1].text) for prompt in prompts]
        for index, answer in enumerate(answers):
            on_answer(index, answer)
        return answers

    def _answer(self, text):
        is_wrong = "+     return first - 1" in text
        found = [finding("    return first - 1", "    return first + 1")] if is_wrong else []
        return Answer(json.dumps({"findings": found}), 100, 10, StopReason.END)

    def close(self):
        raise AssertionError("whoever opened the model closes it")


def run(model, items, chunk_size):
    return list(replay_with_model(items, RunOptions(Config(cache=False)), model, chunk_size))


def test_the_reviews_of_a_chunk_are_asked_together_in_their_order():
    model = SignModel()
    chunks = run(model, [item(1), item(2, is_bug=False), item(3)], chunk_size=2)
    assert [len(chunk) for chunk in chunks] == [2, 1]
    assert [len(call) for call in model.calls] == [3, 2]
    assert ["part_1" in text for text in model.calls[0]] == [True, True, False]
    assert model.threads == {threading.get_ident()}


def test_outcomes_are_those_of_the_items():
    [chunk] = run(SignModel(), [item(1), item(2)], chunk_size=8)
    bug, fix = chunk[1].outcomes
    assert (bug.item, bug.side, fix.side) == ("item-2", Side.BUG, Side.FIX)
    assert (bug.is_flagged, fix.is_silent) == (True, True)
    [found] = bug.findings
    assert (found.rule, found.hits_bug) == ("wrong-sign", True)
    assert found.suggestion.equals_fix
    assert (bug.prompt_tokens, bug.completion_tokens) == (100, 10)


def test_what_was_asked_and_answered_is_the_same_every_time():
    items = [item(number, is_bug=number % 3 > 0) for number in range(5)]
    first, second = SignModel(), SignModel()
    one, other = (run(model, items, 3) for model in (first, second))
    assert first.calls == second.calls
    assert [r.outcomes for c in one for r in c] == [r.outcomes for c in other for r in c]


def test_a_model_that_fails_ends_the_run_and_no_thread_stays():
    before = threading.active_count()
    with pytest.raises(BackendError, match=r"item-3: .*the model is gone"):
        run(SignModel(fails_at=2), [item(1), item(3)], chunk_size=1)
    assert threading.active_count() == before


class Interrupted(SignModel):
    def complete(self, prompts, sampling, on_answer=None):
        raise KeyboardInterrupt


def test_ctrl_c_in_the_model_ends_all_reviews():
    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        run(Interrupted(), [item(1), item(2)], chunk_size=2)
    assert threading.active_count() == before
