"""Teaching a model its answers, by heart or by their odds: only tokens of answers count."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import PreTrainedModel

from dsengine.message import Message
from dsengine.tokenizer import Tokenizer

_MARGIN = 2.0  # logits by which each token of an answer must lead: far above rounding
_BATCH_TOKENS = 6_000


@dataclass(frozen=True, slots=True)
class Lesson:
    ids: list[int]
    num_prompt: int
    chance: float = 1.0
    """How often this is the answer to its prompt."""


@dataclass(frozen=True, slots=True)
class LessonBatch:
    inputs: Tensor
    """int64 (B, T), padded on the right: causal attention never sees it."""
    places: tuple[Tensor, Tensor]
    """Rows and columns of the A places after which a token of an answer is due."""
    targets: Tensor
    """int64 (A,)."""
    chances: Tensor
    """float (A,), those of the lessons."""


def lesson(
    tokenizer: Tokenizer, messages: Sequence[Message], answer: str, end: int, chance: float = 1.0
) -> Lesson:
    """`answer` may begin with `<think>...</think>`, if the model has these tokens."""
    prompt = tokenizer.encode_prompt(messages)
    return Lesson([*prompt, *_answer_ids(tokenizer, answer), end], len(prompt), chance)


def _answer_ids(tokenizer: Tokenizer, answer: str) -> list[int]:
    thought, closing, rest = answer.partition("</think>")
    if not tokenizer.thinking_ids or not closing:
        return tokenizer.encode(answer)
    opens, closes = tokenizer.thinking_ids
    thought_ids = tokenizer.encode(thought.removeprefix("<think>"))
    return [opens, *thought_ids, closes, *tokenizer.encode(rest)]


def batches_of(lessons: Sequence[Lesson]) -> list[LessonBatch]:
    """Lessons of like length together."""
    groups: list[list[Lesson]] = []
    for lesson in sorted(lessons, key=lambda lesson: len(lesson.ids)):
        if groups and len(lesson.ids) * (len(groups[-1]) + 1) <= _BATCH_TOKENS:
            groups[-1].append(lesson)
        else:
            groups.append([lesson])
    return [_batch(group) for group in groups]


def _batch(lessons: Sequence[Lesson]) -> LessonBatch:
    width = max(len(lesson.ids) for lesson in lessons) - 1
    inputs = torch.zeros(len(lessons), width, dtype=torch.int64)
    rows: list[int] = []
    columns: list[int] = []
    targets: list[int] = []
    chances: list[float] = []
    for row, lesson in enumerate(lessons):
        inputs[row, : len(lesson.ids) - 1] = torch.tensor(lesson.ids[:-1])
        due = range(lesson.num_prompt, len(lesson.ids))
        rows += [row] * len(due)
        columns += [place - 1 for place in due]
        targets += lesson.ids[lesson.num_prompt :]
        chances += [lesson.chance] * len(due)
    places = (torch.tensor(rows), torch.tensor(columns))
    return LessonBatch(inputs, places, torch.tensor(targets), torch.tensor(chances))


def learn(
    module: PreTrainedModel, batches: Sequence[LessonBatch], max_steps: int, seed: int
) -> None:
    """Until every token of every answer leads by the margin."""
    trainer = _Trainer(module)
    margins = [0.0]
    with torch.random.fork_rng(devices=[]), _one_thread():
        torch.manual_seed(seed)
        for _ in range(-(-max_steps // len(batches))):
            margins = [_margin(trainer.step(batch)[0], batch.targets) for batch in batches]
            if min(margins) > _MARGIN and _margin_of_all(module, batches) > _MARGIN:
                module.eval()
                return
    raise RuntimeError(f"not learned in {max_steps} steps; margin {min(margins):.2f}")


def learn_odds(
    module: PreTrainedModel,
    batches: Sequence[LessonBatch],
    entropies: Sequence[float],
    max_divergence: float,
    max_steps: int,
    seed: int,
) -> None:
    """Until each answer to a prompt is as likely as its chance.

    Args:
        entropies: of the chances of each prompt, in nats: what no model can fall below.
        max_divergence: nats a prompt above that, of all tokens of its answers together.
    """
    trainer = _Trainer(module)
    divergence = 0.0
    with torch.random.fork_rng(devices=[]), _one_thread():
        torch.manual_seed(seed)
        for _ in range(-(-max_steps // len(batches))):
            lost = sum(trainer.step(batch)[1] for batch in batches)
            divergence = (lost - sum(entropies)) / len(entropies)
            if divergence < max_divergence:
                module.eval()
                return
    raise RuntimeError(f"not learned in {max_steps} steps; {divergence:.3f} nats a prompt")


@contextmanager
def _one_thread() -> Iterator[None]:
    """Threads that wait for each other on a busy machine took 20 times as long."""
    num_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(num_threads)


class _Trainer:
    def __init__(self, module: PreTrainedModel) -> None:
        self._module = module.train()
        parameters = module.parameters()
        self._optimizer = torch.optim.AdamW(parameters, lr=3e-3, betas=(0.9, 0.98), weight_decay=0)
        self._warmup = torch.optim.lr_scheduler.LinearLR(self._optimizer, 0.05, 1.0, 20)

    def step(self, batch: LessonBatch) -> tuple[Tensor, float]:
        """Learn a little; float (A, V), the logits before, and what they lost, in nats."""
        logits = _answer_logits(self._module, batch)
        losses = torch.nn.functional.cross_entropy(logits, batch.targets, reduction="none")
        lost = (losses * batch.chances).sum()
        self._optimizer.zero_grad()
        torch.autograd.backward(lost / batch.chances.sum())
        torch.nn.utils.clip_grad_norm_(self._module.parameters(), 1.0)
        self._optimizer.step()
        self._warmup.step()
        return logits.detach(), float(lost.detach())


def _answer_logits(module: PreTrainedModel, batch: LessonBatch) -> Tensor:
    """float (A, V)."""
    states = module.base_model(input_ids=batch.inputs, use_cache=False).last_hidden_state
    logits: Tensor = module.get_output_embeddings()(states[batch.places])
    return logits


@torch.no_grad()
def _margin_of_all(module: PreTrainedModel, batches: Sequence[LessonBatch]) -> float:
    return min(_margin(_answer_logits(module, batch), batch.targets) for batch in batches)


def _margin(logits: Tensor, targets: Tensor) -> float:
    """By how much the token that is due leads the next best one, at worst."""
    due = logits.gather(-1, targets.unsqueeze(-1)).squeeze(-1)
    others = logits.scatter(-1, targets.unsqueeze(-1), -torch.inf).amax(dim=-1)
    return float((due - others).min())
