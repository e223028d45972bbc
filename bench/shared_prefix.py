"""What a shared prefix and a batch save: the same prompts answered in three ways, one run.

    python bench/shared_prefix.py [--device auto] [--dtype float32] [--layers 8] [--width 512]

A Llama with random weights answers 16 prompts that share about 1,000 tokens and differ in
about 200, 24 new tokens each, greedily: in batches with the prefix computed once, in
batches with nothing to share (each prompt begins differently), and one by one. Prints
seconds of wall and of CPU, medians of `--rounds`, and ratios to the first.
"""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

from dsengine import Engine, Message, Piece
from dsengine.testing import write_model

PROMPTS = 16
NEW_TOKENS = 24
SHARED = " ".join(f"rule{number} looks at word{number % 7}" for number in range(500))


def conversation(number: int, first: str) -> list[Message]:
    own = " ".join(f"line{number}x{count}" for count in range(100))
    system = Piece(f"{first} {SHARED}", is_trusted=True)
    return [Message("system", (system,)), Message("user", (Piece(own),))]


def seconds(engine: Engine, batches: list[list[list[Message]]]) -> tuple[float, float]:
    """Wall and CPU time; on a shared machine only the latter can be compared."""
    started, used = time.perf_counter(), time.process_time()
    for batch in batches:
        engine.generate(batch, max_new_tokens=NEW_TOKENS)
    return time.perf_counter() - started, time.process_time() - used


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--layers", type=int, default=8)
    parser.add_argument("--width", type=int, default=512)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    shared = [conversation(number, "all") for number in range(PROMPTS)]
    apart = [conversation(number, f"one{number}") for number in range(PROMPTS)]
    changes = {
        "hidden_size": arguments.width,
        "intermediate_size": 2 * arguments.width,
        "num_hidden_layers": arguments.layers,
        "num_attention_heads": 8,
        "num_key_value_heads": 8,
    }
    with tempfile.TemporaryDirectory() as folder:
        model = write_model(Path(folder), "llama", [SHARED, "line0x1 " * 50], changes=changes)
        engine = Engine(
            model,
            device=arguments.device,
            dtype=arguments.dtype,
            batch_size=arguments.batch_size,
            max_thinking_tokens=0,
        )
        ways = {
            "batch, prefix once": [shared],
            "batch, nothing shared": [apart],
            "one by one": [[prompt] for prompt in shared],
        }
        times: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
        for _ in range(arguments.rounds + 1):  # the first warms up and is dropped
            for name, batches in ways.items():
                times[name].append(seconds(engine, batches))
        tokens = engine.count_tokens(shared[0])
    print(f"{engine.device}, {arguments.dtype}, {PROMPTS} prompts of {tokens} tokens")
    medians = {
        name: [statistics.median(kind) for kind in zip(*measured[1:], strict=True)]
        for name, measured in times.items()
    }
    first_wall, first_cpu = medians["batch, prefix once"]
    print("| way | wall s | ratio | CPU s | ratio |\n|---|---|---|---|---|")
    for name, (wall, cpu) in medians.items():
        ratios = f"{wall / first_wall:.2f} | {cpu:.2f} | {cpu / first_cpu:.2f}"
        print(f"| {name} | {wall:.2f} | {ratios} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
