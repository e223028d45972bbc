"""Claims about names that can be looked up: undefined, absent, unused, duplicate.

Only plain statements with one marked name count ("`total` is never used"). What holds
under a condition, or speaks of a value at run time, cannot be looked up and is no claim.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class ClaimKind(StrEnum):
    UNDEFINED = "undefined"
    """Not defined or imported where it is used."""
    ABSENT = "absent"
    """Exists nowhere."""
    UNUSED = "unused"
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True)
class Claim:
    kind: ClaimKind
    name: str


_NAME: Final = r"[`'\"‘“](?P<name>[A-Za-z_$][\w$]*)(?:\(\))?[`'\"’”]"
_SORT: Final = (
    r"(?:(?:local|global|helper|private|public|new|parameter|variable|function|method|class|type"
    r"|constant|symbol|identifier|name|module|import|argument|field|macro|struct)\s+)*"
)
_IS: Final = r"\s+(?:\w+\s+)?(?:is|was|are|has|seems|appears)\s+(?:\w+ly\s+)?"

_PATTERNS: Final = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        (
            ClaimKind.UNDEFINED,
            rf"{_NAME}{_IS}(?:not|never)\s+(?:been\s+)?(?:defined|imported|declared)\b",
        ),
        (ClaimKind.UNDEFINED, rf"{_NAME}{_IS}(?:undeclared|not in scope|missing an import)\b"),
        (
            ClaimKind.UNDEFINED,
            rf"\b(?:undefined|undeclared|unimported|unknown)\s+{_SORT}{_NAME}",
        ),
        (
            ClaimKind.UNDEFINED,
            rf"\bmissing\s+(?:the\s+)?(?:import|definition|declaration)\s+(?:of|for)?\s*{_NAME}",
        ),
        (
            ClaimKind.UNDEFINED,
            rf"\b(?:import|definition|declaration)\s+(?:of|for)\s+{_NAME}{_IS}missing\b",
        ),
        (ClaimKind.UNDEFINED, rf"\bwithout\s+(?:importing|defining|declaring)\s+{_NAME}"),
        (ClaimKind.ABSENT, rf"{_NAME}\s+(?:\w+\s+)?(?:does not|doesn't|do not) exist\b"),
        (ClaimKind.ABSENT, rf"\b(?:no such|non-?existent|missing)\s+{_SORT}{_NAME}"),
        (ClaimKind.ABSENT, rf"\bno\s+{_SORT}(?:named|called)\s+{_NAME}"),
        (
            ClaimKind.UNUSED,
            rf"{_NAME}{_IS}(?:unused|(?:never|not)\s+(?:used|read|called|referenced))\b",
        ),
        (ClaimKind.UNUSED, rf"\bunused\s+{_SORT}{_NAME}"),
        (
            ClaimKind.DUPLICATE,
            rf"{_NAME}{_IS}(?:already|also)\s+(?:defined|declared|imported)\b",
        ),
        (ClaimKind.DUPLICATE, rf"{_NAME}{_IS}(?:defined|declared|imported)\s+(?:twice|again)\b"),
        (
            ClaimKind.DUPLICATE,
            rf"\bduplicated?\s+{_SORT}(?:(?:definition|declaration|import)\s+(?:of|for)\s+)?{_NAME}",
        ),
        (ClaimKind.DUPLICATE, rf"{_NAME}{_IS}(?:a\s+)?duplicate(?:d)?\b"),
    )
)
_SENTENCE: Final = re.compile(r"(?<=[.;!?])\s+")
_CONDITION: Final = re.compile(
    r"\b(?:if|when|unless|may|might|could|can|before|until|once|whether|some|possibly|yet"
    r"|after|on the path|in the case)\b",
    re.IGNORECASE,
)


def claims(text: str) -> Iterator[Claim]:
    """Each claim of `text` once, in order."""
    seen: set[Claim] = set()
    for sentence in _SENTENCE.split(text):
        if _CONDITION.search(sentence):
            continue
        for kind, pattern in _PATTERNS:
            for match in pattern.finditer(sentence):
                claim = Claim(kind, match["name"])
                if claim not in seen:
                    seen.add(claim)
                    yield claim
