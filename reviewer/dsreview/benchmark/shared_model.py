"""One model for many reviews that run at once: what they ask together goes to it together.

The reviews of a chunk are threads; each waits when it asks. When all of them wait or are done,
their prompts go out in the order of the reviews, so that batches are full and the same every
time. The model itself is used by the calling thread alone.
"""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import groupby

from dsreview.benchmark.items import Item
from dsreview.benchmark.own_tests import passes_own_test
from dsreview.benchmark.replay import Replayed, SideReview, joined, review_side, sides_of
from dsreview.benchmark.results import Side
from dsreview.benchmark.settings import RunOptions
from dsreview.cache import NoCache
from dsreview.calibration_files import find_calibration
from dsreview.errors import BackendError
from dsreview.progress import SilentProgress
from dsreview.prompt import Answer, Backend, OnAnswer, Prompt, Sampling, ignore_answer
from dsreview.review import Tools
from dsreview.sandbox import Sandbox


def replay_with_model(
    items: Sequence[Item], options: RunOptions, backend: Backend, chunk_size: int
) -> Iterator[tuple[Replayed, ...]]:
    """Each of `items` reviewed with `backend`, in chunks of `chunk_size`, in their order.

    Raises:
        BackendError: the model could not be used.
    """
    with Sandbox() as sandbox:
        for start in range(0, len(items), chunk_size):
            yield _replay_chunk(items[start : start + chunk_size], options, backend, sandbox)


def _replay_chunk(
    items: Sequence[Item], options: RunOptions, backend: Backend, sandbox: Sandbox
) -> tuple[Replayed, ...]:
    tasks = [(item, side) for item in items for side in sides_of(item)]
    exchange = Exchange(backend, len(tasks))
    passes_test = passes_own_test if options.run_tests else None

    def work(number: int, item: Item, side: Side) -> SideReview:
        client = Client(exchange, number)
        tools = Tools(
            sandbox,
            NoCache(),
            lambda: client,
            SilentProgress(),
            find_calibration=find_calibration,
        )
        try:
            return review_side(item, side, options.config, tools, passes_test)
        finally:
            exchange.leave()

    with ThreadPoolExecutor(max_workers=len(tasks)) as threads:
        futures = [threads.submit(work, number, *task) for number, task in enumerate(tasks)]
        exchange.serve()
        reviews = iter([future.result() for future in futures])
    return tuple(joined([next(reviews) for _ in sides_of(item)]) for item in items)


@dataclass(slots=True)
class _Request:
    prompts: Sequence[Prompt]
    sampling: Sampling
    on_answer: OnAnswer
    done: threading.Event = field(default_factory=threading.Event)
    answers: list[Answer] = field(default_factory=list)
    error: BackendError | None = None


class Exchange:
    """Between reviews, each in its thread, and the backend, in the thread of `serve`."""

    def __init__(self, backend: Backend, num_reviews: int) -> None:
        self.backend = backend
        self.counting = threading.Lock()
        self._changed = threading.Condition()
        self._waiting: dict[int, _Request] = {}
        self._num_running = num_reviews
        self._is_closed = False

    def ask(self, number: int, request: _Request) -> list[Answer]:
        """Wait for the answers to the review of this number.

        Raises:
            BackendError: the model could not be used, or the run is being ended.
        """
        with self._changed:
            if self._is_closed:
                raise BackendError("the run was ended")
            self._waiting[number] = request
            self._changed.notify_all()
        request.done.wait()
        if request.error is not None:
            raise request.error
        return request.answers

    def leave(self) -> None:
        """A review is done, or failed."""
        with self._changed:
            self._num_running -= 1
            self._changed.notify_all()

    def serve(self) -> None:
        """Answer until no review is left; whatever ends it early ends the reviews as well."""
        try:
            while requests := self._gathered():
                self._answer(requests)
        finally:
            with self._changed:
                self._is_closed = True
                for request in self._waiting.values():
                    request.error = BackendError("the run was ended")
                    request.done.set()

    def _gathered(self) -> list[_Request]:
        """All that is asked, once every review waits; nothing when all are done."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._waiting) == self._num_running)
            return [self._waiting[number] for number in sorted(self._waiting)]

    def _answer(self, requests: Sequence[_Request]) -> None:
        """Ask the backend: one call for all requests that are drawn alike."""
        for _, alike in groupby(sorted(requests, key=_call), key=_call):
            self._call(list(alike))
        with self._changed:
            self._waiting.clear()
            for request in requests:
                request.done.set()

    def _call(self, requests: Sequence[_Request]) -> None:
        owners = [(request, index) for request in requests for index in range(len(request.prompts))]

        def tell(place: int, answer: Answer) -> None:
            request, index = owners[place]
            request.on_answer(index, answer)

        prompts = [prompt for request in requests for prompt in request.prompts]
        try:
            answers = iter(self.backend.complete(prompts, requests[0].sampling, tell))
        except BackendError as error:
            for request in requests:
                request.error = error
            return
        for request in requests:
            request.answers = [next(answers) for _ in request.prompts]


def _call(request: _Request) -> str:
    """What the prompts of one call have in common."""
    schemas = sorted({prompt.schema for prompt in request.prompts})
    return repr((request.sampling, schemas))


class Client:
    """The backend, as one review sees it."""

    def __init__(self, exchange: Exchange, number: int) -> None:
        backend = exchange.backend
        self._exchange = exchange
        self._number = number
        self.model = backend.model
        self.device = backend.device
        self.identity = backend.identity
        self.max_tokens = backend.max_tokens

    @property
    def counts_are_estimated(self) -> bool:
        return self._exchange.backend.counts_are_estimated

    def count_tokens(self, prompt: Prompt) -> int:
        with self._exchange.counting:  # tokenizers do not promise to be safe among threads
            return self._exchange.backend.count_tokens(prompt)

    def complete(
        self,
        prompts: Sequence[Prompt],
        sampling: Sampling,
        on_answer: OnAnswer = ignore_answer,
    ) -> list[Answer]:
        if not prompts:
            return []
        return self._exchange.ask(self._number, _Request(prompts, sampling, on_answer))

    def close(self) -> None:
        """Whoever opened the backend closes it."""
