"""The name that was probably meant, where exactly one in scope is spelt much alike."""

import difflib
import re

from dsreview.checks.impact.program import ChangedFacts, Program
from dsreview.finding import Edit, Suggestion
from dsreview.patch import Span
from dsreview.symbols import Reference

_MIN_LENGTH = 4
_MIN_LIKENESS = 0.8


def meant_name(program: Program, changed: ChangedFacts, reference: Reference) -> str | None:
    if len(reference.name) < _MIN_LENGTH:
        return None
    scoping = program.scoping(changed.new)
    visible = {
        binding.name
        for binding in changed.new.bindings
        if scoping.owner(binding.name, reference.scope) == binding.scope
    }
    close = difflib.get_close_matches(reference.name, sorted(visible), 2, _MIN_LIKENESS)
    return close[0] if len(close) == 1 else None


def respell(changed: ChangedFacts, reference: Reference, name: str) -> Suggestion | None:
    """The line with the right name; None where the wrong one stands there twice."""
    line = changed.lines[reference.line - 1].removesuffix("\r")
    pattern = rf"(?<![\w$]){re.escape(reference.name)}(?![\w$])"
    fixed, num_fixed = re.subn(pattern, lambda _: name, line)
    if num_fixed != 1:
        return None
    return Suggestion(Edit(Span(reference.line, reference.line + 1), (fixed,)))
