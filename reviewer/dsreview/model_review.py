"""What a model says about a change: contexts to prompts, answers to findings with a place.

All contexts go to the backend in one call. Each of them ends in one outcome, so that
the report can say what was not read. An answer that was cut is used as far as it goes
and never asked again as it was: it would be cut again.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from dsreview.anchors import NotAnchored, anchor
from dsreview.answer_cache import Usage, complete
from dsreview.answers import AnsweredFinding, AnswerError, ReviewAnswer, parse_review
from dsreview.cache import Cache
from dsreview.context import Context
from dsreview.finding import Finding, Origin, Refusal, Suggestion
from dsreview.patch import Span
from dsreview.prompt import Answer, Backend, Prompt, Sampling, StopReason
from dsreview.review_prompt import review_prompt, review_template

DOUBT_OF_PLACE = 0.5
"""Factor on the confidence of a finding whose place in the hunk is open."""


@dataclass(frozen=True, slots=True)
class ModelSettings:
    max_new_tokens: int = 1_024
    temperature: float = 0.0
    seed: int = 0
    deadline_s: float | None = None
    """Seconds from the call; contexts not answered by then are left out, and said to be."""
    namespace: str = ""
    """Reviews of different namespaces share no cached answers."""

    @property
    def sampling(self) -> Sampling:
        return Sampling(self.max_new_tokens, self.temperature, self.seed, self.deadline_s)


class Outcome(StrEnum):
    """What became of one context; the value is the reason that users read."""

    ANSWERED = "answered"
    CUT = "the model's answer was cut by its length limit"
    UNREADABLE = "the model's answer could not be read"
    DEADLINE = "the time budget was used up"
    FAILED = "the model gave no answer"
    TOO_LONG = "too long for the model's window"


@dataclass(frozen=True, slots=True)
class ContextReview:
    context: Context
    outcome: Outcome
    reason: str = ""
    """More than the outcome says, where there is more; one line."""
    raw_answer: str = ""
    """What the model wrote, where not all of it was understood: for a debug file."""


@dataclass(frozen=True, slots=True)
class ModelReview:
    findings: tuple[Finding, ...]
    refused: tuple[Refusal, ...]
    contexts: tuple[ContextReview, ...]
    """In the order given."""
    usage: Usage
    prompt_revision: str


@dataclass(frozen=True, slots=True)
class _Read:
    review: ContextReview
    findings: tuple[Finding, ...] = ()
    refused: tuple[Refusal, ...] = ()


def review_contexts(
    contexts: Sequence[Context],
    backend: Backend,
    settings: ModelSettings,
    cache: Cache | None,
    on_progress: Callable[[int, int], None],
) -> ModelReview:
    """Ask `backend` about every context.

    Args:
        on_progress: called with how many contexts are done, and how many there are.

    Raises:
        BackendError: the model could not be loaded or reached.
    """
    prompts = [review_prompt(context) for context in contexts]
    fits = [
        bool(context.code) and _fits(prompt, backend, settings)
        for context, prompt in zip(contexts, prompts, strict=True)
    ]
    on_progress(fits.count(False), len(contexts))
    asked = [prompt for prompt, does_fit in zip(prompts, fits, strict=True) if does_fit]
    num_skipped = len(contexts) - len(asked)

    def tell(num_done: int, num_asked: int) -> None:
        on_progress(num_skipped + num_done, num_skipped + num_asked)

    result = complete(asked, backend, settings.sampling, cache, settings.namespace, tell)
    answers = iter(result.answers)
    reads = [
        _read(context, next(answers))
        if does_fit
        else _Read(ContextReview(context, Outcome.TOO_LONG))
        for context, does_fit in zip(contexts, fits, strict=True)
    ]
    on_progress(len(contexts), len(contexts))
    return ModelReview(
        findings=_distinct(finding for read in reads for finding in read.findings),
        refused=tuple(refusal for read in reads for refusal in read.refused),
        contexts=tuple(read.review for read in reads),
        usage=result.usage,
        prompt_revision=review_template().revision,
    )


def _fits(prompt: Prompt, backend: Backend, settings: ModelSettings) -> bool:
    return backend.count_tokens(prompt) + settings.max_new_tokens <= backend.max_tokens


def _read(context: Context, answer: Answer) -> _Read:
    """The findings of one answer, and how far it could be read."""
    outcome = {
        StopReason.END: Outcome.ANSWERED,
        StopReason.LENGTH: Outcome.CUT,
        StopReason.DEADLINE: Outcome.DEADLINE,
        StopReason.FAILED: Outcome.FAILED,
    }[answer.stop]
    try:
        parsed = parse_review(answer.text)
    except AnswerError as error:
        parsed = ReviewAnswer((), (str(error),))
    reason = answer.problem
    if outcome is Outcome.ANSWERED and parsed.problems:
        outcome, reason = Outcome.UNREADABLE, "; ".join(parsed.problems)
    raw = "" if outcome is Outcome.ANSWERED else answer.text
    placed = [_place(given, context) for given in parsed.findings]
    return _Read(
        ContextReview(context, outcome, reason, raw),
        tuple(finding for finding, _ in placed if finding is not None),
        tuple(refusal for _, refusals in placed for refusal in refusals),
    )


def _place(given: AnsweredFinding, context: Context) -> tuple[Finding | None, tuple[Refusal, ...]]:
    """The finding at its place, None where it has none; and what of it was refused."""
    path = context.file.path
    place = anchor(given.quote, given.line, context.file, context.hunks)
    if isinstance(place, NotAnchored):
        return None, (Refusal(path, given.rule, "quote", f"{place.reason}: {given.message}"),)
    refused: tuple[Refusal, ...] = ()
    if given.edit_problem:
        refused = (Refusal(path, given.rule, "answer", given.edit_problem),)
    suggestion = Suggestion(given.edit) if given.edit is not None else None
    if suggestion is not None and not place.is_precise:
        suggestion = None
        refused = (Refusal(path, given.rule, "anchor", "suggested for a line that is not certain"),)
    finding = Finding(
        rule=given.rule,
        severity=given.severity,
        path=path,
        span=place.span,
        quote=place.quote,
        message=given.message,
        scenario=given.scenario,
        confidence=given.confidence * (1.0 if place.is_precise else DOUBT_OF_PLACE),
        origin=Origin.MODEL,
        scope=_scope_name(context, place.span),
        suggestion=suggestion,
    )
    return finding, refused


def _scope_name(context: Context, span: Span) -> str:
    holding = [scope for scope in context.scopes if span.start in scope.span]
    innermost = min(holding, key=lambda scope: scope.span.num_lines, default=None)
    return innermost.name if innermost is not None else ""


def _distinct(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """One finding a rule and place, the most confident; in the order found."""
    best: dict[tuple[str, str, Span], Finding] = {}
    for finding in findings:
        key = (finding.path, finding.rule, finding.span)
        known = best.get(key)
        if known is None or finding.confidence > known.confidence:
            best[key] = finding
    return tuple(best.values())
