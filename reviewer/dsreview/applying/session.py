"""Suggestions applied one after the other to the files of one review."""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self

from dsreview import languages
from dsreview.applying.anchoring import EditedText
from dsreview.applying.ignore_comment import ignore_edit
from dsreview.applying.transaction import Writer
from dsreview.applying.values import NotApplied, OnStep, Rewrite, Target, no_step
from dsreview.change import ChangedFile, Snapshot
from dsreview.constraints import Candidate, Violation
from dsreview.constraints.parses import PARSES
from dsreview.edits import EditError
from dsreview.finding import Edit, Finding, Proof
from dsreview.patch import FilePatch, FileStatus
from dsreview.sandbox import Sandbox
from dsreview.sanitize import terminal_line
from dsreview.sources.clean_room import CleanRoom

_REGULAR = 0o100644


@dataclass(frozen=True, slots=True)
class _Now:
    """The reviewed files with what was applied since."""

    head: Snapshot
    texts: Mapping[str, EditedText]

    def paths(self) -> Sequence[str]:
        return self.head.paths()

    def read(self, path: str) -> bytes | None:
        text = self.texts.get(path)
        return self.head.read(path) if text is None else _encoded(text)

    def identity(self, path: str) -> str | None:
        return None if path in self.texts else self.head.identity(path)

    def size_bytes(self, path: str) -> int | None:
        text = self.texts.get(path)
        return self.head.size_bytes(path) if text is None else len(_encoded(text))


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be written into one file."""

    rewrite: Rewrite
    text: EditedText
    chosen: tuple[Finding, ...]
    """Whose suggestions it holds."""
    refused: tuple[str, ...]
    """Why each other one is not in it."""


class Session:
    """What one command applies; `undo --all` takes it back as a whole.

    The texts of the review are kept with the edits made since, so that later suggestions
    find their lines.
    """

    def __init__(
        self,
        head: Snapshot,
        target: Target = Target.WORKTREE,
        room: CleanRoom | None = None,
        on_step: OnStep = no_step,
    ) -> None:
        """Without a room nothing can be written, only told."""
        self.target = target
        self._head = head
        self._room = room
        self._run = secrets.token_hex(8)
        self._on_step = on_step
        self._texts: dict[str, EditedText] = {}
        self._exit = ExitStack()
        self._sandbox = Sandbox()

    def __enter__(self) -> Self:
        self._exit.enter_context(self._sandbox)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._exit.close()

    @property
    def snapshot(self) -> Snapshot:
        """The files as they are by now, as far as this session knows."""
        return _Now(self._head, self._texts)

    def text(self, path: str) -> EditedText:
        """A file as it was reviewed, with what was applied since.

        Raises:
            NotApplied: its content is not known.
        """
        if path not in self._texts:
            content = self._head.read(path)
            if content is None:
                raise NotApplied(f"{path}: its content is not known")
            self._texts[path] = EditedText(content.decode("utf-8", "surrogateescape"))
        return self._texts[path]

    def moved(self, finding: Finding) -> Finding | None:
        """A finding at its present lines; None where what was applied changed them."""
        text = self.text(finding.path)
        span = text.moved(finding.span)
        if span is None:
            return None
        suggestion = finding.suggestion
        if suggestion is not None:
            edit = text.moved_edit(suggestion.edit)
            suggestion = None if edit is None else replace(suggestion, edit=edit)
        return replace(finding, span=span, suggestion=suggestion)

    def plan(self, findings: Sequence[Finding]) -> Plan:
        """As many suggestions of one file as go together.

        Raises:
            NotApplied: its content is not known.
        """
        path = findings[0].path
        before = text = self.text(path)
        chosen: list[Finding] = []
        refused: list[str] = []
        for finding in findings:
            try:
                text = self._with_suggestion(text, finding)
            except NotApplied as error:
                refused.append(str(error))
            else:
                chosen.append(finding)
        summary = ", ".join(map(_summary, chosen))
        rewrite = Rewrite(path, _encoded(before), _encoded(text), summary)
        return Plan(rewrite, text, tuple(chosen), tuple(refused))

    def apply(self, plan: Plan) -> None:
        """Write it, all in one step.

        Raises:
            NotApplied: nothing was written, and why.
        """
        self._write(plan.rewrite, plan.text)

    def ignore(self, finding: Finding, reason: str) -> None:
        """Write the comment that answers a finding.

        Raises:
            NotApplied: nothing was written, and why.
        """
        text = self.text(finding.path)
        edit = ignore_edit(finding, text, _language(finding.path, text), reason, self._sandbox)
        after = text.with_edit(edit)
        summary = f"ignore {_summary(finding)}"
        rewrite = Rewrite(finding.path, _encoded(text), _encoded(after), summary)
        self._write(rewrite, after)

    def _with_suggestion(self, text: EditedText, finding: Finding) -> EditedText:
        """`text` with a finding's suggestion; proved again where the text is not the reviewed one.

        Raises:
            NotApplied: it is not verified, overlaps another one, or does not hold beside it.
        """
        place = f"{finding.path}:{finding.span.start}"
        suggestion = finding.suggestion
        if suggestion is None or suggestion.proof is not Proof.VERIFIED:
            raise NotApplied(f"{place}: has no verified suggestion")
        edit = text.moved_edit(suggestion.edit)
        if edit is None:
            raise NotApplied(f"{place}: its lines were changed by a suggestion applied before")
        try:
            edited = text.with_edit(suggestion.edit)
        except EditError as error:
            raise NotApplied(f"{place}: {error}") from None
        if text.edits:
            self._prove(finding, text, edit)
        return edited

    def _prove(self, finding: Finding, text: EditedText, edit: Edit) -> None:
        patch = FilePatch(finding.path, finding.path, FileStatus.MODIFIED, _REGULAR, _REGULAR)
        language = _language(finding.path, text)
        file = ChangedFile(finding.path, language, patch, None, text.text)
        verdict = PARSES.check(Candidate(file, edit, ""), self._sandbox)
        if isinstance(verdict, Violation):
            place = f"{finding.path}:{edit.span.start}"
            raise NotApplied(f"{place}: beside what was applied before, {verdict.message}")

    def _write(self, rewrite: Rewrite, after: EditedText) -> None:
        if self._room is None:
            raise NotApplied("this review is only told, not written")
        Writer(self._room, self._run, self._on_step).apply(rewrite, self.target)
        self._texts[rewrite.path] = after


def verified(findings: Iterable[Finding]) -> dict[str, list[Finding]]:
    """Findings with a verified suggestion by their file, in the order of their lines."""
    found: dict[str, list[Finding]] = {}
    for finding in findings:
        suggestion = finding.suggestion
        if suggestion is not None and suggestion.proof is Proof.VERIFIED:
            found.setdefault(finding.path, []).append(finding)
    for of_file in found.values():
        of_file.sort(key=lambda finding: finding.span)
    return found


def _encoded(text: EditedText) -> bytes:
    return text.text.encode("utf-8", "surrogateescape")


def _language(path: str, text: EditedText) -> str:
    found = languages.detect(path, text.text.partition("\n")[0], _encoded(text))
    return found.name if found else ""


def _summary(finding: Finding) -> str:
    return f"{terminal_line(finding.rule)} at line {finding.span.start}"
