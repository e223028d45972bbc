"""What a mutant is, whatever the gate says of it."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from broken_fixes.cases import Case
from broken_fixes.judges import refused
from broken_fixes.kinds import Fault, Kind
from broken_fixes.tokens import is_balanced, is_same_code
from broken_fixes.wording import Broken
from dsreview.edits import EditError, apply_edit


class Truth(StrEnum):
    SAME = "same"
    """The code of the true fix, laid out in another way: not broken."""
    VALID = "valid"
    """Other code, with which nothing is wrong that a judge or its making could tell."""
    REFUSED = "refused by a compiler"
    UNBALANCED = "unbalanced"
    MADE = "by its making"
    """What its kind brings: see `Fault`."""

    @property
    def is_broken(self) -> bool:
        return self not in (Truth.SAME, Truth.VALID)


def truths(
    case: Case, made: Mapping[Kind, Broken], typescript: Path | None
) -> tuple[dict[Kind, Truth], bool]:
    """Of each mutant, and whether the judge of the language took part."""
    texts = {kind.name: _text(case, broken) for kind, broken in made.items()}
    is_open = {kind.name for kind in made if kind.fault is Fault.OPEN}
    given = {name: text for name, text in texts.items() if text is not None and name in is_open}
    refusals = refused(case.language, given | {"": case.fixed}, typescript)
    has_judge = refusals is not None and "" not in refusals
    bad = refusals if refusals is not None and has_judge else set()
    can_count = is_balanced(case.language, case.fixed)
    found = {}
    for kind, broken in made.items():
        text = texts[kind.name]
        if text is None or broken.quote is not None:
            found[kind] = Truth.MADE
        else:
            found[kind] = _truth(case, kind, text, kind.name in bad, can_count)
    return found, has_judge


def is_no_fix(case: Case, typescript: Path | None) -> bool:
    """Whether the judge of the language accepts the wrong code and refuses the right one."""
    return refused(case.language, {"old": case.buggy, "new": case.fixed}, typescript) == {"new"}


def _truth(case: Case, kind: Kind, text: str, is_refused: bool, can_count: bool) -> Truth:
    if is_refused:
        return Truth.REFUSED
    if is_same_code(case.language, text, case.fixed):
        return Truth.SAME
    if can_count and not is_balanced(case.language, text):
        return Truth.UNBALANCED
    return Truth.VALID if kind.fault is Fault.OPEN else Truth.MADE


def _text(case: Case, broken: Broken) -> str | None:
    """None where the edit does not apply."""
    try:
        return apply_edit(case.buggy, broken.edit)
    except EditError:
        return None
