"""Whose prompt is answered next: a bounded queue in front of one worker.

Clients take turns, prompt by prompt: one that asks about a hundred contexts delays
another by a batch, not by a hundred answers. Prompts that may share a batch (one schema,
one way to sample) do, whoever sent them. A client that leaves frees its places, those in
the running batch too.

A batch that the worker's process did not survive is asked again prompt by prompt, so that
the one that kills it is found and fails alone.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from dsreview.backends.base import IsWanted, OnText
from dsreview.backends.worker import WorkerDied
from dsreview.errors import BackendError, DsreviewError
from dsreview.prompt import Answer, OnAnswer, Prompt, Sampling, StopReason

MAX_JOBS: Final = 64
_MAX_RETRY_AFTER_S: Final = 30
STOPPING: Final = "the server is stopping"


class Busy(DsreviewError):
    """The queue is full."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"the server is busy; ask again in {retry_after_s} s")
        self.retry_after_s = retry_after_s


class Worker(Protocol):
    """The part of `WorkerBackend` that is used here."""

    def complete(
        self,
        prompts: list[Prompt],
        sampling: Sampling,
        on_answer: OnAnswer,
        is_wanted: IsWanted,
        on_text: OnText | None,
    ) -> list[Answer]: ...


@dataclass(frozen=True, slots=True)
class Piece:
    """The next characters of an answer; `offset` were told before.

    A prompt that is asked again is told again from the start.
    """

    offset: int
    text: str


@dataclass(slots=True, eq=False)
class Job:
    """One request while it waits and runs."""

    client: str
    prompts: tuple[Prompt, ...]
    sampling: Sampling
    """Without its deadline, which is `end`."""
    end: float | None
    """Time of `time.monotonic` after which nobody waits."""
    is_streamed: bool = False
    """Whether pieces of answers are told while they are written."""
    events: asyncio.Queue[tuple[int, Answer | Piece]] = field(default_factory=asyncio.Queue)
    unasked: deque[int] = field(default_factory=deque)
    suspects: set[int] = field(default_factory=set)
    """Prompts of batches that the worker's process did not survive."""
    is_left: bool = False
    timer: asyncio.TimerHandle | None = None

    @classmethod
    def of(
        cls,
        client: str,
        prompts: tuple[Prompt, ...],
        sampling: Sampling,
        is_streamed: bool = False,
    ) -> "Job":
        end = None if sampling.deadline_s is None else time.monotonic() + sampling.deadline_s
        job = cls(client, prompts, replace(sampling, deadline_s=None), end, is_streamed)
        job.unasked.extend(range(len(prompts)))
        return job

    @property
    def is_wanted(self) -> bool:
        return not self.is_left and (self.end is None or time.monotonic() < self.end)

    def company(self, index: int) -> object:
        """Prompts of equal company may share a batch."""
        alone = (id(self), index) if index in self.suspects else None
        return (self.prompts[index].schema, self.sampling, alone)

    async def answers(self) -> AsyncIterator[tuple[int, Answer]]:
        """Each prompt's index and answer, the fastest first."""
        num_left = len(self.prompts)
        while num_left:
            index, event = await self.events.get()
            if isinstance(event, Answer):
                num_left -= 1
                yield index, event


@dataclass(frozen=True, slots=True)
class _Question:
    job: Job
    index: int

    @property
    def prompt(self) -> Prompt:
        return self.job.prompts[self.index]


@dataclass(slots=True)
class Dispatcher:
    worker: Worker
    batch_size: int
    max_jobs: int = MAX_JOBS
    is_stopping: bool = False
    is_asking: bool = False
    """Whether a batch runs."""
    turns: dict[str, deque[Job]] = field(default_factory=dict)
    """Jobs with unasked prompts, by client; whoever is first has waited longest."""
    _jobs: set[Job] = field(default_factory=set)
    _work: asyncio.Event = field(default_factory=asyncio.Event)
    _batch_s: float = 1.0
    """What a batch took lately."""

    @property
    def num_jobs(self) -> int:
        return len(self._jobs)

    def submit(self, job: Job) -> None:
        """Queue `job`; whoever does calls `leave` in the end.

        Raises:
            Busy: too many are waiting.
            BackendError: the server is stopping.
        """
        if self.is_stopping:
            raise BackendError(STOPPING)
        if len(self._jobs) >= self.max_jobs:
            raise Busy(min(_MAX_RETRY_AFTER_S, 1 + int(self._batch_s)))
        self._jobs.add(job)
        self.turns.setdefault(job.client, deque()).append(job)
        self._work.set()
        if job.end is not None:
            delay_s = max(0.0, job.end - time.monotonic())
            job.timer = asyncio.get_running_loop().call_later(delay_s, _expire, job)

    def leave(self, job: Job) -> None:
        """Nobody waits for `job` any more: its places are free."""
        job.is_left = True
        job.unasked.clear()
        self._jobs.discard(job)
        jobs = self.turns.get(job.client, deque())
        if job in jobs:
            jobs.remove(job)
            if not jobs:
                del self.turns[job.client]
        if job.timer is not None:
            job.timer.cancel()

    async def run(self) -> None:
        """Answer what is asked, until this task is cancelled."""
        while True:
            await self._work.wait()
            batch = self._next_batch()
            if not batch:
                self._work.clear()
                continue
            started = time.monotonic()
            self.is_asking = True
            try:
                await self._ask(batch)
            finally:
                self.is_asking = False
            self._batch_s = (self._batch_s + time.monotonic() - started) / 2

    def stop(self) -> None:
        """Fail what waits; take nothing more."""
        self.is_stopping = True
        for job in self._jobs:
            self._fail(job, [*job.unasked], STOPPING)
            job.unasked.clear()

    def _next_batch(self) -> list[_Question]:
        batch: list[_Question] = []
        served: dict[str, None] = {}
        has_more = True
        while has_more and len(batch) < self.batch_size:
            has_more = False
            for client in list(self.turns):
                company = batch[0].job.company(batch[0].index) if batch else None
                question = self._take(client, company)
                if question is None:
                    continue
                has_more = True
                batch.append(question)
                served[client] = None
                if len(batch) == self.batch_size:
                    break
        for client in served:
            if client in self.turns:
                self.turns[client] = self.turns.pop(client)
        return batch

    def _take(self, client: str, company: object) -> _Question | None:
        """The next prompt of `client` that may join; any where `company` is None."""
        jobs = self.turns[client]
        while jobs and not jobs[0].unasked:
            jobs.popleft()
        if not jobs:
            del self.turns[client]
            return None
        for job in jobs:
            if job.unasked and company in (None, job.company(job.unasked[0])):
                return _Question(job, job.unasked.popleft())
        return None

    async def _ask(self, batch: list[_Question]) -> None:
        loop = asyncio.get_running_loop()
        unanswered = dict(enumerate(batch))

        def deliver(place: int, answer: Answer) -> None:
            question = unanswered.pop(place)
            question.job.events.put_nowait((question.index, answer))

        def tell(place: int, answer: Answer) -> None:
            loop.call_soon_threadsafe(deliver, place, answer)

        def write(place: int, offset: int, text: str) -> None:
            question = batch[place]
            if question.job.is_streamed:
                event = (question.index, Piece(offset, text))
                loop.call_soon_threadsafe(question.job.events.put_nowait, event)

        is_streamed = any(question.job.is_streamed for question in batch)
        try:
            await asyncio.to_thread(
                self.worker.complete,
                [question.prompt for question in batch],
                batch[0].job.sampling,
                tell,
                lambda place: batch[place].job.is_wanted,
                write if is_streamed else None,
            )
        except WorkerDied as error:
            self._ask_again(list(unanswered.values()), str(error))
        except BackendError as error:
            for question in unanswered.values():
                self._fail(question.job, [question.index], str(error))

    def _ask_again(self, questions: list[_Question], problem: str) -> None:
        """Each alone; what was alone already has killed the process, and fails."""
        for question in reversed(questions):
            job, index = question.job, question.index
            if job.is_left:
                continue
            if index in job.suspects or self.is_stopping:
                self._fail(job, [index], STOPPING if self.is_stopping else problem)
                continue
            job.suspects.add(index)
            job.unasked.appendleft(index)
            jobs = self.turns.setdefault(job.client, deque())
            if job not in jobs:
                jobs.appendleft(job)
            self._work.set()

    def _fail(self, job: Job, indices: list[int], problem: str) -> None:
        for index in indices:
            job.events.put_nowait((index, Answer.failed(problem)))


def _expire(job: Job) -> None:
    """What was not asked by the deadline is not asked; what runs ends by `is_wanted`."""
    while job.unasked:
        answer = Answer("", 0, 0, StopReason.DEADLINE)
        job.events.put_nowait((job.unasked.popleft(), answer))
