"""Reviews without a model in several processes, a sandbox each.

A worker is sent a line of JSON for each item and answers with one. It holds nothing else of
its parent: when the parent is gone, however it went, the worker reads the end of its input and
ends as well.
"""

import json
import subprocess
import sys
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from queue import SimpleQueue
from typing import Final, Self

import msgspec

from dsreview.benchmark.items import Item
from dsreview.benchmark.own_tests import passes_own_test
from dsreview.benchmark.replay import Replayed, replay
from dsreview.benchmark.settings import RunOptions
from dsreview.cache import NoCache
from dsreview.durable import write_all
from dsreview.errors import ReviewError
from dsreview.isolated import interpreter, search_path
from dsreview.progress import SilentProgress
from dsreview.review import Tools
from dsreview.sandbox import Sandbox

_REPLIES: Final = msgspec.json.Decoder(Replayed)
"""Made once: where threads decode a type for the first time at the same moment, msgspec 0.22
crashes the process."""
_START = (
    "import json, sys; sys.path.extend(json.loads(sys.argv[1])); "
    "from dsreview.benchmark.workers import work; work()"
)


def replay_in_processes(
    items: Sequence[Item], options: RunOptions, num_workers: int
) -> Generator[Replayed, None, None]:
    """Each of `items` reviewed, in their order, up to `num_workers` at once.

    Raises:
        ReviewError: a worker ended before its work did.
    """
    num = min(num_workers, len(items))
    if num <= 1:
        yield from replay_here(items, options)
        return
    idle: SimpleQueue[Worker] = SimpleQueue()
    workers = [Worker.start(options) for _ in range(num)]
    for worker in workers:
        idle.put(worker)

    def review(item: Item) -> Replayed:
        worker = idle.get()
        try:
            return worker.review(item)
        finally:
            idle.put(worker)

    threads = ThreadPoolExecutor(num)
    try:
        yield from threads.map(review, items)
    finally:
        for worker in workers:
            worker.kill()  # also ends the threads that wait for an answer
        threads.shutdown(cancel_futures=True)


def replay_here(items: Iterable[Item], options: RunOptions) -> Iterator[Replayed]:
    """One after the other, in this process."""
    passes_test = passes_own_test if options.run_tests else None
    with Sandbox() as sandbox:
        tools = Tools(sandbox, NoCache(), None, SilentProgress())
        for item in items:
            yield replay(item, options.config, tools, passes_test)


class Worker:
    """The parent's side of one process."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process = process
        self._requests = process.stdin
        self._replies = process.stdout

    @classmethod
    def start(cls, options: RunOptions) -> Self:
        """What fails in it is told on our standard error."""
        process = subprocess.Popen(
            [*interpreter(), "-c", _START, json.dumps(search_path())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd="/",
            env={},
            start_new_session=True,  # Ctrl-C is for the parent
        )
        worker = cls(process)
        worker._send(options)
        return worker

    def review(self, item: Item) -> Replayed:
        """
        Raises:
            ReviewError: the process has ended.
        """
        self._send(item)
        reply = self._replies.readline()
        if not reply.endswith(b"\n"):
            raise ReviewError(f"{item.id}: the process that reviewed it ended")
        return _REPLIES.decode(reply)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        with suppress(BrokenPipeError):
            self._requests.close()

    def _send(self, message: RunOptions | Item) -> None:
        with suppress(BrokenPipeError):  # whoever reads the answer learns of it
            self._requests.write(msgspec.json.encode(message) + b"\n")
            self._requests.flush()


def work() -> None:
    """Review what comes on standard input until nobody is there any more."""
    lines = iter(sys.stdin.buffer.readline, b"")
    options = msgspec.json.decode(next(lines), type=RunOptions)
    items = (msgspec.json.decode(line, type=Item) for line in lines)
    with suppress(BrokenPipeError):
        for replayed in replay_here(items, options):
            # past the interpreter's buffer, which would complain at the end that nobody reads it
            write_all(sys.stdout.fileno(), msgspec.json.encode(replayed) + b"\n")
