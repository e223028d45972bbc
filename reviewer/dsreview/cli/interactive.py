"""Asks a person about each finding: apply, skip, ignore, edit, quit.

What was answered is written at once, so that Ctrl-C costs nothing that was done.
"""

import os
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace

from dsreview.applying.interrupts import deferred_interrupt
from dsreview.applying.session import Session
from dsreview.applying.targets import target_of
from dsreview.applying.values import NotApplied, OnStep, Target, no_step
from dsreview.change import Snapshot
from dsreview.cli.editor import open_editor
from dsreview.cli.run import Reviewed, reviewed
from dsreview.cli.screen import Screen, standard_screen
from dsreview.errors import UsageError
from dsreview.finding import Finding, Proof
from dsreview.outputs import CodeView
from dsreview.outputs.offer_page import (
    Choice,
    ask_reason,
    closing,
    help_page,
    opening,
    passed_over,
    prompt,
    question,
    remark,
)
from dsreview.sources import SourceRequest
from dsreview.sources.clean_room import CleanRoom
from dsreview.sources.repository import Repository, find_repository

INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a person decided."""

    num_applied: int
    num_ignored: int
    left: tuple[Finding, ...]
    """Neither applied nor ignored."""
    is_interrupted: bool

    def exit_code(self, done: Reviewed) -> int:
        """As of a review that had found only what is left; 130 after Ctrl-C."""
        if self.is_interrupted:
            return INTERRUPTED
        report, config = replace(done.report, findings=self.left), done.config
        return report.exit_code(config.fail_on, partial_ok=config.partial_ok)


def review_interactively(request: SourceRequest, flags: Mapping[str, object]) -> int:
    """Review, ask about each finding, and say the exit code.

    Raises:
        UsageError: there is no terminal to ask at.
    """
    screen = standard_screen()
    with reviewed(request, flags) as done:
        outcome = offer(done, request, screen)
        return outcome.exit_code(done)


def offer(
    done: Reviewed,
    request: SourceRequest,
    screen: Screen,
    environment: Mapping[str, str] = os.environ,
    on_step: OnStep = no_step,
) -> Outcome:
    """Show every finding and do what the person at `screen` says.

    Args:
        request: what was reviewed; it says where suggestions may be written.
        environment: names the editor, and the index that a hook was given.
    """
    with ExitStack() as stack:
        target = target_of(request, environment)
        session: Session | None = None
        repository: Repository | None = None
        if isinstance(target, Target):
            repository = find_repository(request.folder, request.git_dir)
            room = stack.enter_context(CleanRoom(repository))
            session = stack.enter_context(Session(done.change.head, target, room, on_step))
        talk = _Talk(done, screen, session, repository, environment)
        notes = () if isinstance(target, Target) else (f"nothing can be applied: {target}",)
        screen.write(opening(done.report, screen.view(), notes))
        return talk.go_through()


class _Talk:
    """The conversation, and what came of it so far."""

    def __init__(
        self,
        done: Reviewed,
        screen: Screen,
        session: Session | None,
        repository: Repository | None,
        environment: Mapping[str, str],
    ) -> None:
        self._done = done
        self._screen = screen
        self._session = session
        self._repository = repository
        self._environment = environment
        self._left = list(done.report.findings)
        self._num_applied = 0
        self._num_ignored = 0

    def go_through(self) -> Outcome:
        is_interrupted = False
        findings = self._done.report.findings
        try:
            for number, finding in enumerate(findings, 1):
                if self._ask(finding, number, len(findings)) is Choice.QUIT:
                    break
        except EOFError:
            self._screen.write("\n")
        except KeyboardInterrupt:
            is_interrupted = True
            self._screen.write("\n")
        outcome = Outcome(self._num_applied, self._num_ignored, tuple(self._left), is_interrupted)
        counts = ((self._num_applied, "applied"), (self._num_ignored, "ignored"))
        report = replace(self._done.report, findings=outcome.left)
        self._screen.write(closing(counts, report, self._screen.view()))
        return outcome

    def _ask(self, finding: Finding, number: int, num_all: int) -> Choice:
        """Until an answer settles this finding; APPLY, IGNORE, SKIP or QUIT."""
        now = finding if self._session is None else self._moved(finding)
        if now is None:
            self._screen.write(passed_over(finding, self._screen.view()))
            return Choice.SKIP
        choices = self._choices(now)
        self._screen.write(question(now, number, num_all, self._view(finding.path)))
        while True:
            choice = self._choose(choices)
            if choice is Choice.HELP:
                self._screen.write(help_page(choices, self._screen.view()))
            elif choice in (Choice.SKIP, Choice.QUIT) or self._does(choice, finding, now):
                return choice

    def _moved(self, finding: Finding) -> Finding | None:
        assert self._session is not None
        try:
            return self._session.moved(finding)
        except NotApplied:
            return finding  # its file cannot be read: it is shown, and applying says why not

    def _choices(self, finding: Finding) -> tuple[Choice, ...]:
        suggestion = finding.suggestion
        found = []
        if self._session is not None:
            if suggestion is not None and suggestion.proof is Proof.VERIFIED:
                found.append(Choice.APPLY)
            found += [Choice.SKIP, Choice.IGNORE, Choice.EDIT]
        else:
            found.append(Choice.SKIP)
        return (*found, Choice.QUIT, Choice.HELP)

    def _choose(self, choices: tuple[Choice, ...]) -> Choice:
        keys = "".join(choice.key for choice in choices)
        key = self._screen.ask_key(prompt(choices, self._screen.view()), keys)
        return next(choice for choice in choices if choice.key == key)

    def _does(self, choice: Choice, finding: Finding, now: Finding) -> bool:
        """Whether the finding is settled by it."""
        try:
            if choice is Choice.EDIT:
                self._edit(now)
                return False
            words = self._apply(finding) if choice is Choice.APPLY else self._ignore(finding)
        except (NotApplied, UsageError) as error:
            self._screen.write(remark(str(error), self._screen.view(), is_good=False))
            return False
        self._screen.write(remark(words, self._screen.view(), is_good=True))
        return True

    def _apply(self, finding: Finding) -> str:
        assert self._session is not None
        plan = self._session.plan([finding])
        if plan.refused:
            raise NotApplied(plan.refused[0])
        with deferred_interrupt():  # what is written is counted
            self._session.apply(plan)
            self._num_applied += 1
            self._left.remove(finding)
        return f"applied to {self._session.target.value}: {finding.path}"

    def _ignore(self, finding: Finding) -> str:
        assert self._session is not None
        reason = self._screen.ask_line(ask_reason(self._screen.view()))
        with deferred_interrupt():
            self._session.ignore(finding, reason)
            self._num_ignored += 1
            self._left.remove(finding)
        return f"comment written to {self._session.target.value}: {finding.path}"

    def _edit(self, finding: Finding) -> None:
        repository = self._repository
        assert repository is not None
        assert repository.worktree is not None
        path = repository.worktree / finding.path
        open_editor(path, finding.span.start, repository.worktree, self._environment)

    def _view(self, path: str) -> CodeView:
        """The code as it is by now."""
        view = self._screen.view()
        head: Snapshot = self._done.change.head
        if self._session is not None:
            head = self._session.snapshot
        return replace(view, head=head)
