"""What every suggestion must satisfy, whoever made it; cheap constraints first."""

from dsreview.constraints.base import Candidate, Constraint, NotVerifiable, Violation
from dsreview.constraints.changes_something import CHANGES_SOMETHING
from dsreview.constraints.complete_code import COMPLETE_CODE
from dsreview.constraints.fits_file import FITS_FILE
from dsreview.constraints.keeps_indentation import KEEPS_INDENTATION
from dsreview.constraints.keeps_to_finding import KEEPS_TO_FINDING
from dsreview.constraints.known_names import KNOWN_NAMES
from dsreview.constraints.parses import PARSES
from dsreview.constraints.plain_text import PLAIN_TEXT
from dsreview.constraints.quotes_code import QUOTES_CODE
from dsreview.constraints.repeats_nothing import REPEATS_NOTHING
from dsreview.constraints.replaces_lines import REPLACES_LINES
from dsreview.constraints.touches_change import TOUCHES_CHANGE

CONSTRAINTS: tuple[Constraint, ...] = (
    FITS_FILE,
    PLAIN_TEXT,
    CHANGES_SOMETHING,
    COMPLETE_CODE,
    TOUCHES_CHANGE,
    QUOTES_CODE,
    KEEPS_TO_FINDING,
    KEEPS_INDENTATION,
    REPEATS_NOTHING,
    REPLACES_LINES,
    PARSES,
    KNOWN_NAMES,
)

__all__ = ["CONSTRAINTS", "Candidate", "Constraint", "NotVerifiable", "Violation"]
