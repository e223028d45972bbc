"""Whatever the weights, an answer keeps to its schema or says that it was cut."""

import json
import random

import jsonschema
import pytest

from dsengine import Engine, Message, Piece, StopReason
from dsengine.errors import GrammarError

SCHEMAS = {
    "enumeration": {"enum": ["low", "high", 3, None]},
    "bounded": {
        "type": "object",
        "properties": {
            "name": {"type": "string", "minLength": 1, "maxLength": 12},
            "count": {"type": "integer", "minimum": 0, "maximum": 40},
            "tags": {"type": "array", "items": {"type": "string", "maxLength": 4}, "maxItems": 3},
        },
        "required": ["name", "count", "tags"],
        "additionalProperties": False,
    },
    "nested": {
        "type": "array",
        "minItems": 1,
        "maxItems": 3,
        "items": {
            "type": "object",
            "properties": {
                "kind": {"const": "a"},
                "fix": {
                    "anyOf": [
                        {"type": "null"},
                        {
                            "type": "object",
                            "properties": {"line": {"type": "integer"}, "ok": {"type": "boolean"}},
                            "required": ["line"],
                            "additionalProperties": False,
                        },
                    ]
                },
            },
            "required": ["kind", "fix"],
            "additionalProperties": False,
        },
    },
    "pattern": {
        "type": "object",
        "properties": {"id": {"type": "string", "pattern": "^[a-z]{2,5}-[0-9]{1,3}$"}},
        "required": ["id"],
        "additionalProperties": False,
    },
}


def some_prompts(count, seed):
    source = random.Random(seed)
    words = [
        "while",
        "total",
        "price",
        "==",
        "None",
        "return",
        "été",
        "😀",
        "<|eot_id|>",
        "{}",
        "[]",
        "\n",
    ]
    return [
        [Message("user", (Piece(" ".join(source.choices(words, k=source.randrange(1, 30)))),))]
        for _ in range(count)
    ]


def check(completion, schema):
    if completion.stop is StopReason.LENGTH:
        return 0
    assert completion.stop is StopReason.END
    jsonschema.validate(json.loads(completion.text), schema)
    return 1


def run_all(engine, schema, count, seed):
    """How many of `count` answers were complete."""
    text = json.dumps(schema)
    complete = 0
    for temperature in (0.0, 0.8, 2.0):
        completions = engine.generate(
            some_prompts(count, seed),
            max_new_tokens=60,
            grammar=text,
            temperature=temperature,
            seed=seed,
        )
        complete += sum(check(completion, schema) for completion in completions)
    return complete


@pytest.mark.parametrize("name", SCHEMAS)
def test_answers_of_random_weights_keep_to_the_schema(random_llama, name):
    engine = Engine(random_llama, device="cpu", batch_size=16)
    assert run_all(engine, SCHEMAS[name], 17, seed=1) > 10


def test_the_review_schema_keeps_too(random_model, schema):
    engine = Engine(random_model, device="cpu", batch_size=16, max_thinking_tokens=5)
    assert run_all(engine, json.loads(schema), 4, seed=2) > 0


@pytest.mark.slow
def test_a_thousand_answers_keep_to_the_schema(random_model):
    engine = Engine(random_model, device="cpu", batch_size=16, max_thinking_tokens=5)
    for seed, schema in enumerate(SCHEMAS.values()):
        assert run_all(engine, schema, 84, seed) > 10


@pytest.mark.parametrize(
    "schema", ["", "[1]", "{", '{"type": "nothing"}', '{"$ref": "https://example.org/a.json"}']
)
def test_what_is_no_schema_is_refused(random_llama, schema):
    engine = Engine(random_llama, device="cpu")
    with pytest.raises(GrammarError, match=r"^schema: ") as caught:
        engine.generate(some_prompts(1, 0), max_new_tokens=5, grammar=schema)
    assert "\n" not in str(caught.value)


def test_the_same_seed_gives_the_same_answer_in_any_batch(random_model):
    prompts = some_prompts(7, seed=3)
    engine = Engine(random_model, device="cpu")
    options = {"max_new_tokens": 20, "temperature": 1.0, "seed": 5}
    together = [completion.token_ids for completion in engine.generate(prompts, **options)]
    alone = [engine.generate([prompt], **options)[0].token_ids for prompt in prompts]
    other = [c.token_ids for c in engine.generate(prompts, **{**options, "seed": 6})]
    assert together == alone
    assert together != other


def test_greedy_answers_are_the_same_in_any_batch(random_model):
    prompts = some_prompts(7, seed=4)
    alone = Engine(random_model, device="cpu", batch_size=1)
    expected = [alone.generate([prompt], max_new_tokens=20)[0].token_ids for prompt in prompts]
    for batch_size in (2, 7):
        engine = Engine(random_model, device="cpu", batch_size=batch_size)
        completions = engine.generate(prompts, max_new_tokens=20)
        assert [completion.token_ids for completion in completions] == expected
