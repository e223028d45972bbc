"""Drafts, batches and shared prefixes change how fast an answer comes, never its tokens."""

import json
import random
from dataclasses import dataclass
from itertools import product

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dsengine import Engine, Message, Piece
from dsengine.drafts import FORCED, LOOKUP, SOURCES, Draft, Drafter
from dsengine.pace import Pace

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
SCHEMA = json.dumps(
    {
        "type": "object",
        "properties": {
            "findings": {
                "type": "array",
                "maxItems": 3,
                "items": {
                    "type": "object",
                    "properties": {
                        "severity": {"enum": ["low", "high"]},
                        "line": {"type": "integer", "minimum": 1, "maximum": 99},
                        "quote": {"type": "string", "maxLength": 30},
                    },
                    "required": ["severity", "line", "quote"],
                    "additionalProperties": False,
                },
            }
        },
        "required": ["findings"],
        "additionalProperties": False,
    }
)
COMMON = "Look at the names, the loops and the bounds of each line.\n" * 3
CODES = ["total = price * 3\nreturn total\n" * 2, "while x == None:\n    x = y\n", "a", "{}" * 20]


class Eager(Pace):
    """Passes every draft whole, whatever that costs."""

    def lengths(self, chances, is_ragged):
        return [len(row) for row in chances]


class Fickle(Pace):
    """Passes parts of drafts of any length."""

    def __init__(self, seed):
        super().__init__()
        self._random = random.Random(seed)

    def lengths(self, chances, is_ragged):
        return [self._random.randint(0, len(row)) for row in chances]


@dataclass(frozen=True)
class Way:
    """One way to run the same prompts."""

    sources: tuple[str, ...] = ()
    batch_size: int = 1
    pace: Pace | None = None


ALL = tuple(product([(), (FORCED,), (LOOKUP,), SOURCES], [1, 3, 8]))
SOME = (((), 3), ((FORCED,), 1), ((LOOKUP,), 8), (SOURCES, 3))


def conversations(codes):
    return [[Message("user", (Piece(COMMON + code),))] for code in codes]


def run(engine, way, prompts, **options):
    drafter = Drafter(way.sources)
    drafter.pace = way.pace or Pace()
    engine._scheduler._drafter = drafter
    engine._scheduler._max_rows = way.batch_size
    completions = engine.generate(prompts, **options)
    return [(one.token_ids, one.stop, one.tokens) for one in completions], drafter


def apart(engine, way, prompts, **options):
    """Each in a call of its own, and no prefix is known."""
    engine._scheduler._prefixes.clear()
    return [run(engine, way, [prompt], **options)[0][0] for prompt in prompts]


def same(one, other):
    assert [row[:2] for row in one] == [row[:2] for row in other]
    for (_, _, told), (_, _, expected) in zip(one, other, strict=True):
        assert [choice.text for choice in told] == [choice.text for choice in expected]
        for choice, wanted in zip(told, expected, strict=True):
            assert choice.logprob == pytest.approx(wanted.logprob, abs=2e-3)


@pytest.fixture(scope="module", params=DEVICES)
def random_engine(request, random_model):
    return Engine(random_model, device=request.param, dtype="float32", max_thinking_tokens=0)


OPTIONS = st.fixed_dictionaries(
    {
        "max_new_tokens": st.integers(1, 40),
        "temperature": st.sampled_from([0.0, 0.0, 0.8]),
        "seed": st.integers(0, 9),
        "grammar": st.sampled_from([SCHEMA, None]),
        "top_logprobs": st.sampled_from([0, 2]),
    }
)


def check(ways, engine, codes, options, seed):
    prompts = conversations(codes)
    plain = apart(engine, Way(), prompts, **options)
    for sources, batch_size in ways:
        way = Way(sources, batch_size, Fickle(seed) if seed % 2 else Eager())
        same(run(engine, way, prompts, **options)[0], plain)


@settings(
    max_examples=2, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(codes=st.lists(st.sampled_from(CODES), min_size=1, max_size=4), options=OPTIONS,
       seed=st.integers(0, 99))  # fmt: skip
def test_tokens_of_random_models_are_the_same_in_every_way(random_engine, codes, options, seed):
    check(SOME, random_engine, codes, options, seed)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(codes=st.lists(st.sampled_from(CODES) | st.text(max_size=40), min_size=1, max_size=6),
       options=OPTIONS, seed=st.integers(0, 99))  # fmt: skip
def test_tokens_are_the_same_for_any_prompts(random_engine, codes, options, seed):
    check(ALL, random_engine, codes, options, seed)


@pytest.mark.parametrize("device", DEVICES)
def test_trained_models_answer_the_same_in_every_way(trained, prompts, answers, schema, device):
    options = {"max_new_tokens": 200, "grammar": schema, "top_logprobs": 2}
    engine = trained.engine(device=device, dtype="float32")
    plain = apart(engine, Way(), prompts, **options)
    for sources, batch_size in SOME:
        found, _ = run(engine, Way(sources, batch_size, Eager()), prompts, **options)
        same(found, plain)
    texts = [one.text for one in engine.generate(prompts, max_new_tokens=200, grammar=schema)]
    assert texts == answers


def test_a_dead_end_is_an_error(random_model):
    engine = Engine(random_model, device="cpu", max_thinking_tokens=0)
    engine._vocabulary.free.zero_()
    with pytest.raises(ValueError, match="no token is allowed"):
        engine.generate(conversations(["a"]), max_new_tokens=2)


def test_drafts_save_steps(trained_llama, prompts, schema):
    engine = trained_llama.engine()
    steps = []
    for sources in [(), (FORCED,), (LOOKUP,)]:
        before = engine.stats.decode_steps
        way = Way(sources, 8, Eager())
        _, drafter = run(engine, way, prompts, max_new_tokens=200, grammar=schema)
        steps.append(engine.stats.decode_steps - before)
        held = drafter.pace._held.values()
        assert not sources or sum(count for count, _ in held) > 0
    assert steps[1] < steps[0]
    assert steps[2] < steps[0]


def test_unknown_sources_are_refused():
    with pytest.raises(ValueError, match="none of: forced, lookup"):
        Drafter(["magic"])


def drafting(pace, num_rows, plain_s, passes):
    for _ in range(5):
        pace.learn_step(num_rows, plain_s)
        for num_tokens, seconds in passes.items():
            pace.learn_pass(num_tokens, seconds)
    return pace


def test_nothing_is_drafted_before_a_plain_step_was_measured():
    assert Pace().lengths([[0.9, 0.8]], True) == [0]


@pytest.mark.parametrize("is_ragged", [True, False])
def test_drafts_are_passed_where_they_are_free_and_not_where_they_are_dear(is_ragged):
    chances = [[0.9, 0.8, 0.7], [0.5]]
    free = drafting(Pace(), 2, 0.01, dict.fromkeys(range(3, 9), 0.0101))
    assert free.lengths(chances, is_ragged) == [3, 1]
    dear = drafting(Pace(), 2, 0.01, dict.fromkeys(range(3, 9), 0.04))
    assert dear.lengths(chances, is_ragged) == [0, 0]


def test_a_ragged_pass_takes_the_likeliest_tokens_only():
    pace = drafting(Pace(), 2, 0.010, {3: 0.0105, 4: 0.011, 5: 0.020, 6: 0.030})
    assert pace.lengths([[0.9, 0.85], [0.1, 0.05]], True) == [2, 0]


def test_a_stall_does_not_end_drafting():
    pace = drafting(Pace(), 1, 0.010, {2: 0.0105})
    pace.learn_pass(2, 9.0)
    assert pace.lengths([[0.9]], True) == [1]


def test_drafts_that_fail_are_no_longer_expected_to_hold():
    drafter = Drafter(SOURCES)
    draft = Draft((1, 2, 3), FORCED)
    before = drafter.pace.chances(FORCED, 1)[0]
    for _ in range(30):
        drafter.learn(draft, 3, [9])
    low = drafter.pace.chances(FORCED, 1)[0]
    assert low < before / 3
    for _ in range(60):  # not passed, but what was said is seen
        drafter.learn(draft, 0, [1])
    assert drafter.pace.chances(FORCED, 1)[0] > 0.7
