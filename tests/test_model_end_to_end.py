"""A trained model reviews and repairs: in this process, and behind a server.

What it is to say is scripted once; it then learns the very prompts of that run. A wrong
template, mask, cache or batch would show as another answer.
"""

import importlib.util
import json
from difflib import unified_diff
from pathlib import Path

import pytest

from dsreview.backends import HttpBackend, LocalBackend, ScriptedBackend
from dsreview.backends.base import BackendSettings
from dsreview.change import ChangedFile
from dsreview.context import ContextMode, build_contexts
from dsreview.diff_parser import parse_patch
from dsreview.finding import Edit, Proof
from dsreview.model_review import ModelSettings, Outcome, review_contexts
from dsreview.patch import Span
from dsreview.prompt import Message, Prompt, Role, Sampling, Text
from dsreview.repair import RepairSettings, repair
from dsreview.sandbox import Sandbox

OLD = "def total(xs):\n    return sum(xs)\n"
FAULTY = "def total(xs):\n    t = 0\n    for x in xs:\n        t = x\n    return t\n"
SOUND = "def total(xs):\n    return sum(xs, 0)\n"
FINDING = {
    "rule": "lost-sum",
    "severity": "high",
    "line": 4,
    "quote": "        t = x",
    "message": "The sum is overwritten.",
    "scenario": "[1, 2] gives 2.",
    "confidence": 0.8,
    "suggestion": {"start_line": 4, "end_line": 4, "replacement": ["        t = (t + x"]},
}
FIX = {"suggestion": {"start_line": 4, "end_line": 4, "replacement": ["        t = t + x"]}}
ANSWERS = [json.dumps({"findings": [FINDING]}), json.dumps({"findings": []}), json.dumps(FIX)]


def changed(path, new):
    rows = unified_diff(OLD.splitlines(True), new.splitlines(True), f"a/{path}", f"b/{path}")
    patch = parse_patch("".join(rows).encode()).files[0].file
    return ChangedFile(path, "python", patch, OLD, new)


FILES = (changed("shop/faulty.py", FAULTY), changed("shop/sound.py", SOUND))


def run(backend):
    """What is found in both files, and what is left after the repair."""
    with Sandbox() as sandbox:
        contexts = [
            context
            for file in FILES
            for context in build_contexts(file, ContextMode.HUNK, 2000, len, sandbox)
        ]
        review = review_contexts(contexts, backend, ModelSettings(), None, lambda *step: None)
        result = repair(review.findings, FILES, sandbox, backend, RepairSettings())
    return review, result


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    testing = pytest.importorskip("dsengine.testing")
    from dsengine import Message as EngineMessage
    from dsengine import Piece

    scripted = ScriptedBackend(ANSWERS)
    run(scripted)
    prompts = [prompt for batch, _ in scripted.batches for prompt in batch]
    lessons = [
        (
            [
                EngineMessage(
                    one.role.value, tuple(Piece(part.text, part.is_trusted) for part in one.pieces)
                )
                for one in prompt.messages
            ],
            answer,
        )
        for prompt, answer in zip(prompts, ANSWERS, strict=True)
    ]
    folder = testing.train_tiny(tmp_path_factory.mktemp("model"), "llama", lessons)
    return LocalBackend.open(BackendSettings(model=str(folder), device="cpu"))


@pytest.fixture
def served(local):
    """The same model behind a loopback server."""
    specification = importlib.util.spec_from_file_location(
        "openai_server", Path(__file__).parent / "backends" / "openai_server.py"
    )
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)

    def answer(asked):
        messages = tuple(
            Message(Role(one["role"]), (Text(one["content"], False),))
            for one in asked.body["messages"]
        )
        schema = json.dumps(asked.body["response_format"]["json_schema"]["schema"])
        prompt = Prompt("served", "1", messages, schema)
        (given,) = local.complete([prompt], Sampling(asked.body["max_tokens"]))
        return module.Reply(given.text)

    with module.OpenAIServer(answer) as server:
        backend = HttpBackend(server.url, "tiny", max_parallel=1, max_tokens=8_192)
        yield backend
        backend.close()


@pytest.mark.parametrize("kind", ["local", "served"])
def test_a_broken_suggestion_is_verified_in_round_two(kind, request):
    review, result = run(request.getfixturevalue(kind))
    assert [one.outcome for one in review.contexts] == [Outcome.ANSWERED] * 2
    (finding,) = result.findings
    assert (finding.path, finding.span, finding.rule) == ("shop/faulty.py", Span(4, 5), "lost-sum")
    assert finding.suggestion.edit == Edit(Span(4, 5), ("        t = t + x",))
    assert (finding.suggestion.proof, finding.suggestion.repair_round) == (Proof.VERIFIED, 2)
    assert result.refused == ()
    assert review.usage.completion_tokens > 0
    assert result.usage.seconds > 0
