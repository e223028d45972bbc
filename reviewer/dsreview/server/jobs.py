"""What clients ask, while it waits and runs."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace

from dsreview.prompt import Answer, Prompt, Sampling, StopReason


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
        """Prompts of equal company are asked in one call."""
        return (self.prompts[index].schema, self.sampling, self.is_suspect(index))

    def is_suspect(self, index: int) -> bool:
        """Whether it is asked alone: it was there when the worker's process died."""
        return index in self.suspects

    @property
    def has_suspects(self) -> bool:
        """Whether some that wait are to be asked alone."""
        return bool(self.suspects) and any(index in self.suspects for index in self.unasked)

    def expire(self) -> None:
        """What was not asked by the deadline is not asked; what runs ends by `is_wanted`."""
        while self.unasked:
            answer = Answer("", 0, 0, StopReason.DEADLINE)
            self.events.put_nowait((self.unasked.popleft(), answer))

    async def answers(self) -> AsyncIterator[tuple[int, Answer]]:
        """Each prompt's index and answer, the fastest first."""
        num_left = len(self.prompts)
        while num_left:
            index, event = await self.events.get()
            if isinstance(event, Answer):
                num_left -= 1
                yield index, event


@dataclass(frozen=True, slots=True)
class Question:
    job: Job
    index: int

    @property
    def prompt(self) -> Prompt:
        return self.job.prompts[self.index]

    @property
    def is_suspect(self) -> bool:
        return self.job.is_suspect(self.index)

    def suits(self, company: "Sequence[Question]") -> bool:
        """Whether it may be asked in one call with `company`."""
        if not company:
            return True
        first = company[0]
        is_alike = self.job.company(self.index) == first.job.company(first.index)
        return is_alike and not self.is_suspect
