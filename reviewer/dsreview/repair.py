"""Every suggestion is proved or goes: the gate, and the rounds that ask for better ones.

A suggestion that violates a constraint is asked for again, all of a round in one call of
the backend, each with its violation. No request is sent twice: wording and temperature
change with the round. When time, rounds or the model give out, the suggestion is dropped
and the finding stays.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from dsreview.answer_cache import Usage, complete, is_known
from dsreview.answers import AnswerError, parse_repair
from dsreview.cache import Cache
from dsreview.change import ChangedFile, EmptySnapshot, Snapshot
from dsreview.constraints import CONSTRAINTS, Candidate, NotVerifiable, Violation
from dsreview.constraints.parses import PARSES
from dsreview.errors import BackendError
from dsreview.finding import Edit, Finding, Origin, Proof, Refusal, Suggestion
from dsreview.package_words import PackageWords
from dsreview.prompt import Answer, Backend, Sampling, StopReason
from dsreview.repair_prompt import repair_prompt
from dsreview.sandbox import Sandbox

TEMPERATURE_STEP = 0.3
"""Added each round: at the temperature of the last one the same answer may come again."""


@dataclass(frozen=True, slots=True)
class RepairSettings:
    max_rounds: int = 3
    """How often a suggestion is asked for in all; 1 repairs nothing."""
    deadline_s: float | None = None
    """Seconds from the call for all rounds together."""
    max_new_tokens: int = 512
    seed: int = 0
    namespace: str = ""
    """As in `ModelSettings`."""
    max_tokens: int | None = None
    """For prompts and answers of all rounds together; None is no limit."""


@dataclass(frozen=True, slots=True)
class RepairResult:
    findings: tuple[Finding, ...]
    """In the order given; each suggestion has its proof."""
    refused: tuple[Refusal, ...]
    rounds: int
    """The highest round that was asked for; 1 where nothing had to be repaired."""
    usage: Usage


@dataclass(frozen=True, slots=True)
class Refused:
    """A suggestion with what speaks against it."""

    index: int
    """Of its finding."""
    candidate: Candidate
    violation: Violation


def repair(
    findings: Sequence[Finding],
    files: Sequence[ChangedFile],
    sandbox: Sandbox,
    backend: Backend | None,
    settings: RepairSettings,
    cache: Cache | None = None,
    head: Snapshot | None = None,
    unseen: frozenset[str] = frozenset(),
) -> RepairResult:
    """Prove the suggestions of `findings`, and ask `backend` again for those that fail.

    `head` shows the names of a package's other files; without it they count as unknown.
    `unseen` names those of `files` of which only hunks are known: nothing is verified there.

    Suggestions of checks pass the same gate but are not asked for again. A model that
    fails costs the suggestions that wait for it, not the findings.
    """
    packages = PackageWords(head if head is not None else EmptySnapshot())
    by_path = {file.path: file for file in files}
    rounds = _Rounds(findings, by_path, unseen, sandbox, packages)
    started = time.monotonic()
    left_tokens = settings.max_tokens
    pending = rounds.prove_all()
    number, usage = 1, Usage()
    while pending and backend is not None and number < settings.max_rounds:
        left_s = _left(settings.deadline_s, started)
        if left_s is not None and left_s <= 0:
            rounds.drop(pending, "deadline", "the time budget was used up")
            pending = []
            break
        number += 1
        room = replace(settings, deadline_s=left_s, max_tokens=left_tokens)
        try:
            pending, cost = _ask_again(rounds, pending, number, backend, room, cache)
        except BackendError as error:
            rounds.drop(pending, "backend", str(error))
            pending = []
        else:
            usage += cost
            if left_tokens is not None:
                left_tokens -= cost.prompt_tokens + cost.completion_tokens
    for refused in pending:
        rounds.drop([refused], refused.violation.constraint, refused.violation.message)
    return RepairResult(tuple(rounds.findings), tuple(rounds.refusals), number, usage)


def judge(candidate: Candidate, sandbox: Sandbox) -> Proof | Violation:
    """What all constraints together say of a suggestion; the first violation, if any."""
    is_parsed, is_certain = candidate.is_seen_whole, True
    for constraint in CONSTRAINTS:
        result = constraint.check(candidate, sandbox)
        if isinstance(result, Violation):
            return result
        if isinstance(result, NotVerifiable):
            is_parsed = is_parsed and result.constraint != PARSES.name
            is_certain = False
    if not is_parsed:
        return Proof.PARSE_NOT_VERIFIABLE
    return Proof.VERIFIED if is_certain else Proof.DOUBTFUL


class _Rounds:
    """The findings as they stand, and what was refused so far."""

    def __init__(
        self,
        findings: Sequence[Finding],
        files: dict[str, ChangedFile],
        unseen: frozenset[str],
        sandbox: Sandbox,
        packages: PackageWords,
    ) -> None:
        self.findings = list(findings)
        self.refusals: list[Refusal] = []
        self._files = files
        self._unseen = unseen
        self._sandbox = sandbox
        self._packages = packages

    def prove_all(self) -> list[Refused]:
        """Refused suggestions of the model; those of checks are dropped at once."""
        pending: list[Refused] = []
        for index, finding in enumerate(self.findings):
            if finding.suggestion is None:
                continue
            refused = self.prove(index, finding.suggestion.edit, finding.suggestion.repair_round)
            if refused is None:
                continue
            if finding.origin is Origin.MODEL:
                pending.append(refused)
            else:
                violation = refused.violation
                self.drop([refused], violation.constraint, violation.message)
        return pending

    def prove(self, index: int, edit: Edit, round_number: int) -> Refused | None:
        """Give the finding its suggestion with its proof; None if it holds."""
        finding = self.findings[index]
        file = self._files[finding.path]
        words = self._packages.around(file.patch.path, file.language)
        is_whole = file.path not in self._unseen
        place = finding.span if finding.origin is Origin.MODEL else None
        candidate = Candidate(file, edit, finding.quote, words, is_whole, place)
        verdict = judge(candidate, self._sandbox)
        if isinstance(verdict, Violation):
            return Refused(index, candidate, verdict)
        suggestion = Suggestion(edit, verdict, round_number)
        self.findings[index] = replace(finding, suggestion=suggestion)
        return None

    def drop(self, pending: Sequence[Refused], reason: str, message: str) -> None:
        """The findings stay, without their suggestions."""
        for refused in pending:
            finding = self.findings[refused.index]
            self.refusals.append(Refusal(finding.path, finding.rule, reason, message))
            self.findings[refused.index] = replace(finding, suggestion=None)


def _ask_again(
    rounds: _Rounds,
    pending: Sequence[Refused],
    number: int,
    backend: Backend,
    settings: RepairSettings,
    cache: Cache | None,
) -> tuple[list[Refused], Usage]:
    """One round: every refused suggestion in one call. What is refused again, and the cost.

    The limits of `settings` are what is left for this round.
    """
    temperature = TEMPERATURE_STEP * (number - 1)
    seed, namespace = settings.seed + number, settings.namespace
    sampling = Sampling(settings.max_new_tokens, temperature, seed, settings.deadline_s)
    asked: list[Refused] = []
    prompts = []
    left_tokens = settings.max_tokens
    for refused in pending:
        finding = rounds.findings[refused.index]
        prompt = repair_prompt(finding, refused.candidate, refused.violation, number)
        cost = backend.count_tokens(prompt) + settings.max_new_tokens
        if cost > backend.max_tokens:
            rounds.drop([refused], "window", "the repair does not fit the model's window")
            continue
        if left_tokens is not None and not is_known(prompt, backend, sampling, cache, namespace):
            if cost > left_tokens:
                rounds.drop([refused], "budget", "the token budget was used up")
                continue
            left_tokens -= cost
        asked.append(refused)
        prompts.append(prompt)
    result = complete(prompts, backend, sampling, cache, namespace)
    again = [
        still
        for refused, answer in zip(asked, result.answers, strict=True)
        if (still := _take(rounds, refused, answer, number)) is not None
    ]
    return again, result.usage


def _take(rounds: _Rounds, refused: Refused, answer: Answer, number: int) -> Refused | None:
    """Use one answer; None where this suggestion is done with, well or not."""
    if answer.stop is StopReason.FAILED:
        rounds.drop([refused], "backend", answer.problem)
        return None
    if answer.stop is not StopReason.END:
        reason = "length" if answer.stop is StopReason.LENGTH else "deadline"
        rounds.drop([refused], reason, "the repair was cut: " + refused.violation.message)
        return None
    try:
        edit = parse_repair(answer.text)
    except AnswerError as error:
        # The next round asks in other words; the violation is still the last known one.
        return replace(refused, violation=replace(refused.violation, message=str(error)))
    if edit is None:
        rounds.drop([refused], refused.violation.constraint, "the model knows no correction")
        return None
    return rounds.prove(refused.index, edit, number)


def _left(deadline_s: float | None, started: float) -> float | None:
    return None if deadline_s is None else deadline_s - (time.monotonic() - started)
