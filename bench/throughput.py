"""Reviews a minute: prompts that share a beginning, answered by the engine and by its peers.

    python bench/throughput.py [--shape small] [--device cpu] [--dtype float32]
    python bench/throughput.py --workload reviews [--sweep --plot bench/plots/reviews.png]

The second form is answers under a JSON schema, see `throughput_reviews`. The first:
A model with random weights answers `--prompts` prompts greedily; each has a shared prefix
and a context of its own. Peers run in one process on the same weights and the same token
ids: transformers' `generate` for each prompt and on the padded batch. Prints seconds
(median of `--rounds` after a warm-up), ratios to `generate` per prompt, and what a decode
step takes beside the floor: weights, keys and values read once at the device's bandwidth.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from review_workload import write_reviewer
from throughput_reviews import compare_reviews, sweep_reviews
from torch import Tensor
from transformers import AutoModelForCausalLM

from dsengine import Engine, Message, Piece
from dsengine.testing import write_model

Prompts = tuple[list[list[Message]], list[list[int]]]
WORDS = [f"word{number}" for number in range(1_000)]
SHAPES: Mapping[str, tuple[str, Mapping[str, object]]] = {
    "small": (
        "llama",
        {
            "hidden_size": 512, "intermediate_size": 1376, "num_hidden_layers": 16,
            "num_attention_heads": 8, "num_key_value_heads": 8, "vocab_size": 16_384,
        },
    ),
    "llama-7b": (
        "llama",
        {
            "hidden_size": 4096, "intermediate_size": 11_008, "num_hidden_layers": 32,
            "num_attention_heads": 32, "num_key_value_heads": 32, "vocab_size": 32_256,
            "initializer_range": 0.02,
        },
    ),
    "v2-lite": (
        "deepseek_v2",
        {
            "hidden_size": 2048, "intermediate_size": 10_944, "num_hidden_layers": 27,
            "num_attention_heads": 16, "num_key_value_heads": 16, "vocab_size": 102_400,
            "q_lora_rank": None, "kv_lora_rank": 512, "qk_nope_head_dim": 128,
            "qk_rope_head_dim": 64, "v_head_dim": 128, "n_routed_experts": 64,
            "num_experts_per_tok": 6, "n_shared_experts": 2, "moe_intermediate_size": 1408,
            "first_k_dense_replace": 1, "initializer_range": 0.02,
        },
    ),
}  # fmt: skip


def conversation(number: int, num_shared: int, num_own: int) -> list[Message]:
    shared = " ".join(WORDS[place % 997] for place in range(num_shared))
    own = " ".join(WORDS[(number * 31 + place * 7) % 1_000] for place in range(num_own))
    return [Message("system", (Piece(shared),)), Message("user", (Piece(own),))]


def synchronize(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def timed(device: str, work: Callable[[], object]) -> float:
    synchronize(device)
    started = time.perf_counter()
    work()
    synchronize(device)
    return time.perf_counter() - started


class Peers:
    """What a user of transformers would write; only tokens that the engine allows."""

    def __init__(self, folder: Path, device: str, dtype: torch.dtype, allowed: Tensor) -> None:
        self._forbidden = torch.zeros(allowed.shape, dtype=dtype, device=device)
        self._forbidden.masked_fill_(~allowed.to(device), -torch.inf)
        self._module = AutoModelForCausalLM.from_pretrained(
            folder, dtype=dtype, attn_implementation="sdpa", local_files_only=True
        ).to(device)
        self._device = device

    def generate(self, prompts: list[list[int]], new_tokens: int) -> list[list[int]]:
        width = max(len(ids) for ids in prompts)
        ids = torch.tensor([[0] * (width - len(one)) + one for one in prompts])
        mask = torch.tensor([[0] * (width - len(one)) + [1] * len(one) for one in prompts])
        with torch.inference_mode():
            made = self._module.generate(
                input_ids=ids.to(self._device), attention_mask=mask.to(self._device),
                max_new_tokens=new_tokens, min_new_tokens=new_tokens, do_sample=False,
                pad_token_id=0, logits_processor=[lambda _, scores: scores + self._forbidden],
            )  # fmt: skip
        return [row.tolist() for row in made[:, width:]]


def floor_s(folder: Path, engine: Engine, tokens_held: int, bandwidth: float) -> float:
    """Seconds to read the weights and `tokens_held` keys and values once."""
    weights = sum(file.stat().st_size for file in folder.glob("*.safetensors"))
    network = engine._scheduler._runner._network
    embedding = network.module.get_input_embeddings().weight
    return (weights - embedding.nbytes + tokens_held * network.bytes_per_token) / bandwidth


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shape", choices=SHAPES, default="small")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--prompts", type=int, default=16)
    parser.add_argument("--prefix", type=int, default=1_024, help="tokens, about")
    parser.add_argument("--context", type=int, default=512, help="tokens, about")
    parser.add_argument("--new-tokens", type=int, default=64)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--bandwidth", type=float, default=4.3e12, help="bytes a second")
    parser.add_argument("--sweep", action="store_true", help="how the cost grows, instead")
    parser.add_argument("--folder", type=Path, help="for the weights; default: a temporary one")
    parser.add_argument("--workload", choices=["free", "reviews"], default="free")
    parser.add_argument("--findings", type=int, default=2, help="of an answer; reviews")
    parser.add_argument("--ways", default="", help="of reviews, with commas; default: all")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--plot", type=Path, help="PNG of a sweep of reviews")
    arguments = parser.parse_args()
    dtype = getattr(torch, arguments.dtype)
    architecture, changes = SHAPES[arguments.shape]
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        if arguments.workload == "reviews":
            reviews(arguments, write_reviewer(Path(name), changes))
            return 0
        texts = [" ".join(WORDS)]
        folder = write_model(
            Path(name), architecture, texts, changes=changes, dtype=dtype, device=arguments.device
        )
        engine = Engine(
            folder, device=arguments.device, dtype=arguments.dtype, max_thinking_tokens=0,
            batch_size=arguments.batch_size, max_batch_tokens=1_000_000, drafts=(),
        )  # fmt: skip # random weights repeat themselves: drafts would hold too often
        per_word = engine.count_tokens(conversation(0, 500, 500)) / 1_000
        peers = Peers(folder, arguments.device, dtype, engine._vocabulary.text)
        if arguments.sweep:
            sweep(arguments, engine, peers, per_word)
        else:
            compare(arguments, folder, engine, peers, per_word)
    return 0


def reviews(arguments: argparse.Namespace, folder: Path) -> None:
    engine = Engine(folder, device=arguments.device, dtype=arguments.dtype, max_thinking_tokens=0)
    torch.set_num_threads(arguments.threads)
    (sweep_reviews if arguments.sweep else compare_reviews)(arguments, folder, engine)


def prompts_of(arguments: argparse.Namespace, engine: Engine, per_word: float) -> Prompts:
    num_shared, num_own = (int(n / per_word) for n in (arguments.prefix, arguments.context))
    talks = [conversation(number, num_shared, num_own) for number in range(arguments.prompts)]
    return talks, [engine._tokenizer.encode_prompt(talk) for talk in talks]


def sweep(arguments: argparse.Namespace, engine: Engine, peers: Peers, per_word: float) -> None:
    """One of prompts, prefix and answer grows, the others stay."""
    print("| prompts | prefix | new tokens | padded batch s | dsengine s | ratio |")
    print("|---|---|---|---|---|---|")
    cases = [{}, *({"prompts": n} for n in (4, 32)), *({"prefix": n} for n in (256, 3_072))]
    for changes in [*cases, *({"new_tokens": n} for n in (16, 192))]:
        case = argparse.Namespace(**{**vars(arguments), **changes})
        talks, ids = prompts_of(case, engine, per_word)

        def padded(ids: list[list[int]] = ids, new: int = case.new_tokens) -> None:
            for start in range(0, len(ids), arguments.batch_size):
                peers.generate(ids[start : start + arguments.batch_size], new)

        def ours(talks: list[list[Message]] = talks, new: int = case.new_tokens) -> None:
            engine._scheduler._prefixes.clear()  # each round computes its prefix
            engine.generate(talks, max_new_tokens=new)

        ours()
        times = {
            work: statistics.median(timed(case.device, work) for _ in range(arguments.rounds))
            for work in (padded, ours)
        }
        slow, quick = times[padded], times[ours]
        sizes = f"{case.prompts} | {case.prefix} | {case.new_tokens}"
        print(f"| {sizes} | {slow:.2f} | {quick:.2f} | {slow / quick:.2f} |", flush=True)


def compare(
    arguments: argparse.Namespace, folder: Path, engine: Engine, peers: Peers, per_word: float
) -> None:
    talks, ids = prompts_of(arguments, engine, per_word)
    new, device = arguments.new_tokens, arguments.device
    made: dict[str, list[list[int]]] = {}

    def one_by_one() -> None:
        made["generate per prompt"] = [peers.generate([one], new)[0] for one in ids]

    def padded() -> None:
        made["generate, padded batch"] = peers.generate(ids, new)

    def ours() -> None:
        found = engine.generate(talks, max_new_tokens=new)
        made["dsengine"] = [list(one.token_ids) for one in found]
        engine._scheduler._prefixes.clear()  # each round computes its prefix

    ways = {"generate per prompt": one_by_one, "generate, padded batch": padded, "dsengine": ours}
    peers.generate(ids[:1], 2)
    ours()
    times: dict[str, list[float]] = {way: [] for way in ways}
    for number in range(arguments.rounds):
        for way, work in ways.items():
            if number == 0 or way != "generate per prompt":
                times[way].append(timed(device, work))
    first = statistics.median(times["generate per prompt"])
    print(f"{arguments.shape}, {device}, {arguments.dtype}: {arguments.prompts} prompts of "
          f"{len(ids[0])} tokens, {new} new tokens")  # fmt: skip
    print("| way | s | ratio | rows equal |\n|---|---|---|---|")
    for way, measured in times.items():
        equal = sum(a == b for a, b in zip(made[way], made["generate per prompt"], strict=True))
        s = statistics.median(measured)
        print(f"| {way} | {s:.2f} | {first / s:.2f} | {equal} of {arguments.prompts} |")
    before = engine.stats
    ours()
    after = engine.stats
    step = (after.decode_s - before.decode_s) / max(1, after.decode_steps - before.decode_steps)
    held = sum(map(len, ids)) - (len(ids) - 1) * arguments.prefix + len(ids) * new // 2
    floor = floor_s(folder, engine, held, arguments.bandwidth)
    print(f"prefill {after.prefill_s - before.prefill_s:.3f} s, decode step {step * 1e3:.2f} ms, "
          f"floor {floor * 1e3:.2f} ms, {step / floor:.2f} of it")  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
