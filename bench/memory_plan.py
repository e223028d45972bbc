"""What is planned before a load beside what is taken: four shapes, a process for each.

    python bench/memory_plan.py [--device cpu] [--weights full int8 int4] [--large] [--folder DIR]

Models with random weights answer `--rows` prompts that share a prefix. On a CPU the peak is
the largest resident memory less that before the load, on CUDA what torch's allocator gave out
at most and what the device's libraries took beside it. `load` is the peak while loading over
what is held after it. On CUDA a last run takes memory away, so that batches are halved, and
compares the answers.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from throughput import SHAPES, WORDS, conversation

from dsengine import Completion
from dsengine.message import Conversation

if TYPE_CHECKING:
    from dsengine import Engine

Shape = tuple[str, Mapping[str, object]]

SMALL: Mapping[str, Shape] = {
    "llama": SHAPES["small"],
    "qwen2, grouped keys": (
        "qwen2",
        {
            "hidden_size": 896, "intermediate_size": 4864, "num_hidden_layers": 8,
            "num_attention_heads": 14, "num_key_value_heads": 2, "vocab_size": 32_000,
        },
    ),
    "deepseek_v2, latents and experts": (
        "deepseek_v2",
        {
            **SHAPES["v2-lite"][1], "hidden_size": 1024, "intermediate_size": 4096,
            "num_hidden_layers": 4, "n_routed_experts": 16, "moe_intermediate_size": 704,
            "vocab_size": 32_000,
        },
    ),
    "qwen3, tied, large vocabulary": (
        "qwen3",
        {
            "hidden_size": 512, "intermediate_size": 1536, "num_hidden_layers": 6,
            "num_attention_heads": 8, "num_key_value_heads": 4, "head_dim": 64,
            "vocab_size": 151_936, "tie_word_embeddings": True,
        },
    ),
}  # fmt: skip
LARGE: Mapping[str, Shape] = {
    "llama": SHAPES["llama-7b"],
    "qwen2, grouped keys": (
        "qwen2",
        {
            "hidden_size": 3584, "intermediate_size": 18_944, "num_hidden_layers": 28,
            "num_attention_heads": 28, "num_key_value_heads": 4, "vocab_size": 152_064,
            "initializer_range": 0.02,
        },
    ),
    "deepseek_v2, latents and experts": SHAPES["v2-lite"],
    "qwen3, tied, large vocabulary": (
        "qwen3",
        {
            "hidden_size": 1024, "intermediate_size": 3072, "num_hidden_layers": 28,
            "num_attention_heads": 16, "num_key_value_heads": 8, "head_dim": 128,
            "vocab_size": 151_936, "tie_word_embeddings": True,
        },
    ),
}  # fmt: skip


def resident(key: str) -> int:
    """Bytes, of a line of /proc/self/status."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{key}:"):
            return int(line.split()[1]) * 1024
    raise KeyError(key)


class CpuMeter:
    fixed = 0

    def __init__(self) -> None:
        self._before = resident("VmRSS")
        self.reset()

    def reset(self) -> None:
        Path("/proc/self/clear_refs").write_text("5")

    def peak(self) -> int:
        return resident("VmHWM") - self._before

    def held(self) -> int:
        return resident("VmRSS") - self._before


class CudaMeter:
    def __init__(self) -> None:
        import torch

        self._torch = torch
        self._free = torch.cuda.mem_get_info()[0]

    def reset(self) -> None:
        self._torch.cuda.reset_peak_memory_stats()

    def peak(self) -> int:
        return int(self._torch.cuda.max_memory_allocated()) + self.fixed

    def held(self) -> int:
        return int(self._torch.cuda.memory_allocated()) + self.fixed

    @property
    def fixed(self) -> int:
        """Beside the allocator: the context was there before, libraries came later."""
        taken = self._free - self._torch.cuda.mem_get_info()[0]
        return max(0, taken - int(self._torch.cuda.memory_reserved()))


def child(arguments: argparse.Namespace) -> None:
    """Load, answer, and print what was planned and what was taken as JSON."""
    import torch

    from dsengine import Engine
    from dsengine.checkpoint import open_checkpoint
    from dsengine.device import fixed_memory
    from dsengine.memory import Demand, Numbers, plan_memory
    from dsengine.torch_runner import opening  # its imports are no memory of a model

    assert opening
    if arguments.device == "cuda":
        torch.zeros(1, device="cuda")
    meter = CudaMeter() if arguments.device == "cuda" else CpuMeter()
    started = time.perf_counter()
    engine = Engine(
        arguments.child, device=arguments.device, dtype=arguments.dtype, max_thinking_tokens=0,
        batch_size=arguments.rows, max_batch_tokens=1_000_000, weights=arguments.weights[0],
    )  # fmt: skip
    load_s = time.perf_counter() - started
    load_peak, held = meter.peak(), meter.held()
    per_word = engine.count_tokens(conversation(0, 500, 500)) / 1_000
    sizes = [int(count / per_word) for count in (arguments.prefix, arguments.context)]
    talks = [conversation(number, *sizes) for number in range(arguments.rows)]
    ids = [engine._tokenizer.encode_prompt(talk) for talk in talks]
    shared = next(n for n, column in enumerate(zip(*ids, strict=False)) if len(set(column)) > 1)
    demand = Demand(
        arguments.rows, shared, max(map(len, ids)) - shared + arguments.new_tokens,
        arguments.device,
    )  # fmt: skip
    itemsize = 4 if engine.dtype.endswith("32") else 2
    numbers = Numbers(arguments.weights[0], itemsize)
    plan = plan_memory(
        open_checkpoint(arguments.child), numbers, demand, fixed_memory(arguments.device)
    )
    meter.reset()
    done = engine.generate(talks, max_new_tokens=arguments.new_tokens)
    before = engine.stats
    peak = meter.peak()
    engine.generate(talks, max_new_tokens=arguments.new_tokens)
    after = engine.stats
    steps = max(1, after.decode_steps - before.decode_steps)
    outcome = {
        "plan": [plan.weight_bytes, plan.cache_bytes, plan.workspace_bytes],
        "peak": peak, "held": held, "load_peak": load_peak, "fixed": meter.fixed,
        "load_s": load_s, "step_ms": 1e3 * (after.decode_s - before.decode_s) / steps,
    }  # fmt: skip
    if arguments.device == "cuda":
        outcome["halved"], outcome["lost"] = squeezed(engine, talks, arguments, done)
    print(json.dumps(outcome))


def squeezed(
    engine: "Engine",
    talks: Sequence[Conversation],
    arguments: argparse.Namespace,
    done: Sequence[Completion],
) -> tuple[int, int]:
    """The same with little memory left: how often batches were halved, and answers lost."""
    import torch

    engine._scheduler._prefixes.clear()
    torch.cuda.empty_cache()
    whole = torch.cuda.get_device_properties(0).total_memory
    cache = engine._runner.bytes_per_token * len(talks) * (arguments.context + 128)
    left = torch.cuda.memory_reserved() + (256 << 20) + cache // 2
    torch.cuda.set_per_process_memory_fraction(left / whole)
    found = engine.generate(talks, max_new_tokens=arguments.new_tokens)
    lost = sum(
        len(one.token_ids) != len(other.token_ids) for one, other in zip(found, done, strict=True)
    )
    return engine.stats.batches_halved, lost


def measure(arguments: argparse.Namespace, folder: Path, weights: str) -> dict[str, float]:
    command = [
        sys.executable, __file__, "--child", str(folder), "--device", arguments.device,
        "--weights", weights, "--rows", str(arguments.rows), "--prefix", str(arguments.prefix),
        "--context", str(arguments.context), "--new-tokens", str(arguments.new_tokens),
        *(["--dtype", arguments.dtype] if arguments.dtype else []),
    ]  # fmt: skip
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode:
        sys.exit(ran.stderr)
    outcome: dict[str, float] = json.loads(ran.stdout.splitlines()[-1])
    return outcome


def show(name: str, weights: str, row: Mapping[str, float]) -> None:
    parts = [size / 1e6 for size in row["plan"]]
    planned, peak = sum(parts), row["peak"] / 1e6
    cells = [
        name, weights, ", ".join(f"{part:.0f}" for part in parts), f"{planned:.0f}", f"{peak:.0f}",
        f"{planned / peak:.2f}", f"{row['load_peak'] / row['held']:.2f}", f"{row['load_s']:.1f}",
        f"{row['step_ms']:.1f}", f"{row['fixed'] / 1e6:.0f}", row.get("halved", "-"),
        row.get("lost", "-"),
    ]  # fmt: skip
    print(f"| {' | '.join(map(str, cells))} |", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--dtype")
    parser.add_argument("--weights", nargs="+", default=["full", "int8", "int4"])
    parser.add_argument("--large", action="store_true", help="shapes of published models")
    parser.add_argument("--rows", type=int, default=8)
    parser.add_argument("--prefix", type=int, default=1_024, help="tokens, about")
    parser.add_argument("--context", type=int, default=512, help="tokens, about")
    parser.add_argument("--new-tokens", type=int, default=16)
    parser.add_argument("--folder", type=Path, help="for the weights; default: a temporary one")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        child(arguments)
        return 0
    import torch

    from dsengine.testing import write_model

    stored = torch.bfloat16 if arguments.device == "cuda" else torch.float32
    print("| shape | weights | planned MB: weights, cache, work | planned | measured | of it"
          " | load | load s | step ms | libraries | halved | lost |")  # fmt: skip
    print("|" + "---|" * 12)
    for name, (architecture, changes) in (LARGE if arguments.large else SMALL).items():
        with tempfile.TemporaryDirectory(dir=arguments.folder) as place:
            texts = [" ".join(WORDS)]
            folder = write_model(
                Path(place), architecture, texts, changes=changes, dtype=stored,
                device=arguments.device,
            )  # fmt: skip
            if arguments.device == "cuda":
                torch.cuda.empty_cache()
            for weights in arguments.weights:
                show(name, weights, measure(arguments, folder, weights))
    return 0


if __name__ == "__main__":
    sys.exit(main())
