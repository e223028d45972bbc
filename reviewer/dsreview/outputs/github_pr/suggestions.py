"""A suggestion as GitHub applies it: new text for exactly the lines of its comment.

Only what was proved, and what the comment shows as it is, becomes a button. Everything
else is shown as a diff: an edit outside of one hunk, a file whose lines end in a carriage
return (GitHub would write them without), text that had to be masked or made visible.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from dsreview.finding import Edit, Finding, Proof
from dsreview.outputs.github_pr.placement import OnLines, ShownFile
from dsreview.outputs.github_pr.values import Side
from dsreview.patch import Span
from dsreview.sanitize import markdown_fence, terminal_line
from dsreview.secrets_mask import mask_secrets

MAX_BYTES = 12_000
MAX_LINES = 60
_MAX_APART = 3
"""Unchanged lines between what a comment is about and what it suggests to replace."""


@dataclass(frozen=True, slots=True)
class Replacement:
    """`block` replaces the lines of `place`."""

    place: OnLines
    block: str


def replacement(finding: Finding, place: OnLines, file: ShownFile) -> Replacement | None:
    """The button for the finding's suggestion, and the lines its comment must stand on."""
    suggestion = finding.suggestion
    if suggestion is None or suggestion.proof is not Proof.VERIFIED:
        return None
    edit = suggestion.edit
    if edit.span.stop > len(file.lines) + 1:
        return None
    about = Span(place.start, place.last + 1) if place.side is Side.RIGHT else finding.span
    replaced = edit.span if edit.span.num_lines else _neighbour(edit.span.start, about, file)
    if replaced is None:
        return None
    span = _together(about, replaced)
    if span is None or span.num_lines > MAX_LINES or file.hunk_around(span) is None:
        return None
    new = _with_edit(file.lines[span.start - 1 : span.stop - 1], span, edit)
    if any(line.endswith("\r") for line in file.lines) or not _is_shown_as_it_is(new):
        return None
    return Replacement(
        OnLines(span.start, span.last, Side.RIGHT), markdown_fence(new, "suggestion")
    )


def _neighbour(gap: int, about: Span, file: ShownFile) -> Span | None:
    """The shown line beside an insertion that is replaced by itself and the new lines."""
    beside = [Span(line, line + 1) for line in (gap - 1, gap) if line >= 1]
    shown = [span for span in beside if file.hunk_around(span)]
    return min(shown, key=lambda span: _distance(span, about), default=None)


def _distance(span: Span, other: Span) -> int:
    """Lines between two spans; negative where they overlap."""
    return max(span.start - other.stop, other.start - span.stop)


def _together(about: Span, replaced: Span) -> Span | None:
    """The lines that the comment stands on; None where they are too far apart."""
    if not about.num_lines:
        return replaced if _distance(replaced, about) <= 0 else None
    if about.start <= replaced.start and replaced.stop <= about.stop:
        return replaced
    if _distance(about, replaced) > _MAX_APART:
        return None
    return Span(min(about.start, replaced.start), max(about.stop, replaced.stop))


def _with_edit(old: Sequence[str], span: Span, edit: Edit) -> list[str]:
    before = old[: edit.span.start - span.start]
    behind = old[edit.span.stop - span.start :]
    return [*before, *edit.lines, *behind]


def _is_shown_as_it_is(new: Sequence[str]) -> bool:
    text = "\n".join(new)
    if new and not text.strip():
        return False  # blank lines alone look like a deletion
    if len(text.encode("utf-8", "surrogateescape")) > MAX_BYTES:
        return False
    if mask_secrets(text) != text or any(terminal_line(line) != _visible(line) for line in new):
        return False
    return markdown_fence(list(new)).split("\n")[1:-1] == list(new)


def _visible(line: str) -> str:
    return line.replace("\t", "\\x09")
