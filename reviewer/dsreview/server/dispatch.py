"""Whose prompt is answered next: a bounded queue in front of one worker.

Clients take turns, prompt by prompt: one that asks about a hundred contexts delays
another by an answer, not by a hundred. As many prompts are with the worker as its batch
has rows, whoever sent them; where one is answered the next one goes. A client that leaves
frees its places, those in the running batch too.

Prompts that the worker's process did not survive are asked again one by one, so that the
one that kills it is found and fails alone.
"""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final, Protocol

from dsreview.backends.base import IsWanted, OnText
from dsreview.backends.worker import WorkerDied
from dsreview.errors import BackendError, DsreviewError
from dsreview.prompt import Answer, OnAnswer, Prompt, Sampling
from dsreview.server.jobs import Job, Piece, Question

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


@dataclass(slots=True)
class Dispatcher:
    worker: Worker
    batch_size: int
    max_jobs: int = MAX_JOBS
    is_stopping: bool = False
    turns: dict[str, deque[Job]] = field(default_factory=dict)
    """Jobs with unasked prompts, by client; whoever is first has waited longest."""
    _jobs: set[Job] = field(default_factory=set)
    _work: asyncio.Event = field(default_factory=asyncio.Event)
    _asked: set[Question] = field(default_factory=set)
    """What the worker has now."""
    _calls: set["asyncio.Task[None]"] = field(default_factory=set)
    _call_s: float = 1.0
    """What a call took lately."""

    @property
    def is_asking(self) -> bool:
        """Whether the worker has something to answer."""
        return bool(self._calls)

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
            raise Busy(min(_MAX_RETRY_AFTER_S, 1 + int(self._call_s)))
        self._jobs.add(job)
        self.turns.setdefault(job.client, deque()).append(job)
        self._work.set()
        if job.end is not None:
            delay_s = max(0.0, job.end - time.monotonic())
            job.timer = asyncio.get_running_loop().call_later(delay_s, job.expire)

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
        with ThreadPoolExecutor(self.batch_size, "worker") as threads:
            while True:
                await self._work.wait()
                questions = self._next_questions()
                if not questions:
                    self._work.clear()
                    continue
                call = asyncio.create_task(self._ask(questions, threads))
                self._calls.add(call)
                call.add_done_callback(self._end)

    def _end(self, call: "asyncio.Task[None]") -> None:
        self._calls.discard(call)
        self._work.set()

    def stop(self) -> None:
        """Fail what waits; take nothing more."""
        self.is_stopping = True
        for job in self._jobs:
            self._fail(job, [*job.unasked], STOPPING)
            job.unasked.clear()

    def _next_questions(self) -> list[Question]:
        """What is asked in one call now, clients taking turns; none while there is no room."""
        if any(question.is_suspect for question in self._asked):
            return []
        if self._asked and any(job.has_suspects for job in self._jobs):
            return []  # which are asked once nothing else runs
        questions: list[Question] = []
        unsuitable: set[str] = set()
        while len(questions) + len(self._asked) < self.batch_size:
            client = next((one for one in self.turns if one not in unsuitable), None)
            if client is None:
                break
            question = self._take(client, questions)
            if question is None:
                unsuitable.add(client)
                continue
            questions.append(question)
            self.turns[client] = self.turns.pop(client)
        self._asked.update(questions)
        return questions

    def _take(self, client: str, company: Sequence[Question]) -> Question | None:
        """The next prompt of `client` that may be asked together with `company`."""
        jobs = self.turns[client]
        while jobs and not jobs[0].unasked:
            jobs.popleft()
        if not jobs:
            del self.turns[client]
            return None
        for job in jobs:
            if not job.unasked:
                continue
            question = Question(job, job.unasked[0])
            if question.suits(company) and not (question.is_suspect and self._asked):
                job.unasked.popleft()
                return question
        return None

    async def _ask(self, batch: list[Question], threads: ThreadPoolExecutor) -> None:
        loop = asyncio.get_running_loop()
        started = time.monotonic()
        unanswered = dict(enumerate(batch))

        def deliver(place: int, answer: Answer) -> None:
            question = unanswered.pop(place)
            question.job.events.put_nowait((question.index, answer))
            self._asked.discard(question)
            self._work.set()

        def tell(place: int, answer: Answer) -> None:
            loop.call_soon_threadsafe(deliver, place, answer)

        def write(place: int, offset: int, text: str) -> None:
            question = batch[place]
            if question.job.is_streamed:
                event = (question.index, Piece(offset, text))
                loop.call_soon_threadsafe(question.job.events.put_nowait, event)

        is_streamed = any(question.job.is_streamed for question in batch)
        try:
            await loop.run_in_executor(
                threads,
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
        finally:
            self._asked.difference_update(batch)
            self._call_s = (self._call_s + time.monotonic() - started) / 2

    def _ask_again(self, questions: list[Question], problem: str) -> None:
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
