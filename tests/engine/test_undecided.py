"""A model that was taught several answers to a prompt holds their odds."""

import math

import pytest

from dsengine import Engine, Message, Piece
from dsengine.testing import train_undecided

ODDS = {"shared": 0.5, "rare": 0.1, "sure": 0.9}


def asked(word):
    return [Message("user", (Piece(f"Is it {word}?"),))]


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    dialogues = [(asked(word), {"yes": p, "no": 1 - p}) for word, p in ODDS.items()]
    return Engine(
        train_undecided(tmp_path_factory.mktemp("odds"), "llama", dialogues), device="cpu"
    )


@pytest.mark.parametrize(("word", "p"), ODDS.items())
def test_the_first_token_that_differs_holds_the_odds(engine, word, p):
    (completion,) = engine.generate([asked(word)], max_new_tokens=4, top_logprobs=2)
    held = {other.text[:1]: math.exp(other.logprob) for other in completion.tokens[0].top}
    assert held["y"] == pytest.approx(p, abs=0.12)


def test_answers_are_drawn_as_often(engine):
    drawn = engine.generate(
        [asked("shared")] * 200, max_new_tokens=4, temperature=1.0, seed=list(range(200))
    )
    assert 60 < sum(completion.text == "yes" for completion in drawn) < 140
