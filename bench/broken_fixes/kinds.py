"""The kinds of broken fix, and what each of them is broken in by its making."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from broken_fixes import leftovers, placing, wording
from broken_fixes.cases import Case
from broken_fixes.wording import Broken, Mutation


class Fault(StrEnum):
    """Why a mutant is broken where its code is not that of the true fix."""

    TEXT = "text"
    """It holds what is no code: marks, fences, placeholders, characters that nobody sees."""
    PLACE = "place"
    """Code beside the fix is lost, or stands twice, or the fix stands where it does not belong."""
    NAME = "name"
    """It uses a name that stands nowhere in the file and that the language does not have."""
    OPEN = "open"
    """Only a judge can tell: what is left may be valid code."""


@dataclass(frozen=True, slots=True)
class Kind:
    name: str
    fault: Fault
    mutation: Mutation


def _kinds(fault: Fault, *mutations: Mutation) -> Iterator[Kind]:
    for mutation in mutations:
        name = getattr(mutation, "__name__", "")
        yield Kind(name.replace("_", " "), fault, mutation)


KINDS: tuple[Kind, ...] = (
    *_kinds(
        Fault.OPEN,
        wording.lost_bracket,
        wording.lost_opening_bracket,
        wording.bracket_too_many,
        wording.lost_indentation,
        wording.other_indentation,
        wording.mixed_indentation,
        wording.deeper_indentation,
        wording.half_a_string,
        wording.quote_too_many,
        leftovers.typographic_quotes,
        leftovers.html_entities,
        leftovers.line_ends_written_out,
        wording.truncated,
        wording.lost_last_line,
        wording.swapped_lines,
        wording.other_language,
        wording.dangling_branch,
        placing.written_twice,
        placing.defined_twice,
    ),
    *_kinds(Fault.NAME, wording.unknown_name, wording.missing_import, wording.lookalike_letters),
    *_kinds(
        Fault.TEXT,
        leftovers.line_numbers,
        leftovers.plus_marks,
        leftovers.whole_diff,
        leftovers.fence,
        leftovers.backticks,
        leftovers.conflict_marks,
        leftovers.prose,
        leftovers.placeholder,
        leftovers.byte_order_mark,
        leftovers.carriage_returns,
        leftovers.control_character,
        leftovers.invisible_character,
    ),
    *_kinds(
        Fault.PLACE,
        placing.one_line_up,
        placing.one_line_down,
        placing.one_line_more_above,
        placing.one_line_more_below,
        placing.far_too_wide,
        placing.one_line_less,
        placing.first_line_stays,
        placing.stale_numbers,
        placing.stale_quote,
        placing.numbers_of_the_old_file,
        placing.somewhere_else,
        placing.beyond_the_file,
        placing.repeats_line_before,
        placing.repeats_line_after,
        placing.repeats_lines_around,
        placing.keeps_the_wrong_lines,
    ),
)


def mutants(case: Case) -> Mapping[Kind, Broken]:
    """One of each kind that this fix can be broken in, the same ones in every run."""
    found: dict[Kind, Broken] = {}
    for kind in KINDS:
        made = kind.mutation(case, case.randomness(kind.name))
        if made is not None:
            found[kind] = made if isinstance(made, Broken) else Broken(made)
    return found
