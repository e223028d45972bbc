"""Where lines of the reviewed text are once some suggestions have been applied to it."""

from dataclasses import dataclass, replace

from dsreview.edits import apply_edit
from dsreview.finding import Edit
from dsreview.patch import Span

BYTE_ORDER_MARK = "\ufeff"


@dataclass(frozen=True, slots=True)
class EditedText:
    """A text with the edits that made it out of the reviewed one."""

    text: str
    edits: tuple[Edit, ...] = ()
    """In lines of the reviewed text; no two of them touch the same line or gap."""

    def moved(self, span: Span) -> Span | None:
        """Lines of the reviewed text as lines of `text`; None where an edit touches them."""
        if any(_conflicts(edit.span, span) for edit in self.edits):
            return None
        shift = sum(
            len(edit.lines) - edit.span.num_lines
            for edit in self.edits
            if edit.span.stop <= span.start
        )
        return Span(span.start + shift, span.stop + shift)

    def moved_edit(self, edit: Edit) -> Edit | None:
        """An edit of the reviewed text as an edit of `text`; None where it conflicts."""
        span = self.moved(edit.span)
        return None if span is None else replace(edit, span=span)

    def with_edit(self, edit: Edit) -> "EditedText":
        """With one more edit of the reviewed text; a byte order mark stays where it was.

        Raises:
            EditError: the edit does not fit.
            ValueError: it conflicts with an edit before.
        """
        moved = self.moved_edit(edit)
        if moved is None:
            raise ValueError(f"lines {edit.span.start}-{edit.span.last} were edited before")
        text = apply_edit(self.text.removeprefix(BYTE_ORDER_MARK), _without_mark(moved))
        if self.text.startswith(BYTE_ORDER_MARK):
            text = BYTE_ORDER_MARK + text
        return EditedText(text, (*self.edits, edit))


def _without_mark(edit: Edit) -> Edit:
    """What replaces the first line may have been written with the mark or without."""
    if edit.span.start > 1 or not edit.lines:
        return edit
    return replace(edit, lines=(edit.lines[0].removeprefix(BYTE_ORDER_MARK), *edit.lines[1:]))


def _conflicts(done: Span, new: Span) -> bool:
    if done.num_lines and new.num_lines:
        return done.overlaps(new)
    if done.num_lines == new.num_lines == 0:
        return done == new  # which of two insertions comes first is not known
    gap, lines = (done, new) if done.num_lines == 0 else (new, done)
    return lines.start < gap.start < lines.stop
