"""An edit applied to a text in memory; the only place where suggestions touch code.

Line ends stay as they are: new lines end as the lines they replace or follow, and
a file without a newline at its end keeps none. Nothing is ever written to disk.
"""

from dsreview.errors import ReviewError
from dsreview.finding import Edit
from dsreview.patch import Span, split_lines


class EditError(ReviewError):
    """An edit that does not fit the text it is meant for."""


def apply_edit(text: str, edit: Edit) -> str:
    """`text` with the lines of `edit.span` replaced.

    Raises:
        EditError: the span leaves the text, or a line holds a line end.
    """
    lines = split_lines(text)
    span = edit.span
    if span.stop > len(lines) + 1:
        raise EditError(f"lines {span.start}-{span.last} leave the file of {len(lines)} lines")
    if any("\n" in line for line in edit.lines):
        raise EditError("a replacement line holds a line end")
    return_mark = "\r" if _ends_with_return(lines, span) else ""
    new = [line.removesuffix("\r") + return_mark for line in edit.lines]
    had_final_newline = not text or text.endswith("\n")
    if new and not had_final_newline:
        # The unfinished last line has no "\r" to show; it gets one when it is followed.
        if span.stop == len(lines) + 1:
            new[-1] = new[-1].removesuffix("\r")
        if span.start == len(lines) + 1:
            lines[-1] += return_mark
    edited = [*lines[: span.start - 1], *new, *lines[span.stop - 1 :]]
    if not edited:
        return ""
    if had_final_newline:
        return "\n".join(edited) + "\n"
    if span.stop == len(lines) + 1 and not new:
        edited[-1] = edited[-1].removesuffix("\r")
    return "\n".join(edited)


def trim_edit(text: str, edit: Edit) -> Edit:
    """The part of `edit` that changes something: equal first and last lines left out."""
    old = split_lines(text)[edit.span.start - 1 : edit.span.stop - 1]
    new = list(edit.lines)
    start = edit.span.start
    while old and new and old[0].removesuffix("\r") == new[0]:
        old.pop(0)
        new.pop(0)
        start += 1
    while old and new and old[-1].removesuffix("\r") == new[-1]:
        old.pop()
        new.pop()
    return Edit(Span(start, start + len(old)), tuple(new))


def _ends_with_return(lines: list[str], span: Span) -> bool:
    """Whether new lines end with "\\r\\n": as what they replace, else follow, else precede."""
    replaced = lines[span.start - 1 : span.stop - 1]
    before, after = lines[: span.start - 1], lines[span.stop - 1 :]
    if span.stop == len(lines) + 1:
        replaced = replaced[:-1]  # the last line may have no line end to go by
    neighbours = [*replaced[:1], *before[-1:], *after[:1]]
    return bool(neighbours) and neighbours[0].endswith("\r")
