"""Blocking calls side by side, in threads that the end of the process does not wait for.

A read that blocks cannot be interrupted from another thread, and the threads of
`concurrent.futures` are joined at exit: Ctrl-C would wait for the slowest server.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from typing import TypeVar

Q = TypeVar("Q")
R = TypeVar("R")


def as_answered(
    ask: Callable[[Q], R], questions: Sequence[Q], num_threads: int
) -> Iterator[tuple[int, R]]:
    """Index and result of each question, the fastest first.

    Whoever stops iterating abandons what still runs; what has not begun never begins.

    Raises:
        BaseException: what `ask` raised, at its turn.
    """
    waiting: SimpleQueue[tuple[int, Q]] = SimpleQueue()
    done: SimpleQueue[tuple[int, Future[R]]] = SimpleQueue()
    is_abandoned = threading.Event()

    def work() -> None:
        while not is_abandoned.is_set():
            try:
                index, question = waiting.get_nowait()
            except Empty:
                return
            done.put((index, _outcome(ask, question)))

    for numbered in enumerate(questions):
        waiting.put(numbered)
    for _ in range(min(num_threads, len(questions))):
        threading.Thread(target=work, daemon=True).start()
    try:
        for _ in questions:
            index, future = done.get()
            yield index, future.result()
    finally:
        is_abandoned.set()


def _outcome(ask: Callable[[Q], R], question: Q) -> Future[R]:
    """What `ask` returns or raises, to be raised again where somebody sees it."""
    future: Future[R] = Future()
    try:
        future.set_result(ask(question))
    except BaseException as error:  # noqa: BLE001 - it goes to the thread that waits for it
        future.set_exception(error)
    return future
