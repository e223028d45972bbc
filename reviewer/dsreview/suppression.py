"""Findings that a comment in the code answers: `dsreview: ignore[rule] reason`.

The comment stands on the flagged line or alone on the line above it. It needs a
reason: silence without one is not honoured, and is said.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from dsreview.finding import Finding, Refusal
from dsreview.patch import split_lines

_MARK = r"(?:#|//|/\*|--|<!--|;)\s*"
_COMMENT = re.compile(
    rf"{_MARK}(?P<words>dsreview):\s*ignore\[(?P<rules>[^\]\n]{{1,200}})\]"
    rf"(?P<reason>(?:(?!{_MARK}dsreview:)[^\n]){{0,500}})"
)
_COMMENT_END = re.compile(r"\*/|-->")


IsComment = Callable[[str, int, int], bool]
"""Whether a path, line and column (in characters) lie in a comment."""


def suppress(
    findings: Iterable[Finding], texts: Mapping[str, str], is_comment: IsComment
) -> tuple[tuple[Finding, ...], tuple[Refusal, ...], tuple[str, ...]]:
    """Split off the findings that a comment answers.

    Args:
        findings: with spans in the files of `texts`.
        texts: path to new text.
        is_comment: tells a comment from a string that holds the same words.

    Returns:
        The findings that remain, a refusal for each other one, and notes on comments
        that give no reason.
    """
    kept: list[Finding] = []
    refused: list[Refusal] = []
    notes: list[str] = []
    lines_of = {path: split_lines(text) for path, text in texts.items()}
    for finding in findings:
        comment = _comment_for(finding, lines_of.get(finding.path, []), is_comment)
        if comment is None:
            kept.append(finding)
            continue
        reason = _COMMENT_END.split(comment["reason"])[0].strip(" \t\r:-")
        if not reason:
            place = f"{finding.path}:{finding.span.start}"
            notes.append(f"{place}: ignore[{finding.rule}] gives no reason and is not honoured")
            kept.append(finding)
            continue
        refused.append(Refusal(finding.path, finding.rule, "ignored in the code", reason))
    return tuple(kept), tuple(refused), tuple(dict.fromkeys(notes))


def _comment_for(
    finding: Finding, lines: Sequence[str], is_comment: IsComment
) -> re.Match[str] | None:
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
                return found
    return None


def _names(rules: str, rule: str) -> bool:
    return any(name.strip() == rule for name in rules.split(","))
