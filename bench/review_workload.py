"""Prompts and answers like those of a review, for models that were never trained.

Weights are random, so what the model would say is noise. Each way to run it is dictated the
same answers: a constant is added to the logit of the token that is due, wherever the text so
far is the beginning of an answer. All else is computed as ever. The tokenizer is trained on
the text of this project, split into words as those of code models are.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer as HubTokenizer
from tokenizers import decoders, models, pre_tokenizers, trainers
from torch import Tensor

from dsengine import Engine, Message, Piece
from dsengine.testing import write_model

ROOT = Path(__file__).parents[1]
VOCAB_SIZE = 16_384
_DICTATED = 1e4
"""Added to a logit: more than any difference of random ones."""
_TOLD = ("the name hides a builtin", "the loop never ends when the list is empty",
         "an error is caught and dropped", "the index runs one past the last element")  # fmt: skip
_FINDING: Mapping[str, object] = {
    "rule": {"type": "string", "maxLength": 40},
    "severity": {"enum": ["low", "medium", "high", "critical"]},
    "line": {"type": "integer", "minimum": 1, "maximum": 9999},
    "quote": {"type": "string", "maxLength": 400},
    "message": {"type": "string", "maxLength": 400},
}
SCHEMA = json.dumps(
    {
        "type": "object",
        "properties": {
            "findings": {
                "type": "array",
                "maxItems": 6,
                "items": {
                    "type": "object",
                    "properties": _FINDING,
                    "required": list(_FINDING),
                    "additionalProperties": False,
                },
            }
        },
        "required": ["findings"],
        "additionalProperties": False,
    }
)


@dataclass(frozen=True)
class Workload:
    talks: list[list[Message]]
    ids: list[list[int]]
    answers: list[list[int]]
    """Tokens of each answer; the last one completes the grammar."""

    @property
    def num_answer_tokens(self) -> int:
        return sum(map(len, self.answers))


def write_reviewer(folder: Path, changes: Mapping[str, object]) -> Path:
    """A Llama with random weights and a tokenizer of code and prose."""
    write_model(folder, "llama", ["a"], changes={**changes, "vocab_size": VOCAB_SIZE})
    former = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    definition = json.loads(_code_tokenizer().to_str())
    first = len(definition["model"]["vocab"])
    definition["added_tokens"] = [
        {**token, "id": first + number} for number, token in enumerate(former["added_tokens"])
    ]
    _write_json(folder / "tokenizer.json", definition)
    ids = {token["content"]: token["id"] for token in definition["added_tokens"]}
    for name in ("config.json", "generation_config.json"):
        facts = json.loads((folder / name).read_text(encoding="utf-8"))
        facts |= {"bos_token_id": ids["<|begin_of_text|>"], "eos_token_id": ids["<|eot_id|>"]}
        _write_json(folder / name, facts)
    return folder


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value), encoding="utf-8")


def _sources() -> list[str]:
    paths = [*sorted(ROOT.glob("docs/*.md")), *sorted(ROOT.glob("engine/dsengine/**/*.py"))]
    return [path.read_text(encoding="utf-8") for path in paths]


def _code_tokenizer() -> HubTokenizer:
    tokenizer = HubTokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCAB_SIZE - 16,
        show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    tokenizer.train_from_iterator(_sources(), trainer)
    return tokenizer


def make_workload(
    engine: Engine, num_prompts: int, num_shared: int, num_own: int, num_findings: int
) -> Workload:
    """Prompts that share about `num_shared` tokens and have `num_own` of their own."""
    encode = engine._tokenizer.encode
    texts = _sources()
    shared = _first_tokens(engine, "\n".join(texts[:2]), num_shared)
    code = encode("\n".join(texts[3:]))
    talks, answers = [], []
    for number in range(num_prompts):
        place = (number * 7_919) % (len(code) - num_own)
        own = engine._tokenizer.decode(code[place : place + num_own])
        talks.append([Message("system", (Piece(shared),)), Message("user", (Piece(own),))])
        answers.append(encode(json.dumps({"findings": _findings(own, number, num_findings)})))
    ids = [engine._tokenizer.encode_prompt(talk) for talk in talks]
    return Workload(talks, ids, answers)


def _first_tokens(engine: Engine, text: str, count: int) -> str:
    return engine._tokenizer.decode(engine._tokenizer.encode(text)[:count])


def _findings(own: str, number: int, count: int) -> list[dict[str, object]]:
    lines = [line for line in own.splitlines() if 20 < len(line) < 60] or own.splitlines()
    return [
        {
            "rule": f"{('logic', 'bounds', 'errors')[(number + place) % 3]}-check",
            "severity": ("low", "high", "medium")[(number + place) % 3],
            "line": 7 * number + 13 * place + 3,
            "quote": lines[(5 * number + 11 * place) % len(lines)],
            "message": _TOLD[(number + place) % len(_TOLD)],
        }
        for place in range(count)
    ]


class Dictation:
    """Which token is due, by the prompt's own part and how far its answer has come."""

    def __init__(self, workload: Workload) -> None:
        self.hear(workload)

    def hear(self, workload: Workload) -> None:
        """From now on its answers, no others."""
        pairs = zip(workload.ids, workload.answers, strict=True)
        self._answers = {tuple(ids): answer for ids, answer in pairs}

    def knows(self, prompt: Sequence[int]) -> bool:
        return tuple(prompt) in self._answers

    def due(self, prompt: Sequence[int], place: int) -> int:
        answer = self._answers[tuple(prompt)]
        return answer[min(place, len(answer) - 1)]


def dictate(engine: Engine, dictation: Dictation) -> None:
    """Let `engine` hear it: wraps the runner's passes; rows are told by their prompts."""
    runner: Any = engine._scheduler._runner
    step, extend, advance = runner.step, runner.extend, runner.advance
    enter, start = runner.enter, runner.start
    lists: dict[int, list[tuple[int, ...]]] = {}

    def started(prefix: Any, num_rows: int, num_slots: int) -> Any:
        batch = start(prefix, num_rows, num_slots)
        lists[id(batch)] = []
        leave = batch.leave

        def left(row: int) -> int:
            last: int = leave(row)
            prompts = lists[id(batch)]
            prompts[row] = prompts[last]
            prompts.pop()
            return last

        batch.leave = left
        return batch

    def entered(batch: Any, rows: Sequence[Sequence[int]]) -> Any:
        entering = [(*batch.prefix.ids, *row) for row in rows]
        return (enter(batch, rows), entering)

    def advanced(batch: Any, entry: Any) -> Tensor | None:
        logits: Tensor | None = advance(batch, entry[0])
        if logits is None or not dictation.knows(entry[1][0]):
            return logits  # a prefix alone
        lists[id(batch)] += entry[1]
        return _raised(logits, [dictation.due(prompt, 0) for prompt in entry[1]])

    def places(batch: Any) -> list[int]:
        num_prefix = len(batch.prefix.ids)
        return [
            count - (len(prompt) - num_prefix)
            for count, prompt in zip(batch.num_tokens, lists[id(batch)], strict=True)
        ]

    def stepped(batch: Any, tokens: Tensor) -> Tensor:
        due = [place + 1 for place in places(batch)]
        logits = step(batch, tokens)
        prompts = lists[id(batch)]
        return _raised(logits, [dictation.due(*one) for one in zip(prompts, due, strict=True)])

    def extended(batch: Any, rows: Sequence[Sequence[int]]) -> Tensor:
        first = places(batch)
        logits: Tensor = extend(batch, rows)
        prompts = lists[id(batch)]
        width = logits.shape[1]
        due = [
            dictation.due(prompt, place + 1 + at)
            for prompt, place in zip(prompts, first, strict=True)
            for at in range(width)
        ]
        return _raised(logits.flatten(0, 1), due).view_as(logits)

    runner.start, runner.enter, runner.advance = started, entered, advanced
    runner.step, runner.extend = stepped, extended


def _raised(logits: Tensor, due: Sequence[int]) -> Tensor:
    raised = logits.clone()
    raised[torch.arange(len(due)), torch.tensor(due)] += _DICTATED
    return raised


def hearing(dictation: Dictation, width: int, prompts: list[list[int]]) -> Callable[..., Tensor]:
    """The same for `generate`, as a logits processor."""

    def heard(ids: Tensor, scores: Tensor) -> Tensor:
        place = ids.shape[1] - width
        return _raised(scores, [dictation.due(prompt, place) for prompt in prompts])

    return heard
