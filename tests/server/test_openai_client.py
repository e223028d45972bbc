"""The official client of OpenAI, unchanged, against the loopback address."""

import json

import pytest

openai = pytest.importorskip("openai")

SCHEMA = {
    "type": "object",
    "properties": {"ok": {"const": True}},
    "required": ["ok"],
    "additionalProperties": False,
}
FORMAT = {"type": "json_schema", "json_schema": {"name": "a", "strict": True, "schema": SCHEMA}}
MESSAGES = [
    {"role": "system", "content": "Answer with JSON."},
    {"role": "user", "content": "is it one?"},
]


@pytest.fixture(scope="module")
def client(tiny_server):
    with openai.OpenAI(
        base_url=tiny_server.hello.http_address, api_key=tiny_server.token, max_retries=0
    ) as opened:
        yield opened


@pytest.fixture
def ask(client, tiny_model):
    def ask(**changes):
        wanted = {"model": tiny_model.name, "messages": MESSAGES, "temperature": 0}
        return client.chat.completions.create(**wanted | changes)

    return ask


def test_it_lists_the_model(client, tiny_model):
    assert [model.id for model in client.models.list()] == [tiny_model.name]


def test_it_reads_a_structured_answer(ask):
    completion = ask(response_format=FORMAT, max_completion_tokens=60)
    assert json.loads(completion.choices[0].message.content) == {"ok": True}
    assert completion.choices[0].finish_reason == "stop"
    assert completion.usage.completion_tokens > 0


def test_it_reads_a_stream(ask):
    whole = ask(max_tokens=40).choices[0].message.content
    pieces, usage = [], None
    options = {"include_usage": True}
    with ask(max_tokens=40, stream=True, stream_options=options) as stream:
        for chunk in stream:
            usage = chunk.usage or usage
            pieces += [choice.delta.content or "" for choice in chunk.choices]
    assert "".join(pieces) == whole
    assert usage.completion_tokens == 40


def test_the_same_seed_gives_the_same_answer(ask):
    def text(seed):
        return ask(max_tokens=30, temperature=1.0, seed=seed).choices[0].message.content

    assert text(1) == text(1)
    assert len({text(seed) for seed in range(5)}) > 1


def test_it_knows_the_errors(ask, client, tiny_server):
    with pytest.raises(openai.NotFoundError):
        ask(model="gpt-4")
    with pytest.raises(openai.BadRequestError) as caught:
        ask(messages=[{"role": "user", "content": "x y z " * 9_000}], max_tokens=10)
    assert caught.value.code == "context_length_exceeded"
    with (
        openai.OpenAI(
            base_url=tiny_server.hello.http_address, api_key="wrong", max_retries=0
        ) as stranger,
        pytest.raises(openai.AuthenticationError),
    ):
        stranger.models.list()
