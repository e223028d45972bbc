"""A model that is surer than it is right: measured, calibrated, and honest from then on."""

import importlib.util
import json
import math
import random
import re
import sys
from pathlib import Path

import pytest

from dsreview.backends import ScriptedBackend
from dsreview.benchmark.items import Item, Kind, write_items
from dsreview.benchmark.replay import replay
from dsreview.benchmark.results import read_result
from dsreview.benchmark.scores import calibration
from dsreview.cache import NoCache
from dsreview.config import Config
from dsreview.progress import SilentProgress
from dsreview.review import Tools
from dsreview.sandbox import Sandbox

TESTS = Path(__file__).parents[1]
CLEAN = '{"findings": []}'
HEAD = '{"findings": ['


def openai_server():
    place = TESTS / "backends" / "openai_server.py"
    specification = importlib.util.spec_from_file_location("openai_server", place)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def text_of(factor):
    return f'def price(n):\n    """Of n pieces."""\n    return n * {factor}\n'


def item(number, factor, is_bug):
    """A change that looks like any other of its factor; whether it is a bug, only we know."""
    return Item(
        id=f"item-{number}",
        language="python",
        path=f"shop/part_{number:03}.py",
        before_text=text_of(10),
        after_text=text_of(factor),
        kind=Kind.REPLACE if is_bug else Kind.BENIGN,
        neutral=True,
        bug_lines=(3,) if is_bug else (),
        clean=not is_bug,
    )


def finding(factor):
    return {
        "rule": "wrong-factor",
        "severity": "high",
        "line": 3,
        "quote": f"    return n * {factor}",
        "message": "The price is multiplied by a wrong factor.",
        "scenario": "price(1) is too much.",
        "confidence": 0.9,
        "suggestion": None,
    }


def answer(factor):
    return json.dumps({"findings": [finding(factor)]})


def factor_of(prompt_text):
    """The factor that a change brings in."""
    return int(re.search(r"\+     return n \* (\d+)", prompt_text)[1])


def tokens(text, opens):
    """`text` in three tokens, of which the second opens the list's finding or ends it."""
    decides = {text[len(HEAD)]: opens if text != CLEAN else 1 - opens}
    decides["]" if text != CLEAN else "{"] = 1 - sum(decides.values())
    told = [{"token": one, "logprob": math.log(p)} for one, p in decides.items()]
    head = {"token": HEAD, "logprob": 0.0}
    rest = {"token": text[len(HEAD) + 1 :], "logprob": 0.0}
    return {
        "content": [
            head | {"top_logprobs": [head]},
            told[0] | {"top_logprobs": told},
            rest | {"top_logprobs": [rest]},
        ]
    }


@pytest.fixture
def served():
    """A server whose model says of factor 60 that it is a bug with probability 0.6, and so on."""
    module = openai_server()

    def reply(asked):
        factor = factor_of(asked.body["messages"][-1]["content"])
        opens = max(factor / 100, 0.02) if factor != 10 else 0.02
        text = answer(factor) if opens > 0.5 else CLEAN
        return module.Reply(text, logprobs=tokens(text, opens))

    with module.OpenAIServer(reply) as server:
        yield server


def overconfident_set(path, factors, num_of_each):
    """Where a model says p, p * p * p of the changes are bugs."""
    draw = random.Random(4)
    items = [
        item(number, factor, draw.random() < (factor / 100) ** 3)
        for number, factor in enumerate(factors * num_of_each)
    ]
    write_items(path, items)
    return items


def test_a_run_makes_the_confidence_of_later_reviews_honest(
    served, run_dsreview, tmp_path, repository
):
    overconfident_set(tmp_path / "set.jsonl", [60, 75, 90], 8)
    model = ("--backend=http", "--base-url", served.url, "--model=served", "--batch-size=8")
    out = tmp_path / "run"
    ran = run_dsreview("bench", "--set", tmp_path / "set.jsonl", *model, "--out", out)
    assert ran.code == 0, ran
    raw = {one.raw_confidence for o in read_result(out).outcomes for one in o.findings}
    assert raw == {0.6, 0.75, 0.9}

    fitted = run_dsreview("bench", "--calibrate", out)
    before, after = map(float, re.search(r"error: (\S+) as .*, (\S+) calib", fitted.out).groups())
    assert (fitted.code, "confidence from logits" in fitted.out) == (0, True), fitted
    assert after < before

    repository.commit({"shop/part_999.py": text_of(10)})
    repository.write({"shop/part_999.py": text_of(75)})
    reviewed = run_dsreview("diff", *model, "--format=json", cwd=repository.folder)
    report = json.loads(reviewed.out)
    (found,) = report["findings"]
    assert (found["raw_confidence"], found["confidence_basis"]) == (0.75, "logits")
    assert found["confidence"] < 0.75
    assert report["stats"]["calibration"] == f"calibrated (N=24, ECE {before:.3f} -> {after:.3f})"
    floor = ("--min-confidence", str(found["confidence"] + 0.01))
    silent = run_dsreview("diff", *model, *floor, "--format=json", cwd=repository.folder)
    assert json.loads(silent.out)["findings"] == []
    assert [one["reason"] for one in json.loads(silent.out)["refused"]] == ["confidence"]


FACTORS = [40, 65, 90]
"""Said to be bugs with these chances, in percent."""


def prompts_of(items):
    """What a model is asked about both sides of each."""
    backend = ScriptedBackend([CLEAN] * 2 * len(items))
    with Sandbox() as sandbox:
        tools = Tools(sandbox, NoCache(), lambda: backend, SilentProgress())
        for one in items:
            replay(one, Config(examples=False), tools)
    return [prompt for batch, _ in backend.batches for prompt in batch]


def dialogue(prompt):
    """What a model is taught of it: the bug as often as its factor says, the fix is none."""
    import dsengine

    messages = [
        dsengine.Message(
            message.role.value,
            tuple(dsengine.Piece(piece.text, piece.is_trusted) for piece in message.pieces),
        )
        for message in prompt.messages
    ]
    factor = factor_of(prompt.messages[-1].text)
    if factor == 10:
        return messages, {CLEAN: 1.0}
    return messages, {answer(factor): factor / 100, CLEAN: 1 - factor / 100}


@pytest.fixture(scope="module")
def undecided_model(tmp_path_factory):
    """Taught on two files a factor; what it is measured on are other files."""
    testing = pytest.importorskip("dsengine.testing")
    taught = prompts_of(
        [item(900 + place, factor, True) for place, factor in enumerate(FACTORS * 2)]
    )
    return testing.train_undecided(
        tmp_path_factory.mktemp("models") / "undecided",
        "llama",
        [dialogue(prompt) for prompt in taught[:9]],
        texts=[f"shop/part_{number:03}.py" for number in range(200)],
        max_divergence=0.04,
        seed=3,
    )


@pytest.mark.slow
@pytest.mark.parametrize("votes", [1, 5])
def test_a_trained_model_is_honest_after_calibration(
    votes, undecided_model, run_dsreview, tmp_path
):
    overconfident_set(tmp_path / "set.jsonl", FACTORS, 40)
    arguments = ("bench", "--set", tmp_path / "set.jsonl", "--backend=local", "--device=cpu")
    arguments += ("--model", undecided_model, "--no-examples", f"--votes={votes}", "--out")
    first = run_dsreview(*arguments, tmp_path / "first")
    assert first.code == 0, first
    fitted = run_dsreview("bench", "--calibrate", tmp_path / "first")
    assert fitted.code == 0, fitted
    second = run_dsreview(*arguments, tmp_path / "second")
    assert second.code == 0, second
    before, after = (read_result(tmp_path / name).outcomes for name in ("first", "second"))
    assert calibration(after, raw=True) == calibration(before)
    assert calibration(after).error < calibration(before).error / 2
    held_out = float(re.search(r"error: \S+ as .*, (\S+) calib", fitted.out)[1])
    assert held_out < calibration(before).error
    assert {found.basis for one in after for found in one.findings} == {
        "votes" if votes > 1 else "logits"
    }
    sys.stdout.write(f"{fitted.out}{second.out}")
