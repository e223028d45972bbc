"""What of the rules runs in the sandbox: all that reads YAML or code of the repository."""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dsreview.checks.rule_file import Rule, read_rules
from dsreview.checks.rule_filters import FILTERS, FINDERS
from dsreview.checks.rule_fix import VARIABLE, captured_text, filled
from dsreview.errors import RuleError
from dsreview.sandbox import Task

if TYPE_CHECKING:
    from ast_grep_py import SgNode

MAX_CAPTURE_LENGTH = 120
"""Characters of a captured text that reach a message."""

MAX_LINE_LENGTH = 1000
"""Nothing is reported on a longer line: it was written by a machine."""

INDENT = re.compile(r"[ \t]*")
SURROGATE = re.compile("[\ud800-\udfff]")

# our names of languages that ast-grep calls otherwise
AST_GREP_NAMES = {"c_sharp": "csharp"}


@dataclass(frozen=True, slots=True)
class RuleSource:
    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class RuleReading:
    rules: tuple[Rule, ...]
    problem: str = ""
    """Why the file cannot be used, naming it and the key; empty where it can."""


@dataclass(frozen=True, slots=True)
class MatchRequest:
    language: str
    source: bytes
    """UTF-8; bytes that are not stand as they are."""
    rules: tuple[Rule, ...]
    lines: tuple[int, ...]
    """Only what a rule is about on these lines is reported."""


@dataclass(frozen=True, slots=True)
class Match:
    """Positions are characters from the start of the source."""

    rule: str
    key: str
    """Equal for what the rule is about with the same text but for white space."""
    start_line: int
    stop_line: int
    quote_start: int
    quote_stop: int
    captures: dict[str, str]
    """What the message names, shortened."""
    start: int
    """`start` to `stop` is the whole match: what `fixed` replaces."""
    stop: int
    fixed: str | None


@dataclass(frozen=True, slots=True)
class MatchReply:
    matches: tuple[Match, ...]


def read_team_rules(request: RuleSource) -> RuleReading:
    """The rules of one file of the repository, each tried on an empty source."""
    try:
        rules = read_rules(request.content, request.name)
        for rule in rules:
            _try(rule, request.name)
    except RuleError as error:
        return RuleReading((), str(error))
    return RuleReading(rules)


READ_TEAM_RULES = Task(
    "dsreview.checks.rule_tasks:read_team_rules", RuleSource, RuleReading, "reading rules"
)


def find_matches(request: MatchRequest) -> MatchReply:
    """What the rules find on the lines asked for, in the order of rules and of the source."""
    text = request.source.decode("utf-8", "surrogateescape")
    texts = text.split("\n")
    lines = frozenset(n for n in request.lines if len(texts[n - 1]) <= MAX_LINE_LENGTH)
    if not lines:
        return MatchReply(())
    # one for one, so that positions stay those of the text; ast-grep takes no surrogates
    root = _root(SURROGATE.sub("\ufffd", text), request.language)
    return MatchReply(
        tuple(
            match
            for rule in request.rules
            for node in _nodes(rule, root, lines)
            if (match := _match(rule, node, lines, texts)) is not None
        )
    )


def _nodes(rule: Rule, root: "SgNode", lines: frozenset[int]) -> "Iterator[SgNode]":
    for node in root.find_all(json.loads(rule.config)):
        if rule.finder:
            yield from FINDERS[rule.finder](node, lines)
        else:
            yield node


FIND_MATCHES = Task("dsreview.checks.rule_tasks:find_matches", MatchRequest, MatchReply, "matching")


def _root(text: str, language: str) -> "SgNode":
    from ast_grep_py import SgRoot  # in the sandbox alone

    return SgRoot(text, AST_GREP_NAMES.get(language, language)).root()


def _try(rule: Rule, name: str) -> None:
    for unknown in sorted(set(rule.filters) - set(FILTERS)):
        raise RuleError(f"{name}: metadata.dsreview.filters: {unknown!r} is no filter")
    if rule.finder and rule.finder not in FINDERS:
        raise RuleError(f"{name}: metadata.dsreview.finder: {rule.finder!r} is no finder")
    for language in rule.languages:
        try:
            _root("", language).find_all(json.loads(rule.config))
        except Exception as error:  # ast-grep raises nothing narrower
            reason = str(error).partition("Stack backtrace")[0]
            raise RuleError(f"{name}: rule {rule.id}: {' '.join(reason.split())}") from error


def _match(rule: Rule, node: "SgNode", lines: frozenset[int], texts: list[str]) -> Match | None:
    """None where the match is about no line of `lines`, or a filter says no."""
    places = _places(rule, node)
    touched = next((place for place in places if not lines.isdisjoint(place.lines)), None)
    if touched is None or not all(FILTERS[name](node) for name in rule.filters):
        return None
    whole = node.range()
    indent = INDENT.match(texts[whole.start.line])
    assert indent is not None  # it may be empty
    fixed = None if rule.fix is None else filled(rule.fix, node, indent[0])
    return Match(
        rule=rule.id,
        key=_digest("\0".join(place.text for place in places)),
        start_line=touched.lines.start,
        stop_line=touched.lines.stop,
        quote_start=touched.start,
        quote_stop=touched.start + len(touched.text),
        captures=dict(_captures(rule, node)),
        start=whole.start.index,
        stop=whole.end.index,
        fixed=None if fixed is None or "\ufffd" in fixed else fixed,
    )


@dataclass(frozen=True, slots=True)
class _Place:
    """Where to look for what the rule is about."""

    lines: range
    start: int
    text: str


def _places(rule: Rule, node: "SgNode") -> list[_Place]:
    """The labelled nodes; without any, the first line of the match."""
    labelled = [
        captured
        for label in rule.labels
        for captured in (node.get_match(label), *node.get_multiple_matches(label))
        if captured is not None
    ]
    if labelled:
        return [_Place(_lines(it), it.range().start.index, it.text()) for it in labelled]
    first = node.range().start
    text = node.text().partition("\n")[0].rstrip()
    return [_Place(range(first.line + 1, first.line + 2), first.index, text)]


def _lines(node: "SgNode") -> range:
    start, end = node.range().start, node.range().end
    ends_on_earlier_line = end.column == 0 and end.line > start.line
    return range(start.line + 1, end.line + (1 if ends_on_earlier_line else 2))


def _captures(rule: Rule, node: "SgNode") -> Iterator[tuple[str, str]]:
    for variable in VARIABLE.finditer(f"{rule.message} {rule.scenario}"):
        text = " ".join(captured_text(node, variable).split())
        is_long = len(text) > MAX_CAPTURE_LENGTH
        yield variable[0], text[: MAX_CAPTURE_LENGTH - 1] + "…" if is_long else text


def _digest(text: str) -> str:
    return hashlib.sha256(" ".join(text.split()).encode()).hexdigest()[:16]
