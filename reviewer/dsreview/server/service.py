"""What every request of the server shares: the worker, its queue, its counters."""

import asyncio
import logging
import os
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import psutil

from dsreview import __version__
from dsreview.backends.base import BackendSettings
from dsreview.backends.resident_wire import Facts, Hello, Served, State
from dsreview.backends.worker import WorkerBackend, WorkerDied
from dsreview.errors import BackendError, PromptTooLongError
from dsreview.prompt import Prompt
from dsreview.server.dispatch import Dispatcher
from dsreview.server.metrics import Metrics

_LOOK_INTERVAL_S: Final = 0.01


@dataclass(slots=True)
class Service:
    served: Served
    worker: WorkerBackend
    dispatcher: Dispatcher
    metrics: Metrics
    journal: logging.Logger
    idle_exit_s: float
    http_address: str
    facts: Facts | None = None
    last_used: float = field(default_factory=time.monotonic)
    instance: str = field(default_factory=lambda: secrets.token_hex(8))

    @classmethod
    def of(
        cls,
        backend: str,
        settings: BackendSettings,
        journal: logging.Logger,
        idle_exit_s: float,
        http_address: str,
    ) -> "Service":
        worker = WorkerBackend(backend, settings)
        return cls(
            Served(backend, settings.model, settings.device, settings.runner, settings.weights),
            worker,
            Dispatcher(worker, settings.batch_size),
            Metrics(),
            journal,
            idle_exit_s,
            http_address,
        )

    @property
    def state(self) -> State:
        if self.dispatcher.is_stopping:
            return State.STOPPING
        return State.LOADING if self.facts is None else State.READY

    @property
    def idle_s(self) -> float:
        """Seconds since something was asked or answered last."""
        if self.dispatcher.num_jobs:
            self.last_used = time.monotonic()
        return time.monotonic() - self.last_used

    async def load(self) -> None:
        """Raises BackendError where the model cannot be loaded."""
        started = time.monotonic()
        self.facts = await asyncio.to_thread(self._load)
        self.last_used = time.monotonic()
        self.journal.info("ready on %s after %.1f s", self.facts.device, time.monotonic() - started)

    def hello(self) -> Hello:
        return Hello(
            version=__version__,
            instance=self.instance,
            pid=os.getpid(),
            served=self.served,
            state=self.state,
            facts=self.facts,
            uptime_s=self.metrics.uptime_s,
            idle_exit_s=self.idle_exit_s,
            num_jobs=self.dispatcher.num_jobs,
            num_prompts_answered=self.metrics.answers.total(),
            num_restarts=self.worker.num_restarts,
            memory_bytes=self._memory_bytes(),
            http_address=self.http_address,
        )

    async def count(self, prompts: Sequence[Prompt]) -> tuple[int, ...]:
        """Raises BackendError where the worker cannot count them, even a new one."""
        self.last_used = time.monotonic()
        try:
            return await asyncio.to_thread(self.worker.count_all, prompts)
        except WorkerDied:
            return await asyncio.to_thread(self.worker.count_all, prompts)

    async def require_fit(self, prompts: Sequence[Prompt], max_new_tokens: int) -> tuple[int, ...]:
        """The tokens of each prompt.

        Raises:
            PromptTooLongError: one of them and its answer exceed the window.
            BackendError: as `count`, or the model is not loaded yet.
        """
        if self.facts is None:
            raise BackendError("the model is still being loaded")
        counts = await self.count(prompts)
        longest = max(counts, default=0)
        if longest + max_new_tokens > self.facts.max_tokens:
            raise PromptTooLongError(
                f"a prompt has {longest} tokens and asks for {max_new_tokens} more;"
                f" the model takes {self.facts.max_tokens}"
            )
        return counts

    async def close(self, dispatching: "asyncio.Task[None]") -> None:
        """End the worker, whatever it does, and the task that asks it."""
        self.dispatcher.stop()
        self.worker.close()
        while self.dispatcher.is_asking:  # those whose prompts run are told as well
            await asyncio.sleep(_LOOK_INTERVAL_S)
        dispatching.cancel()

    def _load(self) -> Facts:
        worker = self.worker
        worker.load()
        return Facts(
            worker.model,
            worker.device,
            worker.identity,
            worker.max_tokens,
            worker.counts_are_estimated,
        )

    def _memory_bytes(self) -> int:
        total = 0
        for pid in (os.getpid(), self.worker.pid):
            try:
                total += psutil.Process(pid).memory_info().rss if pid is not None else 0
            except psutil.Error:  # it ended just now
                continue
        return total
