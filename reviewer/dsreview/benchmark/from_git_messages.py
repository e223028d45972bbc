"""What a commit says of itself: a fix, a revert, or neither. Measured in docs/bench-make.md."""

import re

_FIX = re.compile(
    r"\b(?:(?:bug|hot)?-?fix(?:e[sd]|ing|up)?|bugs?|crash\w*|regress\w+|segfault\w*|deadlock\w*"
    r"|incorrect\w*|wrong\w*|broken|race|leak\w*|overflow\w*|panic\w*|infinite|off[- ]by[- ]one"
    r"|use[- ]after[- ]free|null ?pointer|npe|stack ?overflow\w*)\b",
    re.IGNORECASE,
)
_NO_BUG = re.compile(
    r"^(?:docs?|chore|ci|build|style|test|tests|refactor|feat|types?|perf)\b[^:]{0,40}:"
    r"|^merge\b|^revert\b|\btypos?\b|\bspelling\b|\bwhite ?space\b"
    r"|\b(?:es)?lint\w*|\brubocop\b|\bflake8\b|\bmypy\b"
    r"|\bformatting\b|\bindentation\b|\bcode ?style\b|\bcs fix\w*|\bwarnings?\b|\bjavadocs?\b"
    r"|\bdoc(?:s|strings?|umentation)\b|\bcomments?\b|\breadme\b|\bchangelog\b|\bgrammar\b"
    r"|\btypings?\b|\btype (?:fix|annotation|definition|hint|check|for)\w*|\bfix\(types\)"
    r"|\bclean ?up\b|\brefactor\w*|\bflaky\b|\b(?:ci|travis|appveyor)\b|\bphpstan\b|\bclippy\b"
    r"|\bdeprecat\w+|\brenam\w+|\bcompil(?:e|es|ing|ation)\b|\bthe build\b|\bcoverage\b|\bpep-?8\b"
    r"|^(?:[\w./-]+:? )?(?:support|implement|allow)\w*\b|\badd(?:s|ed|ing)? (?:\w+ )?support\b"
    r"|\bfix\w*(?: (?!and\b|with\b|add|plus\b)[\w.'-]+){0,3} (?:tests?|specs?|unittests?)\b",
    re.IGNORECASE,
)
_REVERTED = re.compile(r"\b[Rr]everts? commit ([0-9a-f]{7,64})\b")
_IS_REVERT = re.compile(r"\brevert(?:s|ed|ing)?\b|\bback(?:ing|ed)? out\b", re.IGNORECASE)


def is_fix(subject: str) -> bool:
    """Whether the subject speaks of a bug that is gone now, and not of prose, tests or style."""
    return _FIX.search(subject) is not None and _NO_BUG.search(subject) is None


def speaks_of_a_fix(message: str) -> bool:
    """Whether any word of the message does; then the commit is no sample of benign work."""
    return _FIX.search(message) is not None


def is_revert(message: str) -> bool:
    return _IS_REVERT.search(message) is not None


def reverted_ids(message: str) -> list[str]:
    """Ids, perhaps abbreviated, of the commits that this one takes back."""
    return _REVERTED.findall(message)
