"""What the server counted, as Prometheus reads it."""

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from dsreview.prompt import Answer

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_BUCKETS_S: Final = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0)


@dataclass(slots=True)
class Metrics:
    """Counts since the start; from one thread."""

    started: float = field(default_factory=time.monotonic)
    requests: Counter[tuple[str, int]] = field(default_factory=Counter)
    """By path and status."""
    answers: Counter[str] = field(default_factory=Counter)
    """By how they ended."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    durations: Counter[float] = field(default_factory=Counter)
    """Requests for answers, by the smallest bucket that holds them."""
    duration_sum_s: float = 0.0

    @property
    def uptime_s(self) -> float:
        return time.monotonic() - self.started

    def count_answer(self, answer: Answer) -> None:
        self.answers[answer.stop.value] += 1
        self.prompt_tokens += answer.prompt_tokens
        self.completion_tokens += answer.completion_tokens

    def count_duration(self, seconds: float) -> None:
        bucket = next((limit for limit in _BUCKETS_S if seconds <= limit), float("inf"))
        self.durations[bucket] += 1
        self.duration_sum_s += seconds

    def render(self, *, num_jobs: int, num_restarts: int, is_ready: bool) -> str:
        lines = [
            *_family("dsreview_requests_total", "counter", "Requests by path and status."),
            *(
                f'dsreview_requests_total{{path="{path}",status="{status}"}} {number}'
                for (path, status), number in sorted(self.requests.items())
            ),
            *_family("dsreview_answers_total", "counter", "Answers by how they ended."),
            *(
                f'dsreview_answers_total{{stop="{stop}"}} {number}'
                for stop, number in sorted(self.answers.items())
            ),
            *_single("dsreview_prompt_tokens_total", "counter", self.prompt_tokens),
            *_single("dsreview_completion_tokens_total", "counter", self.completion_tokens),
            *_single("dsreview_worker_restarts_total", "counter", num_restarts),
            *_single("dsreview_waiting_requests", "gauge", num_jobs),
            *_single("dsreview_ready", "gauge", int(is_ready)),
            *_single("dsreview_uptime_seconds", "gauge", round(self.uptime_s, 3)),
            *self._histogram("dsreview_answer_seconds"),
        ]
        return "\n".join(lines) + "\n"

    def _histogram(self, name: str) -> list[str]:
        lines = _family(name, "histogram", "Seconds from a request to its last answer.")
        number = 0
        for limit in _BUCKETS_S:
            number += self.durations[limit]
            lines.append(f'{name}_bucket{{le="{limit:g}"}} {number}')
        total = self.durations.total()
        lines.append(f'{name}_bucket{{le="+Inf"}} {total}')
        return [*lines, f"{name}_sum {self.duration_sum_s:.6f}", f"{name}_count {total}"]


_HELP: Final = {
    "dsreview_prompt_tokens_total": "Tokens of prompts that were answered.",
    "dsreview_completion_tokens_total": "Tokens that the model wrote.",
    "dsreview_worker_restarts_total": "Times that the model's process was gone.",
    "dsreview_waiting_requests": "Requests that wait or run.",
    "dsreview_ready": "Whether the model is loaded.",
    "dsreview_uptime_seconds": "Seconds since the start.",
}


def _family(name: str, kind: str, text: str) -> list[str]:
    return [f"# HELP {name} {text}", f"# TYPE {name} {kind}"]


def _single(name: str, kind: str, value: float) -> list[str]:
    return [*_family(name, kind, _HELP[name]), f"{name} {value}"]
