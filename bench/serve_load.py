"""Many clients against one server whose model is killed in between: who gets what, how fast.

    python bench/serve_load.py [--seconds 600] [--clients 32]

A tiny Llama is trained to give each of 16 questions its own answer, so that an answer that
went to somebody else, or was cut, shows. Half of the clients ask as reviews do, over the
Unix socket, one to four questions at once; the others ask for chat completions over the
loopback address, every second one as a stream. One request in ten is left in the middle or
has a deadline of 50 ms. Half-way the process of the model is killed.

Prints one row of a table. Exits with 1 where an answer was wrong or missing, a descriptor
leaked, memory grew, or the model was started more than once again.
"""

import argparse
import http.client
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles

import psutil

from dsengine.message import Message as EngineMessage
from dsengine.message import Piece
from dsengine.testing import train_tiny
from dsreview.backends.resident import ResidentBackend, ask_hello, wait_until_ready
from dsreview.backends.resident_place import Place, place_in
from dsreview.prompt import Message, Prompt, Role, Sampling, StopReason, Text

SYSTEM = "Say which number this is. Answer with JSON only."
WORDS = (
    *("nought", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen"),
)
QUESTIONS = [f"the number {word} in figures, please, number {word}" for word in WORDS]
ANSWERS = [json.dumps({"number": n, "square": n * n, "word": w}) for n, w in enumerate(WORDS)]
SCHEMA = json.dumps(
    {
        "type": "object",
        "properties": {
            "number": {"type": "integer"},
            "square": {"type": "integer"},
            "word": {"type": "string", "maxLength": 20},
        },
        "required": ["number", "square", "word"],
        "additionalProperties": False,
    }
)
SAMPLING = Sampling(max_new_tokens=80)
LEFT_SHARE = 0.1
TOO_MANY = 429
SETTLE_S = 5.0
MAX_GROWTH = 1.5
"""Of the memory of both processes together: pools of threads and tokens fill up once."""


@dataclass
class Outcome:
    """What one client saw."""

    seconds: list[float] = field(default_factory=list)
    num_prompts: int = 0
    num_left: int = 0
    num_refused: int = 0
    wrong: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Server:
    process: subprocess.Popen[bytes]
    place: Place

    @property
    def worker(self) -> psutil.Process:
        (child,) = psutil.Process(self.process.pid).children()
        return child

    def num_descriptors(self) -> tuple[int, int]:
        return psutil.Process(self.process.pid).num_fds(), self.worker.num_fds()


def prompt(number: int) -> Prompt:
    user = Message(Role.USER, (Text(QUESTIONS[number], False),))
    return Prompt("load", "1", (Message(Role.SYSTEM, (Text(SYSTEM, True),)), user), SCHEMA)


def train(folder: Path) -> Path:
    lessons = [
        (
            (EngineMessage("system", (Piece(SYSTEM, True),)), EngineMessage("user", (Piece(q),))),
            answer,
        )
        for q, answer in zip(QUESTIONS, ANSWERS, strict=True)
    ]
    return train_tiny(folder, "llama", lessons, seed=1)


def start(model: Path, cache: Path) -> Server:
    environment = dict(os.environ)
    environment |= {
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "DSREVIEW_CACHE_DIR": str(cache),
        "DSREVIEW_CONFIG": os.devnull,
        "DSREVIEW_ALLOW_ROOT": "1",
    }
    command = [sys.executable, "-P", "-m", "dsreview", "serve", "--model", str(model)]
    process = subprocess.Popen(
        [*command, "--device=cpu", "--http=127.0.0.1:0"],
        env=environment,
        stdout=subprocess.DEVNULL,
    )
    place = place_in(cache / "server")
    while (hello := ask_hello(place)) is None:
        if process.poll() is not None:
            raise RuntimeError("the server did not start")
        time.sleep(0.05)
    wait_until_ready(place, hello)
    return Server(process, place)


def review(server: Server, end: float, seed: int, outcome: Outcome) -> None:
    """A client that asks as a review does."""
    choose = random.Random(seed)
    hello = ask_hello(server.place)
    assert hello is not None
    while time.monotonic() < end:
        backend = ResidentBackend(server.place, hello)
        asked = choose.choices(range(len(QUESTIONS)), k=choose.randint(1, 4))
        is_left = choose.random() < LEFT_SHARE
        sampling = Sampling(SAMPLING.max_new_tokens, deadline_s=0.05) if is_left else SAMPLING
        started = time.monotonic()
        try:
            answers = backend.complete([prompt(number) for number in asked], sampling)
        finally:
            backend.close()
        if is_left:
            outcome.num_left += 1
            continue
        outcome.seconds.append(time.monotonic() - started)
        outcome.num_prompts += len(asked)
        for number, answer in zip(asked, answers, strict=True):
            if (answer.text, answer.stop) != (ANSWERS[number], StopReason.END):
                outcome.wrong.append(f"review {number}: {answer}")


def chat(server: Server, end: float, seed: int, outcome: Outcome) -> None:
    """A client of OpenAI's interface."""
    choose = random.Random(seed)
    hello = ask_hello(server.place)
    assert hello is not None
    address = hello.http_address.removeprefix("http://").removesuffix("/v1")
    headers = {
        "Authorization": f"Bearer {server.place.token.read_text().strip()}",
        "Content-Type": "application/json",
    }
    connection = http.client.HTTPConnection(address, timeout=300)
    while time.monotonic() < end:
        number = choose.randrange(len(QUESTIONS))
        is_stream = choose.random() < 0.5
        is_left = choose.random() < LEFT_SHARE
        started = time.monotonic()
        body = chat_request(number, is_stream, seed)
        connection.request("POST", "/v1/chat/completions", body, headers)
        if is_left:
            time.sleep(0.05)
            connection.close()
            outcome.num_left += 1
            continue
        response = connection.getresponse()
        content = response.read()
        if response.status == TOO_MANY:
            outcome.num_refused += 1
            time.sleep(float(response.headers["Retry-After"]))
            continue
        outcome.seconds.append(time.monotonic() - started)
        outcome.num_prompts += 1
        text = chat_text(content, is_stream) if response.status == http.client.OK else None
        if text != ANSWERS[number]:
            outcome.wrong.append(f"chat {number}: {response.status} {content[:300]!r}")
    connection.close()


def chat_request(number: int, is_stream: bool, seed: int) -> bytes:
    request = {
        "model": "dsreview",
        "user": f"client {seed}",
        "messages": [
            {"role": "system", "content": SYSTEM},
            {"role": "user", "content": QUESTIONS[number]},
        ],
        "max_tokens": SAMPLING.max_new_tokens,
        "temperature": 0,
        "seed": 0,
        "stream": is_stream,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "load", "schema": json.loads(SCHEMA)},
        },
    }
    return json.dumps(request).encode()


def chat_text(content: bytes, is_stream: bool) -> str | None:
    if not is_stream:
        return str(json.loads(content)["choices"][0]["message"]["content"])
    events = [part.removeprefix("data: ") for part in content.decode().split("\n\n") if part]
    if events[-1] != "[DONE]":
        return None
    choices = [json.loads(event)["choices"][0] for event in events[:-1]]
    return "".join(choice["delta"].get("content", "") for choice in choices)


def watch(server: Server, end: float, seconds: list[float]) -> None:
    """How long the server takes to say that it is well."""
    while time.monotonic() < end:
        started = time.monotonic()
        if ask_hello(server.place) is None:
            raise RuntimeError("the server does not say hello")
        seconds.append(time.monotonic() - started)
        time.sleep(0.1)


def load(server: Server, num_clients: int, seconds: float) -> tuple[list[Outcome], list[float]]:
    """All clients at once; the process of the model is killed half-way."""
    end = time.monotonic() + seconds
    outcomes = [Outcome() for _ in range(num_clients)]
    hellos: list[float] = []
    failed: list[BaseException] = []

    def run(work, *arguments):  # type: ignore[no-untyped-def]
        try:
            work(*arguments)
        except BaseException as error:  # noqa: BLE001 - it is told below
            failed.append(error)

    threads = [threading.Thread(target=run, args=(watch, server, end, hellos))]
    for number, outcome in enumerate(outcomes):
        work = chat if number % 2 else review
        threads.append(threading.Thread(target=run, args=(work, server, end, number, outcome)))
    for thread in threads:
        thread.start()
    time.sleep(seconds / 2)
    os.kill(server.worker.pid, signal.SIGKILL)
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return outcomes, hellos


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--clients", type=int, default=32)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        server = start(train(Path(folder, "model")), Path(folder, "cache"))
        try:
            return measure(server, given.clients, given.seconds)
        finally:
            server.process.send_signal(signal.SIGTERM)
            server.process.wait(timeout=30)


def measure(server: Server, num_clients: int, seconds: float) -> int:
    for number in range(num_clients):  # pools of threads and connections fill up once
        warm = Outcome()
        (chat if number % 2 else review)(server, time.monotonic() + 0.05, number, warm)
    time.sleep(1)
    before = server.num_descriptors()
    memory = memory_bytes(server)
    outcomes, hellos = load(server, num_clients, seconds)
    time.sleep(SETTLE_S)
    after = server.num_descriptors()
    hello = ask_hello(server.place)
    assert hello is not None
    times = sorted(second for outcome in outcomes for second in outcome.seconds)
    wrong = [problem for outcome in outcomes for problem in outcome.wrong]
    cuts = quantiles(times, n=100)
    leaked = sum(after) - sum(before)
    growth = memory_bytes(server) / memory
    print("| clients | s | requests | req/s | prompts | p50 s | p99 s | left | 429 | wrong |"
          " descriptors leaked | restarts | hello p99 ms | memory |")  # fmt: skip
    print(f"|{'---|' * 14}")
    cells = [
        num_clients,
        f"{seconds:g}",
        len(times),
        f"{len(times) / seconds:.1f}",
        sum(outcome.num_prompts for outcome in outcomes),
        f"{cuts[49]:.2f}",
        f"{cuts[98]:.2f}",
        sum(outcome.num_left for outcome in outcomes),
        sum(outcome.num_refused for outcome in outcomes),
        len(wrong),
        leaked,
        hello.num_restarts,
        f"{quantiles(hellos, n=100)[98] * 1e3:.0f}",
        f"x{growth:.2f}",
    ]
    print(f"| {' | '.join(map(str, cells))} |")
    for problem in wrong[:10]:
        print(problem, file=sys.stderr)
    is_good = not wrong and leaked <= 0 and growth < MAX_GROWTH and hello.num_jobs == 0
    return 0 if is_good and hello.num_restarts == 1 else 1


def memory_bytes(server: Server) -> int:
    own = psutil.Process(server.process.pid).memory_info().rss
    return int(own + server.worker.memory_info().rss)


if __name__ == "__main__":
    sys.exit(main())
