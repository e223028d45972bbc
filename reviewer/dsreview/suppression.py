"""Findings that a comment in the code answers: `dsreview: ignore[rule] reason`.

The comment stands on the flagged line or alone on the line above it. It needs a
reason: silence without one is not honoured, and is said.

Where the change under review is another's, an answer that it brings along itself is honoured
as well, and is told: whoever merges it decides whether the reason is one.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence, Set

from dsreview.finding import ANSWERED_BY_CHANGE, Finding, Refusal
from dsreview.patch import split_lines

_MARK = r"(?:#|//|/\*|--|<!--|;)\s*"
_COMMENT = re.compile(
    rf"{_MARK}(?P<words>dsreview):\s*ignore\[(?P<rules>[^\]\n]{{1,200}})\]"
    rf"(?P<reason>(?:(?!{_MARK}dsreview:)[^\n]){{0,500}})"
)
IGNORED = "ignored in the code"
_COMMENT_END = re.compile(r"\*/|-->")


IsComment = Callable[[str, int, int], bool]
"""Whether a path, line and column (in characters) lie in a comment."""


def suppress(
    findings: Iterable[Finding],
    texts: Mapping[str, str],
    is_comment: IsComment,
    added: Mapping[str, Set[int]] | None = None,
) -> tuple[tuple[Finding, ...], tuple[Refusal, ...], tuple[str, ...]]:
    """Split off the findings that a comment answers.

    Args:
        findings: with spans in the files of `texts`.
        texts: path to new text.
        is_comment: tells a comment from a string that holds the same words.
        added: path to the lines that a change of another's adds; None where it is the user's own.

    Returns:
        The findings that remain, a refusal for each other one, and notes on comments
        that give no reason or that the change of another brings along.
    """
    kept: list[Finding] = []
    refused: list[Refusal] = []
    notes: list[str] = []
    lines_of = {path: split_lines(text) for path, text in texts.items()}
    for finding in findings:
        found = _comment_for(finding, lines_of.get(finding.path, []), is_comment)
        if found is None:
            kept.append(finding)
            continue
        number, comment = found
        place = f"{finding.path}:{finding.span.start}"
        reason = _COMMENT_END.split(comment["reason"])[0].strip(" \t\r:-")
        if not reason:
            notes.append(f"{place}: ignore[{finding.rule}] gives no reason and is not honoured")
            kept.append(finding)
            continue
        gate = IGNORED
        if added is not None and number in added.get(finding.path, ()):
            gate = ANSWERED_BY_CHANGE
            notes.append(f"{place}: {finding.rule} is {gate}: {reason}")
        refused.append(Refusal(finding.path, finding.rule, gate, reason))
    return tuple(kept), tuple(refused), tuple(dict.fromkeys(notes))


def _comment_for(
    finding: Finding, lines: Sequence[str], is_comment: IsComment
) -> tuple[int, re.Match[str]] | None:
    """The line that it stands on, and the comment."""
    for number in range(finding.span.start - 1, finding.span.last + 1):
        if not 1 <= number <= len(lines):
            continue
        line = lines[number - 1]
        for found in _COMMENT.finditer(line):
            is_alone = not line[: found.start()].strip()
            if (
                _names(found["rules"], finding.rule)
                and (number >= finding.span.start or is_alone)
                and is_comment(finding.path, number, found.start("words"))
            ):
                return number, found
    return None


def _names(rules: str, rule: str) -> bool:
    return any(name.strip() == rule for name in rules.split(","))
