"""What a model says about a change: contexts to prompts, answers to findings with a place.

All contexts go to the backend in one call. Each of them ends in one outcome, so that
the report can say what was not read. An answer that was cut is used as far as it goes
and never asked again as it was: it would be cut again.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from dsreview.anchors import NotAnchored, anchor
from dsreview.answer_cache import Usage, complete
from dsreview.answers import AnsweredFinding, AnswerError, ReviewAnswer, parse_review
from dsreview.cache import Cache
from dsreview.confidence import NUM_ALTERNATIVES, NUM_DIGITS, beliefs
from dsreview.context import Context
from dsreview.finding import Basis, Finding, Origin, Refusal, Suggestion
from dsreview.patch import Span
from dsreview.prompt import Answer, Backend, Prompt, Sampling, StopReason
from dsreview.review_prompt import review_prompt, review_template
from dsreview.votes import Vote, agree

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
    votes: int = 1
    """Answers about each context."""
    has_examples: bool = True
    """Whether the prompt shows worked examples."""

    @property
    def sampling(self) -> Sampling:
        return Sampling(
            self.max_new_tokens,
            self.temperature,
            self.seed,
            self.deadline_s,
            top_logprobs=NUM_ALTERNATIVES,
        )

    def prompts(self, context: Context) -> list[Prompt]:
        """What is asked about `context`: one prompt a vote."""
        prompt = review_prompt(context, has_examples=self.has_examples)
        return [replace(prompt, vote=vote) for vote in range(self.votes)]


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
    calibration: str = ""
    """Of the confidence of its findings, in words; empty where there is none."""


@dataclass(frozen=True, slots=True)
class _Decided:
    """What came of one context."""

    review: ContextReview
    findings: tuple[Finding, ...] = ()
    refused: tuple[Refusal, ...] = ()


@dataclass(frozen=True, slots=True)
class _Read:
    """One answer about it."""

    review: ContextReview
    votes: tuple[Vote, ...] = ()
    """Its findings."""
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
        on_progress: called with how many answers are there, and how many are wanted:
            one for each context and vote.

    Raises:
        BackendError: the model could not be loaded or reached.
    """
    prompts = [settings.prompts(context) for context in contexts]
    fits = [
        bool(context.code) and _fits(alike[0], backend, settings)
        for context, alike in zip(contexts, prompts, strict=True)
    ]
    num_wanted = len(contexts) * settings.votes
    asked = [prompt for alike, fit in zip(prompts, fits, strict=True) if fit for prompt in alike]
    num_skipped = num_wanted - len(asked)
    on_progress(num_skipped, num_wanted)

    def tell(num_done: int, num_asked: int) -> None:
        on_progress(num_skipped + num_done, num_skipped + num_asked)

    result = complete(asked, backend, settings.sampling, cache, settings.namespace, tell)
    answers = iter(result.answers)
    decided = [
        _decide([_read(context, next(answers)) for _ in range(settings.votes)])
        if does_fit
        else _Decided(ContextReview(context, Outcome.TOO_LONG))
        for context, does_fit in zip(contexts, fits, strict=True)
    ]
    on_progress(num_wanted, num_wanted)
    return ModelReview(
        findings=_distinct(finding for one in decided for finding in one.findings),
        refused=tuple(refusal for one in decided for refusal in one.refused),
        contexts=tuple(one.review for one in decided),
        usage=result.usage,
        prompt_revision=review_template(has_examples=settings.has_examples).revision,
    )


def _fits(prompt: Prompt, backend: Backend, settings: ModelSettings) -> bool:
    return backend.count_tokens(prompt) + settings.max_new_tokens <= backend.max_tokens


def _decide(reads: Sequence[_Read]) -> "_Decided":
    """What the votes on one context come to; it is read where more than half of them are."""
    first = reads[0]
    if len(reads) == 1:
        return _Decided(first.review, tuple(vote.finding for vote in first.votes), first.refused)
    agreed = agree([read.votes for read in reads])
    unread = [read.review for read in reads if read.review.outcome is not Outcome.ANSWERED]
    review = unread[0] if 2 * len(unread) >= len(reads) else None
    answered = next((r.review for r in reads if r.review.outcome is Outcome.ANSWERED), None)
    refused = dict.fromkeys(refusal for read in reads for refusal in read.refused)
    return _Decided(
        review or answered or first.review, agreed.findings, (*refused, *agreed.refused)
    )


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
    believed = [round(belief.probability, NUM_DIGITS) for belief in beliefs(answer.tokens)]
    placed = [_place(given, context, believed) for given in parsed.findings]
    return _Read(
        ContextReview(context, outcome, reason, raw),
        tuple(vote for vote, _ in placed if vote is not None),
        tuple(refusal for _, refusals in placed for refusal in refusals),
    )


def _place(
    given: AnsweredFinding, context: Context, believed: Sequence[float]
) -> tuple[Vote | None, tuple[Refusal, ...]]:
    """The finding at its place, None where it has none; and what of it was refused.

    `believed` is what the tokens say of each finding; where they say nothing, its own word counts.
    """
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
    certainty = 1.0 if place.is_precise else DOUBT_OF_PLACE
    index = len(believed) if given.index is None else given.index
    has_tokens = index < len(believed)
    finding = Finding(
        rule=given.rule,
        severity=given.severity,
        path=path,
        span=place.span,
        quote=place.quote,
        message=given.message,
        scenario=given.scenario,
        confidence=certainty * (believed[index] if has_tokens else given.confidence),
        origin=Origin.MODEL,
        scope=_scope_name(context, place.span),
        suggestion=suggestion,
        basis=Basis.LOGITS if has_tokens else Basis.STATED,
    )
    return Vote(finding, certainty), refused


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
