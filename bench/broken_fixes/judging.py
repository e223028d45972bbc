"""What a mutant is, whatever the gate says of it."""

from collections import Counter
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from broken_fixes.cases import Case
from broken_fixes.judges import refused
from broken_fixes.kinds import Fault, Kind
from broken_fixes.tokens import is_same_code, open_brackets
from broken_fixes.wording import Broken
from dsreview.edits import EditError, apply_edit


class Truth(StrEnum):
    SAME = "same"
    """The code of the true fix, laid out in another way: not broken."""
    VALID = "valid"
    """Other code, with which nothing is wrong that a judge or its making could tell."""
    QUOTED = "replaces what is quoted"
    """The fix only adds, the finding can only quote a line beside it, and the mutant replaces
    that very line: as an answer to its finding it is well formed."""
    REFUSED = "refused by a compiler"
    UNBALANCED = "unbalanced"
    MADE = "by its making"
    """What its kind brings: see `Fault`."""

    @property
    def is_broken(self) -> bool:
        return self not in (Truth.SAME, Truth.VALID, Truth.QUOTED)


def refusals(case: Case, made: Mapping[Kind, Broken], typescript: Path | None) -> set[str] | None:
    """Kinds that only a judge can tell and that it refuses; None where it judges nothing here."""
    texts = {kind.name: _text(case, made[kind]) for kind in made if kind.fault is Fault.OPEN}
    given = {name: text for name, text in texts.items() if text is not None}
    found = refused(case.language, given | {"": case.fixed}, typescript)
    return None if found is None or "" in found else found


def truths(case: Case, made: Mapping[Kind, Broken], refused_kinds: set[str]) -> dict[Kind, Truth]:
    found = {}
    for kind, broken in made.items():
        text = _text(case, broken)
        if text is None or broken.quote is not None:
            found[kind] = Truth.MADE
        else:
            found[kind] = _truth(case, kind, text, kind.name in refused_kinds)
    return found


def is_no_fix(case: Case, typescript: Path | None) -> bool:
    """Whether the judge of the language accepts the wrong code and refuses the right one."""
    return refused(case.language, {"old": case.buggy, "new": case.fixed}, typescript) == {"new"}


def _truth(case: Case, kind: Kind, text: str, is_refused: bool) -> Truth:
    if is_refused:
        return Truth.REFUSED
    if is_same_code(case.language, text, case.fixed):
        return Truth.SAME
    mine, fixed = open_brackets(case.language, text, case.fixed)
    if mine != fixed:
        return Truth.UNBALANCED
    is_valid = kind.fault is Fault.OPEN or _has_only_more_imports(case, text)
    return Truth.VALID if is_valid else Truth.MADE


def _has_only_more_imports(case: Case, text: str) -> bool:
    """Nothing of the true fix is lost, and an import beside it is needless, not wrong."""
    mine, fixed = Counter(text.splitlines()), Counter(case.fixed.splitlines())
    more = [line for line in mine - fixed if line.strip()]
    is_whole = not [line for line in fixed - mine if line.strip()]
    return is_whole and all(line.startswith(("import ", "using ", "use ")) for line in more)


def _text(case: Case, broken: Broken) -> str | None:
    """None where the edit does not apply."""
    try:
        return apply_edit(case.buggy, broken.edit)
    except EditError:
        return None
