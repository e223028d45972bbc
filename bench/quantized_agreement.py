"""What 8 and 4 bits keep of what models have learned: greedy answers beside those of fp32.

    python bench/quantized_agreement.py [--architectures llama qwen2 qwen3_moe ...]

Tiny models of several architectures, those with experts among them, learn dialogues by heart
on the CPU. Prints for each how many answers stay equal to the letter, the share of tokens that
stay the likeliest where the right answer is given so far, how far the odds move (KL, nats a
token), and bytes of the layers that are quantised and of all weights.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import torch

from dsengine import Engine, Message, Piece
from dsengine.checkpoint import open_checkpoint
from dsengine.memory import WEIGHTS, Numbers, bits_of, loaded_tensors, stored_bytes
from dsengine.testing import train_tiny

ARCHITECTURES = ("llama", "qwen2", "qwen3_moe", "deepseek_v2", "deepseek_v3")
NUM_DIALOGUES = 16


def dialogues() -> list[tuple[list[Message], str]]:
    """Of a reviewer: no answer follows from another one."""
    made = []
    for number in range(NUM_DIALOGUES):
        lines = [f"total_{line} = price * {line + number * 3}\n" for line in range(6)]
        system = Piece("You review a change. Answer with JSON only.\n", is_trusted=True)
        talk = [Message("system", (system,)), Message("user", (Piece("".join(lines)),))]
        line, severity = number % 6 + 1, ("low", "medium", "high")[number % 3]
        answer = (
            f'{{"line": {line}, "severity": "{severity}", "message": "price {number * 7} of'
            f' total_{line} is counted {number + 2} times"}}'
        )
        made.append((talk, answer))
    return made


def logits_of(engine: Engine, ids: list[int]) -> torch.Tensor:
    """(T, V), with the ids before each given."""
    runner = engine._runner
    batch = runner.start(runner.empty_prefix, 1, len(ids) + 1)
    entry = runner.enter(batch, [ids[:1]])
    first = runner.advance(batch, entry)
    rest = runner.extend(batch, [ids[1:]])[0]
    return torch.cat([first, rest])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--architectures", nargs="+", default=ARCHITECTURES)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print("| model | weights | answers | tokens | KL | quantised layers | all weights |")
    print("|---|---|---|---|---|---|---|")
    for architecture in arguments.architectures:
        with tempfile.TemporaryDirectory() as place:
            train_tiny(Path(place), architecture, dialogues(), seed=3)
            compare(architecture, place)
    return 0


def compare(architecture: str, place: str) -> None:
    talks, answers = map(list, zip(*dialogues(), strict=True))
    expected: list[torch.Tensor] = []
    tensors = loaded_tensors(open_checkpoint(place))
    inner = [one for one in tensors if bits_of(one.name, one.shape, "int8")]
    for weights in WEIGHTS:
        engine = Engine(place, device="cpu", weights=weights)
        found = [done.text for done in engine.generate(talks, max_new_tokens=120)]
        equal = sum(one == other for one, other in zip(found, answers, strict=True))
        agreed, moved, count = 0, 0.0, 0
        for number, (talk, answer) in enumerate(zip(talks, answers, strict=True)):
            prompt = engine._tokenizer.encode_prompt(talk)
            given = engine._tokenizer.encode(answer)
            logits = logits_of(engine, [*prompt, *given])[len(prompt) - 1 : -1]
            if weights == "full":
                expected.append(logits)
            likely = expected[number].log_softmax(-1)
            agreed += int((logits.argmax(-1) == likely.argmax(-1)).sum())
            moved += float((likely.exp() * (likely - logits.log_softmax(-1))).sum())
            count += len(given)
        layers, whole = (
            sum(stored_bytes(one, Numbers(weights, 4)) for one in some) for some in (inner, tensors)
        )
        print(f"| {architecture} | {weights} | {equal} of {len(answers)}"
              f" | {agreed} of {count} ({agreed / count:.1%}) | {moved / count:.1e}"
              f" | {layers / 1e3:.0f} kB | {whole / 1e3:.0f} kB |", flush=True)  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
