"""The edit must name lines of its file, and be of a size that people read."""

from typing import Final

from dsreview.constraints.base import Candidate, Constraint, Violation
from dsreview.patch import Span
from dsreview.sandbox import Sandbox

_NAME: Final = "fits-file"
MAX_LINES: Final = 60
MAX_LINE_CHARS: Final = 500


def _fits_file(candidate: Candidate, _: Sandbox) -> Violation | None:
    span, new = candidate.edit.span, candidate.edit.lines
    num_lines = len(candidate.lines)
    if span.stop > num_lines + 1:
        place = Span(max(num_lines, 1), max(num_lines, 1))
        return Violation(_NAME, f"the file has only {num_lines} lines", place)
    if span.num_lines > MAX_LINES or len(new) > MAX_LINES:
        return Violation(_NAME, f"the edit takes more than {MAX_LINES} lines", span)
    longest = max((len(line) for line in candidate.replaced), default=0)
    for number, line in enumerate(new, span.start):
        if len(line) > max(MAX_LINE_CHARS, longest):
            message = f"line {number} has {len(line)} characters"
            return Violation(_NAME, message, Span(number, number + 1))
    return None


FITS_FILE = Constraint(
    name=_NAME,
    requirement=f"it names lines of the file and has at most {MAX_LINES} lines of at most "
    f"{MAX_LINE_CHARS} characters",
    check=_fits_file,
)
