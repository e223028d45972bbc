"""Reviews a minute from one GGUF file: the engine in the process beside llama.cpp's own server.

    python bench/throughput_llama.py [--prompts 16] [--threads 2] [--ways engine,server,generate]

A model of 60 million random weights answers prompts that share a beginning, in JSON of one
schema; every answer is cut at `--new-tokens`, so that all ways write the same number of
tokens. Ways:

- engine: `Engine` on the file, as it comes (keys and values in 16 bits);
- exact: the same with 32 bits;
- server: `python -m llama_cpp.server` (llama-cpp-python[server]) on the file: flash attention,
  its cache of the last prompt's beginning, the schema as its grammar, one request a prompt;
- generate: transformers' `generate` on the same weights, a prompt at a time, with the same
  grammar library; `--generate-prompts` of them, counted for all.

Prints seconds on the clock and of the processors (medians of `--rounds`, after a warm-up),
reviews a minute, ratios, and how many answers are the engine's. On a machine with other work
take `--threads 1` and the seconds of the processors.
"""

import argparse
import json
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import torch
from transformers import AutoModelForCausalLM

from dsengine import Engine, Message, Piece
from dsengine.grammar import GrammarCompiler
from dsengine.testing import write_model
from dsengine.testing_gguf import GgufOptions, write_gguf

SIZES = {
    "hidden_size": 512, "intermediate_size": 1376, "num_hidden_layers": 16,
    "num_attention_heads": 8, "num_key_value_heads": 8, "vocab_size": 16_384,
}  # fmt: skip
SCHEMA = {
    "type": "object",
    "properties": {
        "findings": {
            "type": "array",
            "minItems": 20,
            "items": {
                "type": "object",
                "properties": {
                    "severity": {"enum": ["low", "medium", "high", "critical"]},
                    "line": {"type": "integer"},
                    "message": {"type": "string"},
                },
                "required": ["severity", "line", "message"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["findings"],
    "additionalProperties": False,
}
WORDS = [f"word{number}" for number in range(1_000)]

Talk = list[Message]


@dataclass(frozen=True)
class Way:
    ask: Callable[[Sequence[Talk]], list[str]]
    process: psutil.Process
    """That works."""


@dataclass(frozen=True)
class Row:
    clock_s: float
    processor_s: float
    texts: list[str]


def talks(arguments: argparse.Namespace, per_word: float) -> list[Talk]:
    num_shared, num_own = (int(n / per_word) for n in (arguments.prefix, arguments.context))
    shared = " ".join(WORDS[place % 997] for place in range(num_shared))
    return [
        [
            Message("system", (Piece(shared),)),
            Message(
                "user",
                (Piece(" ".join(WORDS[(n * 31 + p * 7) % 1_000] for p in range(num_own))),),
            ),
        ]
        for n in range(arguments.prompts)
    ]


def engine_way(engine: Engine, arguments: argparse.Namespace) -> Way:
    def ask(prompts: Sequence[Talk]) -> list[str]:
        engine._scheduler._prefixes.clear()  # each round computes its prefix
        made = engine.generate(
            prompts, max_new_tokens=arguments.new_tokens, grammar=json.dumps(SCHEMA)
        )
        assert {one.completion_tokens for one in made} == {arguments.new_tokens}
        return [one.text for one in made]

    return Way(ask, psutil.Process())


@contextmanager
def server_way(path: Path, arguments: argparse.Namespace) -> Iterator[Way]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "llama_cpp.server", "--model", str(path), "--port", str(port)]
    threads = str(arguments.threads)
    options = ["--n_ctx", "4096", "--n_threads", threads, "--n_threads_batch", threads]
    options += ["--flash_attn", "true", "--chat_format", "chatml", "--verbose", "false"]
    process = subprocess.Popen([*command, *options], stderr=subprocess.DEVNULL)
    client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=600, trust_env=False)
    try:
        wait_until_up(client, process)
        yield Way(
            lambda prompts: [ask_server(client, arguments, talk) for talk in prompts],
            psutil.Process(process.pid),
        )
    finally:
        process.terminate()
        process.wait()


def wait_until_up(client: httpx.Client, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        if process.poll() is not None:
            raise RuntimeError("the server ended; install llama-cpp-python[server]")
        try:
            client.get("/v1/models").raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("the server does not answer")


def ask_server(client: httpx.Client, arguments: argparse.Namespace, talk: Talk) -> str:
    body = {
        "messages": [{"role": one.role, "content": one.text} for one in talk],
        "max_tokens": arguments.new_tokens,
        "temperature": 0.0,
        "response_format": {"type": "json_object", "schema": SCHEMA},
    }
    answer = client.post("/v1/chat/completions", json=body).raise_for_status().json()
    assert answer["choices"][0]["finish_reason"] == "length", answer
    return answer["choices"][0]["message"]["content"]


def generate_way(folder: Path, engine: Engine, arguments: argparse.Namespace) -> Way:
    tokenizer = engine._tokenizer
    compiler = GrammarCompiler(tokenizer.definition, SIZES["vocab_size"], tokenizer.end_ids)
    first = compiler.compile(json.dumps(SCHEMA))
    module = AutoModelForCausalLM.from_pretrained(folder, attn_implementation="sdpa")

    def ask(prompts: Sequence[Talk]) -> list[str]:
        return [one(tokenizer.encode_prompt(talk)) for talk in prompts]

    def one(ids: list[int]) -> str:
        grammar, known = first.fresh(), len(ids)

        def mask(made: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
            nonlocal known
            for token in made[0, known:].tolist():
                grammar.accept(token)
            known = made.shape[1]
            return scores.masked_fill(~grammar.allowed(), -torch.inf)

        with torch.inference_mode():
            made = module.generate(
                input_ids=torch.tensor([ids]), max_new_tokens=arguments.new_tokens,
                min_new_tokens=arguments.new_tokens, do_sample=False, pad_token_id=0,
                logits_processor=[mask],
            )  # fmt: skip
        return tokenizer.decode(made[0, len(ids) :].tolist())

    return Way(ask, psutil.Process())


def timed(way: Way, prompts: Sequence[Talk], rounds: int, share: float = 1.0) -> Row:
    """`share` of all prompts are asked; seconds are those of all."""
    clock, processor = [], []
    for _ in range(rounds):
        started, used = time.perf_counter(), processor_s(way.process)
        texts = way.ask(prompts)
        clock.append((time.perf_counter() - started) / share)
        processor.append((processor_s(way.process) - used) / share)
    return Row(statistics.median(clock), statistics.median(processor), texts)


def processor_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--prompts", type=int, default=16)
    parser.add_argument("--prefix", type=int, default=848, help="tokens, about")
    parser.add_argument("--context", type=int, default=144, help="tokens, about")
    parser.add_argument("--new-tokens", type=int, default=92)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--generate-prompts", type=int, default=4)
    parser.add_argument("--ways", default="engine,exact,server,generate")
    return parser.parse_args()


def main() -> int:
    arguments = parse()
    torch.set_num_threads(arguments.threads)
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        texts = [" ".join(WORDS), json.dumps(SCHEMA)]
        folder = write_model(scratch / "hf", "qwen2", texts, changes=SIZES, words="qwen2")
        path = write_gguf(folder, scratch / "model.gguf", GgufOptions("qwen2"))
        rows = measure(arguments, folder, path)
    report(arguments, rows)
    return 0


def measure(arguments: argparse.Namespace, folder: Path, path: Path) -> dict[str, Row]:
    options = {"batch_size": arguments.batch_size, "max_thinking_tokens": 0, "device": "cpu"}
    engine = Engine(path, **options)
    word_talks = argparse.Namespace(prefix=500, context=500, prompts=1)
    per_word = engine.count_tokens(talks(word_talks, 1)[0]) / 1_000
    prompts = talks(arguments, per_word)
    print(f"prompts of {engine.count_tokens(prompts[0])} tokens", file=sys.stderr)
    rows: dict[str, Row] = {}
    ways = arguments.ways.split(",")
    if "engine" in ways:
        way = engine_way(engine, arguments)
        way.ask(prompts[:2])
        rows["engine"] = timed(way, prompts, arguments.rounds)
        print(engine.stats, file=sys.stderr)
    if "exact" in ways:
        way = engine_way(Engine(path, dtype="float32", **options), arguments)
        way.ask(prompts[:2])
        rows["engine, 32 bits"] = timed(way, prompts, arguments.rounds)
    if "server" in ways:
        with server_way(path, arguments) as way:
            way.ask(prompts[-1:])
            rows["llama_cpp.server"] = timed(way, prompts, arguments.rounds)
    if "generate" in ways:
        way = generate_way(folder, engine, arguments)
        way.ask(prompts[:1])
        some = prompts[: arguments.generate_prompts]
        rows["torch generate"] = timed(way, some, 1, len(some) / len(prompts))
    return rows


def report(arguments: argparse.Namespace, rows: dict[str, Row]) -> None:
    print("| way | s | reviews a minute | engine is | processor s | engine is | equal answers |")
    print("|---|---|---|---|---|---|---|")
    engine = rows["engine"]
    for way, row in rows.items():
        equal = sum(a == b for a, b in zip(row.texts, engine.texts, strict=False))
        print(
            f"| {way} | {row.clock_s:.1f} | {60 * arguments.prompts / row.clock_s:.1f} |"
            f" {row.clock_s / engine.clock_s:.2f}x | {row.processor_s:.1f} |"
            f" {row.processor_s / engine.processor_s:.2f}x | {equal} of {len(row.texts)} |"
        )


if __name__ == "__main__":
    sys.exit(main())
