"""What a constraint looks at, and what it may say."""

from collections.abc import Callable
from dataclasses import dataclass

from dsreview.change import ChangedFile
from dsreview.edits import apply_edit
from dsreview.finding import Edit
from dsreview.patch import Span, split_lines
from dsreview.sandbox import Sandbox


@dataclass(frozen=True, slots=True)
class Candidate:
    """A suggestion on its file."""

    file: ChangedFile
    edit: Edit
    quote: str
    """The code that the finding is about; empty where there is nothing to quote."""
    package_words: frozenset[str] = frozenset()
    """Words of the files that share their names with this one without an import."""
    is_seen_whole: bool = True
    """False where only hunks of the file are known: what is around them proves nothing."""
    place: Span | None = None
    """Where the finding stands; None where a program, which does not miscount, made the edit."""

    @property
    def lines(self) -> list[str]:
        """Of the file as it is, without line ends."""
        return [line.removesuffix("\r") for line in split_lines(self.file.text)]

    @property
    def replaced(self) -> list[str]:
        return self.lines[self.edit.span.start - 1 : self.edit.span.stop - 1]

    @property
    def edited_text(self) -> str:
        """Raises EditError where the edit does not fit the file."""
        return apply_edit(self.file.text, self.edit)

    @property
    def edited_span(self) -> Span:
        """The lines that the edit writes, in the edited file."""
        start = self.edit.span.start
        return Span(start, start + len(self.edit.lines))


@dataclass(frozen=True, slots=True)
class Violation:
    constraint: str
    message: str
    span: Span
    """Lines of the edited file, as `message` counts them."""


@dataclass(frozen=True, slots=True)
class NotVerifiable:
    """The constraint could not tell: nothing speaks against the edit, nothing proves it."""

    constraint: str
    reason: str


@dataclass(frozen=True, slots=True)
class Constraint:
    name: str
    requirement: str
    """What every suggestion must satisfy, as it is told to a model."""
    check: Callable[[Candidate, Sandbox], Violation | NotVerifiable | None]
