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
    had_final_newline = not text or text.endswith("\n")
    return_mark = "\r" if _ends_with_return(lines, span, had_final_newline) else ""
    new = [line.removesuffix("\r") + return_mark for line in edit.lines]
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


def _ends_with_return(lines: list[str], span: Span, has_final_newline: bool) -> bool:
    """Whether new lines end with "\\r\\n": as what they replace, else follow, else precede."""
    ended = len(lines) if has_final_newline else len(lines) - 1
    replaced = [span.start - 1] if span.num_lines else []
    # the line right before may be the unfinished last one: then the one before that tells
    for at in (*replaced, span.start - 2, span.start - 3, span.stop - 1):
        if 0 <= at < ended:
            return lines[at].endswith("\r")
    return False
