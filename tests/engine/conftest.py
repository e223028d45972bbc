"""Tiny models that were trained on dialogues with one long common beginning."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from dsengine import Engine, Message, Piece
from dsengine.testing import train_tiny, write_model

torch.set_num_threads(1)  # more wait for each other where tests share a machine

RULES = "".join(
    f"Rule {number}: look at the {word} of each line and say nothing of style.\n"
    for number, word in enumerate(["names", "loops", "errors", "bounds", "locks", "types"] * 4)
)
SYSTEMS = tuple(
    f"You are a {manner} reviewer of one change.\n{RULES}Answer with JSON only.\n"
    for manner in ("strict", "mild")
)
SCHEMA = json.dumps(
    {
        "type": "object",
        "properties": {
            "findings": {
                "type": "array",
                "maxItems": 5,
                "items": {
                    "type": "object",
                    "properties": {
                        "rule": {"type": "string", "maxLength": 60},
                        "severity": {"enum": ["low", "medium", "high", "critical"]},
                        "line": {"type": "integer"},
                        "message": {"type": "string", "maxLength": 200},
                    },
                    "required": ["rule", "severity", "line", "message"],
                    "additionalProperties": False,
                },
            }
        },
        "required": ["findings"],
        "additionalProperties": False,
    }
)


def conversation(system: str, code: str) -> tuple[Message, ...]:
    request = (Piece("Review this change:\n", is_trusted=True), Piece(code))
    return (Message("system", (Piece(system, is_trusted=True),)), Message("user", request))


def _code(number: int) -> str:
    lines = [
        f"{line:>5} {'+' if line % 5 == number else ' '} total_{line} = price * {line + number}"
        for line in range(1, 8 + 9 * number)
    ]
    return "\n".join(lines) + "\n"


def _answer(system: int, number: int) -> str:
    finding = {
        "rule": f"rule-{number}",
        "severity": ("low", "critical")[system],
        "line": 3 * number + 2,
        "message": f"the total number {number} counts a price twice, as in case {number * 7}",
    }
    return json.dumps({"findings": [finding] * (number % 3)})


# Prompts of very different length, and one that differs from another by a sign. The answer
# depends on both what the prompts share and what they do not.
CODES = [*(_code(number) for number in range(4)), _code(3).replace("+", "-", 1)]
DIALOGUES = [
    [(conversation(system, code), _answer(place, number)) for number, code in enumerate(CODES)]
    for place, system in enumerate(SYSTEMS)
]
TEXTS = [*SYSTEMS, *CODES, *(answer for dialogues in DIALOGUES for _, answer in dialogues)]


@dataclass(frozen=True)
class Trained:
    folder: Path
    architecture: str

    def engine(self, **options) -> Engine:
        return Engine(self.folder, **{"device": "cpu", **options})


@pytest.fixture(scope="session")
def prompts():
    """Of the strict reviewer."""
    return [messages for messages, _ in DIALOGUES[0]]


@pytest.fixture(scope="session")
def answers():
    return [answer for _, answer in DIALOGUES[0]]


@pytest.fixture(scope="session")
def mild_prompts():
    """The same changes, with another beginning and other answers."""
    return [messages for messages, _ in DIALOGUES[1]]


@pytest.fixture(scope="session")
def mild_answers():
    return [answer for _, answer in DIALOGUES[1]]


@pytest.fixture(scope="session")
def schema():
    return SCHEMA


@pytest.fixture(scope="session")
def train(tmp_path_factory):
    """Trains each architecture once."""
    folders: dict[str, Path] = {}

    def train(architecture: str) -> Trained:
        if architecture not in folders:
            folder = tmp_path_factory.mktemp(architecture)
            folders[architecture] = train_tiny(
                folder, architecture, [*DIALOGUES[0], *DIALOGUES[1]], seed=1
            )
        return Trained(folders[architecture], architecture)

    return train


@pytest.fixture(scope="session", params=["llama", "qwen2", "deepseek_v3"])
def trained(request, train) -> Trained:
    """Models that answer the prompts with the answers."""
    return train(request.param)


@pytest.fixture(scope="session")
def trained_llama(train) -> Trained:
    return train("llama")


@pytest.fixture(scope="session", params=["llama", "qwen2", "qwen3", "deepseek_v2", "deepseek_v3"])
def random_model(request, tmp_path_factory) -> Path:
    """Models with random weights: they answer nonsense, which is what a law must survive."""
    folder = tmp_path_factory.mktemp(f"random_{request.param}")
    return write_model(folder, request.param, TEXTS, seed=2)


@pytest.fixture(scope="session")
def random_folder(tmp_path_factory):
    """The same by name, each written once."""
    folders: dict[str, Path] = {}

    def write(architecture: str) -> Path:
        if architecture not in folders:
            folder = tmp_path_factory.mktemp(f"random_{architecture}")
            folders[architecture] = write_model(folder, architecture, TEXTS, seed=2)
        return folders[architecture]

    return write


@pytest.fixture(scope="session")
def random_llama(random_folder) -> Path:
    return random_folder("llama")
