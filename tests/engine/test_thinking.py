"""Thinking models may think before the JSON, for so long; none of it is in the answer."""

import pytest

from dsengine import Engine, Message, Piece, StopReason
from dsengine.testing import train_tiny

THOUGHT = "<think>The loop runs once too often, and the list may be empty.</think>"
ANSWER = '{"line": 12, "rule": "off-by-one"}'
PLAIN = '{"line": 0, "rule": "none"}'
SCHEMA = """{"type": "object", "properties": {"line": {"type": "integer"}, "rule": {"type": "string",
 "maxLength": 20}}, "required": ["line", "rule"], "additionalProperties": false}"""


def ask(text):
    return [Message("user", (Piece(text),))]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    dialogues = [
        (ask("for i in range(n + 1): total += values[i]"), THOUGHT + ANSWER),
        (ask("for value in values: total += value"), PLAIN),
    ]
    return train_tiny(tmp_path_factory.mktemp("thinking"), "deepseek_v3", dialogues)


@pytest.fixture
def prompts():
    return [
        ask("for i in range(n + 1): total += values[i]"),
        ask("for value in values: total += value"),
    ]


@pytest.mark.parametrize("grammar", [SCHEMA, None])
def test_thoughts_are_counted_and_left_out(folder, prompts, grammar):
    engine = Engine(folder, device="cpu")
    thoughtful, plain = engine.generate(prompts, max_new_tokens=40, grammar=grammar)
    assert (thoughtful.text, plain.text) == (ANSWER, PLAIN)
    assert thoughtful.thinking_tokens > 2
    assert plain.thinking_tokens == 0
    assert thoughtful.completion_tokens >= thoughtful.thinking_tokens + len(thoughtful.token_ids)


def test_too_long_a_thought_is_closed(folder, prompts):
    engine = Engine(folder, device="cpu", max_thinking_tokens=2)
    completion = engine.generate(prompts, max_new_tokens=40, grammar=SCHEMA)[0]
    assert completion.thinking_tokens == 3  # <think>, one token and </think>
    assert completion.stop in {StopReason.END, StopReason.LENGTH}
    assert "think" not in completion.text
    assert completion.text.startswith("{")


def test_thinking_can_be_forbidden(folder, prompts):
    engine = Engine(folder, device="cpu", max_thinking_tokens=0)
    completions = engine.generate(prompts, max_new_tokens=40, grammar=SCHEMA)
    assert [completion.thinking_tokens for completion in completions] == [0, 0]
    assert completions[1].text == PLAIN


def test_the_room_for_thinking_is_kept_free(folder):
    with_thinking = Engine(folder, device="cpu", max_thinking_tokens=100)
    without = Engine(folder, device="cpu", max_thinking_tokens=0)
    assert without.max_tokens - with_thinking.max_tokens == 102
