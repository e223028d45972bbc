"""`dsreview diff --model FOLDER` with tiny models of real architectures, trained here.

What the model is to say is scripted once; the prompts of that run are what it learns. A
wrong template, mask, cache or batch in the real run then shows as a wrong review.
"""

import importlib.util
import json
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from dsreview.backends import BackendSettings, LocalBackend, ScriptedBackend
from dsreview.cache import NoCache
from dsreview.change import EmptySnapshot
from dsreview.config import load
from dsreview.progress import SilentProgress
from dsreview.prompt import Message, Prompt, Role, Sampling, Text
from dsreview.review import Tools, review
from dsreview.sandbox import Sandbox
from dsreview.sources import SourceRequest, open_change

BEFORE = {
    "shop/stock.py": 'def pages(count, size):\n    """How many pages hold count."""\n    return count\n',
    "shop/name.py": "def greet(name):\n    return name\n",
}
AFTER = {
    "shop/stock.py": 'def pages(count, size):\n    """How many pages hold count."""\n'
    "    return count // size\n",
    "shop/name.py": 'def greet(name):\n    return f"hello {name}"\n',
}
FINDING = {
    "rule": "rounds-down",
    "severity": "high",
    "line": 3,
    "quote": "    return count // size",
    "message": "The last page is lost when it is not full.",
    "scenario": "pages(11, 10) gives 1, so the eleventh item is never shown.",
    "confidence": 0.9,
    "suggestion": {
        "start_line": 3,
        "end_line": 3,
        "replacement": ["    return (count + size - 1 // size"],
    },
}
CLEAN = json.dumps({"findings": []})
REPAIRED = json.dumps(
    {
        "suggestion": {
            "start_line": 3,
            "end_line": 3,
            "replacement": ["    return (count + size - 1) // size"],
        }
    }
)
ANSWERS = {"shop/stock.py": json.dumps({"findings": [FINDING]}), "shop/name.py": CLEAN}


def scripted_run(repository):
    """The report of a scripted model, and what it was asked with what it answered."""
    answers = [ANSWERS[path] for path in sorted(AFTER)] + [REPAIRED]
    backend = ScriptedBackend(answers)
    with (
        open_change(SourceRequest(repository.folder)) as change,
        Sandbox() as sandbox,
    ):
        tools = Tools(sandbox, NoCache(), lambda: backend, SilentProgress())
        report = review(change, load(EmptySnapshot(), {}, {}), tools)
    prompts = [prompt for batch, _ in backend.batches for prompt in batch]
    assert backend.unused == []
    return report, list(zip(prompts, answers, strict=True))


@pytest.fixture
def changed(repository):
    repository.commit(BEFORE)
    repository.write(AFTER)
    return repository


@pytest.fixture(scope="module")
def trained_model(tmp_path_factory):
    """Trains a model once for all tests; called with a changed repository and an architecture."""
    folder = tmp_path_factory.mktemp("models")

    def model(repository, architecture):
        place = folder / architecture
        return place if place.is_dir() else train(repository, architecture, place)

    return model


def test_a_broken_suggestion_is_asked_for_again_with_its_violation(changed):
    report, dialogue = scripted_run(changed)
    (finding,) = report.findings
    assert finding.suggestion.edit.lines == ("    return (count + size - 1) // size",)
    assert (finding.suggestion.proof.value, finding.suggestion.repair_round) == (
        "applied and parsed",
        2,
    )
    asked_again, _ = dialogue[-1]
    text = asked_again.messages[-1].text
    assert "    return (count + size - 1 // size" in text
    assert "parses" in text


def train(repository, architecture, folder):
    testing = pytest.importorskip("dsengine.testing")
    import dsengine

    _, dialogue = scripted_run(repository)
    lessons = []
    for prompt, answer in dialogue:
        messages = [
            dsengine.Message(
                message.role.value,
                tuple(dsengine.Piece(piece.text, piece.is_trusted) for piece in message.pieces),
            )
            for message in prompt.messages
        ]
        lessons.append((messages, answer))
    return testing.train_tiny(folder, architecture, lessons)


@pytest.mark.parametrize("architecture", ["llama", "qwen2", "deepseek_v3"])
def test_a_trained_model_reviews_repairs_and_is_remembered(
    architecture, changed, trained_model, run_dsreview
):
    model = trained_model(changed, architecture)
    arguments = ("diff", "--model", model, "--device=cpu", "--format=json")
    outcome = run_dsreview(*arguments, cwd=changed.folder)
    report = json.loads(outcome.out)
    assert (outcome.code, report["status"]) == (1, "complete"), outcome
    (finding,) = report["findings"]
    assert (finding["path"], finding["start_line"], finding["origin"]) == (
        "shop/stock.py",
        3,
        "model",
    )
    suggestion = finding["suggestion"]
    assert suggestion["replacement"] == "    return (count + size - 1) // size\n"
    assert (suggestion["verified"], suggestion["repair_round"]) == (True, 2)
    stats = report["stats"]
    assert stats["prompt_tokens"] > 0
    assert stats["completion_tokens"] > 0
    assert stats["tokens_per_second"] > 0
    assert (stats["device"], stats["model"]) == ("cpu", str(model))
    assert (stats["cache_hits"], stats["repair_rounds"]) == (0, 1)
    assert {tuple(row["reviewers"]) for row in report["coverage"]} == {("impact", "model", "rules")}

    again = json.loads(run_dsreview(*arguments, cwd=changed.folder).out)
    assert again["findings"] == report["findings"]
    assert (again["stats"]["prompt_tokens"], again["stats"]["cache_hits"]) == (0, 3)


def told(answer):
    """Its tokens, as in `choices[0].logprobs`."""
    return {
        "content": [
            {
                "token": choice.text,
                "logprob": choice.logprob,
                "top_logprobs": [
                    {"token": other.text, "logprob": other.logprob} for other in choice.top
                ],
            }
            for choice in answer.tokens
        ]
    }


@contextmanager
def served(folder):
    """The model of `folder` behind a loopback server that speaks chat completions."""
    specification = importlib.util.spec_from_file_location(
        "openai_server", Path(__file__).parent / "backends" / "openai_server.py"
    )
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    local = LocalBackend.open(BackendSettings(model=str(folder), device="cpu"))

    def answer(asked):
        messages = tuple(
            Message(Role(one["role"]), (Text(one["content"], is_trusted=False),))
            for one in asked.body["messages"]
        )
        schema = json.dumps(asked.body["response_format"]["json_schema"]["schema"])
        prompt = Prompt("served", "1", messages, schema)
        num_top = asked.body.get("top_logprobs", 0)
        sampling = Sampling(asked.body["max_tokens"], top_logprobs=num_top)
        (given,) = local.complete([prompt], sampling)
        return module.Reply(given.text, logprobs=told(given) if num_top else None)

    with module.OpenAIServer(answer) as server:
        yield server


def test_the_same_model_behind_a_server_gives_the_same_review(changed, trained_model, run_dsreview):
    model = trained_model(changed, "llama")
    arguments = ("diff", "--device=cpu", "--format=json", "--model", model)
    local = json.loads(run_dsreview(*arguments, cwd=changed.folder).out)
    with served(model) as server:
        outcome = run_dsreview(
            *arguments, "--backend=http", "--base-url", server.url, cwd=changed.folder
        )
    report = json.loads(outcome.out)
    assert (outcome.code, report["status"]) == (1, "complete"), outcome
    assert report["findings"] == local["findings"]
    assert report["findings"][0]["confidence_basis"] == "logits"
    assert report["findings"][0]["suggestion"]["verified"] is True
    assert report["stats"]["device"] == server.url.split("/")[2]
    assert len(server.asked) == 3


def test_a_scripted_model_can_be_tried_from_a_file(changed, run_dsreview, tmp_path):
    script = tmp_path / "answers.json"
    script.write_text(json.dumps([ANSWERS[path] for path in sorted(AFTER)] + [REPAIRED]))
    outcome = run_dsreview(
        "diff", "--backend=scripted", "--model", script, "--format=json", cwd=changed.folder
    )
    (finding,) = json.loads(outcome.out)["findings"]
    assert finding["suggestion"]["verified"] is True


def test_a_model_that_fails_leaves_the_findings_of_the_checks(changed, run_dsreview, tmp_path):
    changed.write({"shop/run.py": "x = 1\n"})
    empty = tmp_path / "empty"
    empty.mkdir()
    outcome = run_dsreview(
        "diff", "--model", empty, "--format=json", "--untracked", cwd=changed.folder
    )
    report = json.loads(outcome.out)
    assert (outcome.code, report["status"]) == (3, "partial")
    assert any("the model could not be used" in note for note in report["notes"])
    assert {row["state"] for row in report["coverage"]} == {"partial"}


def test_an_answer_that_cannot_be_read_is_a_gap_and_is_kept(changed, run_dsreview, tmp_path):
    script = tmp_path / "answers.json"
    script.write_text(json.dumps([CLEAN, "I think that this looks good to me!"]))
    arguments = ("diff", "--backend=scripted", "--model", script, "--format=json")
    outcome = run_dsreview(*arguments, cwd=changed.folder)
    report = json.loads(outcome.out)
    assert (outcome.code, report["status"]) == (3, "partial")
    (kept,) = (tmp_path / "cache" / "unreadable").iterdir()
    assert kept.read_text() == "I think that this looks good to me!"
    assert any(str(kept) in note for note in report["notes"])


def test_tokens_beyond_the_budget_are_a_gap(changed, run_dsreview, tmp_path):
    script = tmp_path / "answers.json"
    script.write_text(json.dumps([CLEAN]))
    arguments = ("diff", "--backend=scripted", "--model", script, "--format=json")
    outcome = run_dsreview(*arguments, "--max-tokens=10", cwd=changed.folder)
    report = json.loads(outcome.out)
    assert (outcome.code, report["status"]) == (3, "partial")
    assert {row["reason"] for row in report["coverage"]} == {"the token budget was used up"}


def test_the_network_is_not_needed(changed, trained_model, tmp_path):
    """In a network namespace without devices, as far as the machine lets tests make one."""
    if subprocess.run(["unshare", "-rn", "true"], capture_output=True).returncode:
        pytest.skip("no network namespaces here")
    model = trained_model(changed, "llama")
    settings = os.environ | {
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "DSREVIEW_CACHE_DIR": str(tmp_path / "cache"),
    }
    command = [sys.executable, "-P", "-m", "dsreview", "diff", "--model", str(model)]
    answer = subprocess.run(
        ["unshare", "-rn", *command, "--format=json"],
        cwd=changed.folder,
        env=settings,
        capture_output=True,
    )
    assert answer.returncode == 1, answer.stderr
    assert json.loads(answer.stdout)["findings"][0]["suggestion"]["verified"] is True
