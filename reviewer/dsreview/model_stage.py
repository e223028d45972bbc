"""The model's part of a review: contexts of all files, one call, and who read what."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from dsreview.answer_cache import is_known
from dsreview.cache import Cache
from dsreview.calibration import CalibrationKey, FindCalibration, calibrate, no_calibration
from dsreview.change import ChangedFile
from dsreview.context import Context, ContextMode, build_contexts
from dsreview.coverage import CoverageLedger
from dsreview.model_review import ModelReview, ModelSettings, Outcome, review_contexts
from dsreview.patch import Span
from dsreview.progress import Progress
from dsreview.prompt import Backend, Message, Prompt, Role, Text
from dsreview.report import Stats
from dsreview.review_prompt import review_prompt
from dsreview.sandbox import Sandbox

MAX_CONTEXT_TOKENS = 2_000
"""More was measured to hurt: a 2,000-token prompt beat an enriched one of 2,500 for each of
eight models (SWE-PRBench, arXiv 2603.26130)."""

MAX_NEW_TOKENS = 1_024

OUT_OF_TOKENS = "the token budget was used up"


@dataclass(frozen=True, slots=True)
class ModelStage:
    backend: Backend
    mode: ContextMode
    sandbox: Sandbox
    cache: Cache
    progress: Progress
    max_tokens: int
    """For all prompts and answers together; 0 is no limit."""
    deadline_s: float | None
    votes: int = 1
    has_examples: bool = True
    find_calibration: FindCalibration = no_calibration

    def run(self, files: Sequence[ChangedFile], ledger: CoverageLedger) -> ModelReview:
        """Ask the model about every context of `files`.

        Raises:
            BackendError: the model could not be reached.
        """
        contexts = [context for file in files for context in self._contexts(file, ledger)]
        settings = ModelSettings(
            max_new_tokens=self._max_new_tokens,
            deadline_s=self.deadline_s,
            namespace="diff",
            votes=self.votes,
            has_examples=self.has_examples,
        )
        affordable = self._affordable(contexts, settings, ledger)
        with self.progress.phase("model", len(affordable) * self.votes) as phase:
            result = review_contexts(affordable, self.backend, settings, self.cache, phase.reach)
        for context_review in result.contexts:
            path = context_review.context.file.patch.path
            if context_review.outcome is Outcome.ANSWERED:
                ledger.read(path, "model")
            else:
                detail = f" ({context_review.reason})" if context_review.reason else ""
                ledger.left_out(path, f"{context_review.outcome.value}{detail}")
        return self._calibrated(result)

    def _calibrated(self, result: ModelReview) -> ModelReview:
        key_of = partial(
            CalibrationKey,
            self.backend.model,
            self.backend.identity,
            result.prompt_revision,
            votes=self.votes,
        )
        calibrated = calibrate(result.findings, key_of, self.find_calibration)
        return replace(result, findings=calibrated.findings, calibration=calibrated.in_words)

    @property
    def _max_new_tokens(self) -> int:
        """At most a quarter of the window: the code needs room as well."""
        return min(MAX_NEW_TOKENS, self.backend.max_tokens // 4)

    def _contexts(self, file: ChangedFile, ledger: CoverageLedger) -> Iterable[Context]:
        room = self.backend.max_tokens - self._max_new_tokens - self._overhead(file)
        contexts = build_contexts(
            file, self.mode, min(MAX_CONTEXT_TOKENS, max(room, 1)), self._count, self.sandbox
        )
        for context in contexts:
            for span in context.left_out:
                ledger.left_out(file.patch.path, f"{_lines(span)} did not fit the model's window")
            if context.code:
                yield context

    def _overhead(self, file: ChangedFile) -> int:
        """Tokens of a prompt about `file` with no code in it, with room for its scopes."""
        empty = Context(file, (), (), "", "", 0, is_elided=False, shown=(), left_out=())
        prompt = review_prompt(empty, has_examples=self.has_examples)
        return self.backend.count_tokens(prompt) + 64

    def _count(self, text: str) -> int:
        message = Message(Role.USER, (Text(text, is_trusted=False),))
        return self.backend.count_tokens(Prompt("count", "", (message,), ""))

    def _affordable(
        self, contexts: Sequence[Context], settings: ModelSettings, ledger: CoverageLedger
    ) -> list[Context]:
        """The first contexts that the token budget surely pays for, answers included."""
        if not self.max_tokens:
            return list(contexts)
        chosen: list[Context] = []
        left = self.max_tokens
        for context in contexts:
            cost = self._cost(context, settings)
            left -= cost
            if cost and left < 0:
                ledger.left_out(context.file.patch.path, OUT_OF_TOKENS)
            else:
                chosen.append(context)
        return chosen

    def _cost(self, context: Context, settings: ModelSettings) -> int:
        """Most tokens that asking about `context` may take; none for known answers."""
        prompts = settings.prompts(context)
        sampling, namespace = settings.sampling, settings.namespace
        num_unknown = sum(
            not is_known(prompt, self.backend, sampling, self.cache, namespace)
            for prompt in prompts
        )
        if not num_unknown:
            return 0
        return num_unknown * (self.backend.count_tokens(prompts[0]) + settings.max_new_tokens)


def stats_of(result: ModelReview, backend: Backend, votes: int) -> Stats:
    """What the model's part cost; the seconds of the whole review are not known here."""
    usage = result.usage
    return Stats(
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        model_seconds=usage.seconds,
        device=backend.device,
        model=backend.model,
        cache_hits=usage.cache_hits,
        cache_misses=usage.cache_misses,
        votes=votes,
        calibration=result.calibration,
    )


def _lines(span: Span) -> str:
    if span.num_lines <= 1:
        return f"line {span.start}"
    return f"lines {span.start}-{span.last}"
