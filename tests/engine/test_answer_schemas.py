"""The schemas that answers really have: whatever the weights, they are kept or cut.

Random weights draw from all that the grammar allows. A vocabulary with many tokens that
end a string makes their answers short, so that most of them end.
"""

import json
import random
import string
from collections import Counter
from importlib.resources import files

import jsonschema
import pytest

from dsengine import Engine, Message, Piece, StopReason
from dsengine.testing import write_model

SCHEMAS = {
    name: files("dsreview.prompts").joinpath(f"{name}.schema.json").read_text("utf-8")
    for name in ("answer", "repair")
}
ARCHITECTURES = ("llama", "qwen2", "deepseek_v3")
CODE = ["    return (count + size - 1) // size", "été 😀 名前", '\\n\\t\\u00e9\\"', "{}[]:,"]
ENDS = [
    f"{first}{end}"
    for first in string.ascii_letters + string.digits + " .;)"
    for end in ('"', '",', '"]')
]
MAX_NEW_TOKENS = 600


@pytest.fixture(scope="module", params=ARCHITECTURES)
def engine(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    write_model(folder, request.param, [*CODE, *ENDS, *SCHEMAS.values()], seed=7)
    return Engine(folder, device="cpu", batch_size=32, max_thinking_tokens=5)


def prompts(count, seed):
    source = random.Random(seed)
    return [
        [Message("user", (Piece(" ".join(source.choices(CODE, k=source.randrange(1, 6)))),))]
        for _ in range(count)
    ]


def outcomes(engine, name, count, temperature, seed):
    """How many answers ended and how many were cut; each that ended keeps to its schema."""
    validator = jsonschema.Draft202012Validator(json.loads(SCHEMAS[name]))
    answers = engine.generate(
        prompts(count, seed),
        max_new_tokens=MAX_NEW_TOKENS,
        grammar=SCHEMAS[name],
        temperature=temperature,
        seed=seed,
    )
    found = Counter()
    for answer in answers:
        found[answer.stop] += 1
        if answer.stop is StopReason.END:
            value = json.loads(answer.text)
            validator.validate(value)
            found["with content"] += bool(value.get("findings") or value.get("suggestion"))
    assert set(found) <= {StopReason.END, StopReason.LENGTH, "with content"}
    return found


def test_answers_of_random_weights_keep_to_the_schemas(engine):
    total = Counter()
    for name in SCHEMAS:
        total += outcomes(engine, name, 10, 1.0, seed=1)
    assert total[StopReason.END] >= 12
    assert total["with content"] >= 5


@pytest.mark.slow
@pytest.mark.parametrize("name", SCHEMAS)
def test_a_thousand_answers_of_random_weights_keep_to_the_schemas(engine, name):
    """168 a model and schema: 1,008 in all."""
    total = Counter()
    for seed, temperature in enumerate((0.3, 1.0, 2.0)):
        total += outcomes(engine, name, 56, temperature, seed)
    assert total.total() - total["with content"] == 168
    assert total[StopReason.END] >= 100
    assert total["with content"] >= 20
