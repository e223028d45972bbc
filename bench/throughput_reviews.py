"""Reviews a minute under a JSON schema: this engine and what a user of transformers writes.

    python bench/throughput.py --workload reviews [--rounds 3] [--ways padded,engine]

Prompts and answers are those of `review_workload`. Every way answers the same prompts with
the same weights and the same masks of llguidance, and says whether its tokens are right.
"""

import statistics
import time
from argparse import Namespace
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from llguidance import LLMatcher
from llguidance.torch import fill_next_token_bitmask
from review_workload import SCHEMA, Dictation, Workload, dictate, hearing, make_workload
from torch import Tensor
from transformers import AutoModelForCausalLM

from dsengine import Engine
from dsengine.drafts import FORCED, LOOKUP, SOURCES, Drafter
from dsengine.grammar import Grammar
from dsengine.sampler import Masks

Tokens = list[list[int]]
Way = Callable[[], Tokens]


class Peer:
    """transformers' `generate` with a llguidance logits processor."""

    def __init__(self, folder: Path, engine: Engine, workload: Workload) -> None:
        self._module = AutoModelForCausalLM.from_pretrained(
            folder, dtype=torch.float32, attn_implementation="sdpa", local_files_only=True
        )
        self._engine = engine
        self._dictation = Dictation(workload)

    def generate(self, prompts: Tokens) -> Tokens:
        width = max(map(len, prompts))
        ids = torch.tensor([[0] * (width - len(one)) + one for one in prompts])
        mask = torch.tensor([[0] * (width - len(one)) + [1] * len(one) for one in prompts])
        masked = Masked(self._engine, len(prompts), width)
        with torch.inference_mode():
            made = self._module.generate(
                input_ids=ids, attention_mask=mask, max_new_tokens=400, do_sample=False,
                pad_token_id=0,
                logits_processor=[hearing(self._dictation, width, prompts), masked],
            )  # fmt: skip
        return [
            row[width : width + count].tolist()
            for row, count in zip(made, masked.lengths, strict=True)
        ]


class Masked:
    """Tokens that the grammar refuses get -inf; a row that is complete ends."""

    def __init__(self, engine: Engine, num_rows: int, width: int) -> None:
        grammar: Grammar = engine._grammars.compile(SCHEMA)
        self._matchers: list[LLMatcher] = [grammar.fresh()._matcher for _ in range(num_rows)]
        self._masks = Masks(torch.device("cpu"), engine._runner.vocab_size)
        self._width = width
        self.lengths = [0] * num_rows

    def __call__(self, ids: Tensor, scores: Tensor) -> Tensor:
        packed = self._masks.packed(len(scores))
        for row, matcher in enumerate(self._matchers):
            if ids.shape[1] > self._width and not matcher.is_stopped():
                matcher.consume_token(int(ids[row, -1]))
                self.lengths[row] += 1
            fill_next_token_bitmask(matcher, packed, row)
        allowed = self._masks.unpacked(len(scores))
        return scores.masked_fill(~allowed, -torch.inf)


def ways_of(folder: Path, engine: Engine, workload: Workload, batch_size: int) -> Mapping[str, Way]:
    """Each is one function of nothing; the next peer is one more row."""
    peer = Peer(folder, engine, workload)

    def one_by_one() -> Tokens:
        return [peer.generate([ids])[0] for ids in workload.ids]

    def padded() -> Tokens:
        starts = range(0, len(workload.ids), batch_size)
        parts = [peer.generate(workload.ids[start : start + batch_size]) for start in starts]
        return [answer for part in parts for answer in part]

    def ours(sources: tuple[str, ...], num_rows: int) -> Way:
        drafter = Drafter(sources)

        def answer() -> Tokens:
            drafter._answers.clear()  # each round sees these prompts for the first time
            engine._scheduler._drafter = drafter
            engine._scheduler._max_rows = num_rows
            engine._scheduler._prefixes.clear()
            found = engine.generate(workload.talks, max_new_tokens=400, grammar=SCHEMA)
            return [list(one.token_ids) for one in found]

        return answer

    return {
        "generate": one_by_one,
        "padded": padded,
        "engine": ours(SOURCES, batch_size),
        "engine-plain": ours((), batch_size),
        "engine-forced": ours((FORCED,), batch_size),
        "engine-lookup": ours((LOOKUP,), batch_size),
        "engine-1": ours(SOURCES, 1),
        "engine-1-plain": ours((), 1),
        "engine-16": ours(SOURCES, 16),
    }


def compare_reviews(arguments: Namespace, folder: Path, engine: Engine) -> None:
    """Print the table: medians of rounds in which the ways take turns."""
    workload = make_workload(
        engine, arguments.prompts, arguments.prefix, arguments.context, arguments.findings
    )
    dictate(engine, Dictation(workload))
    ways = ways_of(folder, engine, workload, arguments.batch_size)
    if arguments.ways:
        ways = {name: ways[name] for name in arguments.ways.split(",")}
    walls: dict[str, list[float]] = {name: [] for name in ways}
    cpus: dict[str, list[float]] = {name: [] for name in ways}
    right: dict[str, int] = {}
    steps: dict[str, int] = {}
    for _ in range(arguments.rounds):
        for name, way in ways.items():
            before, wall, cpu = engine.stats.decode_steps, time.perf_counter(), time.process_time()
            made = way()
            walls[name].append(time.perf_counter() - wall)
            cpus[name].append(time.process_time() - cpu)
            steps[name] = engine.stats.decode_steps - before
            right[name] = sum(a == b for a, b in zip(made, workload.answers, strict=True))
            print(f"{name}: {walls[name][-1]:.2f} s, {cpus[name][-1]:.2f} s of CPU", flush=True)
    print(f"{arguments.prompts} prompts of about {len(workload.ids[0])} tokens, "
          f"{workload.num_answer_tokens} answer tokens, batch {arguments.batch_size}, "
          f"{torch.get_num_threads()} threads, {arguments.rounds} rounds")  # fmt: skip
    _print_table(walls, cpus, steps, right, arguments.prompts)


def sweep_reviews(arguments: Namespace, folder: Path, engine: Engine) -> None:
    """One of prompts, prefix and answer grows, the others stay; with `--plot` a picture."""
    chosen = (arguments.ways or "padded,engine").split(",")
    dictation = Dictation(Workload([], [], []))
    dictate(engine, dictation)
    print(f"| grows | to | {' | '.join(f'{name} CPU s' for name in chosen)} |")
    print("|---|---|" + "---|" * len(chosen))
    curves: dict[str, list[tuple[int, list[float]]]] = {}
    for field, values in _GROWING.items():
        for value in values:
            case = Namespace(**{**vars(arguments), field: value})
            workload = make_workload(engine, case.prompts, case.prefix, case.context, case.findings)
            dictation.hear(workload)
            ways = dict(ways_of(folder, engine, workload, arguments.batch_size))
            seconds = [_cpu_s(ways[name]) for name in chosen]
            cells = " | ".join(f"{one:.2f}" for one in seconds)
            print(f"| {field} | {value} | {cells} |", flush=True)
            curves.setdefault(field, []).append((value, seconds))
    if arguments.plot:
        _plot(curves, chosen, arguments.plot)


_GROWING: Mapping[str, tuple[int, ...]] = {
    "prompts": (4, 8, 16),
    "prefix": (256, 1_024, 2_048),
    "findings": (1, 2, 4),
}


def _cpu_s(way: Way) -> float:
    started = time.process_time()
    way()
    return time.process_time() - started


def _plot(
    curves: Mapping[str, list[tuple[int, list[float]]]], names: list[str], path: Path
) -> None:
    """One panel for each size that grows."""
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(1, len(curves), figsize=(4 * len(curves), 3.2), sharey=True)
    for panel, (field, points) in zip(panels, curves.items(), strict=True):
        for place, name in enumerate(names):
            values = [value for value, _ in points]
            panel.plot(values, [seconds[place] for _, seconds in points], marker="o", label=name)
        panel.set_xlabel(field)
        panel.set_ylim(bottom=0)
        panel.grid(alpha=0.3)
    panels[0].set_ylabel("CPU seconds")
    panels[0].legend()
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)


def _print_table(
    walls: Mapping[str, list[float]],
    cpus: Mapping[str, list[float]],
    steps: Mapping[str, int],
    right: Mapping[str, int],
    num_prompts: int,
) -> None:
    first = next(iter(walls))
    print("| way | wall s | CPU s | wall ratio | CPU ratio | steps | right |")
    print("|---|---|---|---|---|---|---|")
    base = statistics.median(walls[first]), statistics.median(cpus[first])
    for name in walls:
        wall, cpu = statistics.median(walls[name]), statistics.median(cpus[name])
        print(f"| {name} | {wall:.2f} | {cpu:.2f} | {base[0] / wall:.2f} | {base[1] / cpu:.2f} | "
              f"{steps[name] or '-'} | {right[name]} of {num_prompts} |", flush=True)  # fmt: skip
