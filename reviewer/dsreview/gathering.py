"""Findings of several reviewers made into one list: scopes, twins, places, order."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from dsreview.change import ChangedFile
from dsreview.errors import TaskFailed
from dsreview.finding import Finding, Origin, Refusal
from dsreview.languages.tasks import COMMENTS, CommentsRequest, Place
from dsreview.patch import Span, split_lines
from dsreview.sandbox import Sandbox
from dsreview.scope import find_scopes, qualified_name
from dsreview.suppression import IsComment


def with_scopes(
    findings: Iterable[Finding], files: Sequence[ChangedFile], sandbox: Sandbox
) -> list[Finding]:
    """Findings that do not say their scope get it, where the file can be parsed."""
    listed = list(findings)
    for file in files:
        places = [
            index for index, one in enumerate(listed) if one.path == file.path and not one.scope
        ]
        if not places or not file.language:
            continue
        lines = tuple(listed[index].span.start for index in places)
        try:
            chains = find_scopes(file, lines, sandbox)
        except TaskFailed:
            continue  # the finding stays; only the name of its place is not known
        for index, chain in zip(places, chains, strict=True):
            listed[index] = replace(listed[index], scope=qualified_name(chain))
    return listed


def comment_finder(files: Sequence[ChangedFile], sandbox: Sandbox) -> IsComment:
    """Tells whether a place lies in a comment; where nothing can parse it, it does."""
    by_path = {file.path: file for file in files}

    def is_comment(path: str, line: int, column: int) -> bool:
        file = by_path[path]
        if not file.language:
            return True
        before = split_lines(file.text)[line - 1][:column]
        place = Place(line, len(before.encode("utf-8", "surrogateescape")))
        source = file.source
        try:
            reply = sandbox.call(COMMENTS, CommentsRequest(file.language, source, (place,)))
        except TaskFailed:
            return True
        return reply.are_in_comments[0]

    return is_comment


def sure_enough(
    findings: Sequence[Finding], least: float
) -> tuple[list[Finding], tuple[Refusal, ...]]:
    """Those whose confidence is at least `least`; the others are refused."""
    refused = tuple(
        Refusal(one.path, one.rule, "confidence", f"{one.confidence:.0%} sure: {one.message}")
        for one in findings
        if one.confidence < least
    )
    return [one for one in findings if one.confidence >= least], refused


def distinct(findings: Iterable[Finding]) -> tuple[tuple[Finding, ...], tuple[Refusal, ...]]:
    """Drop a model's finding on the very lines that a check has already flagged.

    The check's is kept: it is the same on every machine and at every time.
    """
    listed = list(findings)
    checked = {(one.path, one.span) for one in listed if one.origin is not Origin.MODEL}
    kept: list[Finding] = []
    refused: list[Refusal] = []
    for one in listed:
        if one.origin is Origin.MODEL and (one.path, one.span) in checked:
            refused.append(Refusal(one.path, one.rule, "repeats a check", one.message))
        else:
            kept.append(one)
    return tuple(kept), tuple(refused)


def on_disk(findings: Iterable[Finding], files: Sequence[ChangedFile]) -> list[Finding]:
    """Findings in notebook cells get path and lines of the notebook's file.

    They lose their suggestion: the lines there are JSON strings.
    """
    cells = {file.path: file for file in files if file.cell is not None}
    return [_in_notebook(one, cells[one.path]) if one.path in cells else one for one in findings]


def refusals_on_disk(refused: Iterable[Refusal], files: Sequence[ChangedFile]) -> Iterator[Refusal]:
    """Refusals in notebook cells get the path of the notebook."""
    names = {file.path: file.patch.path for file in files}
    for one in refused:
        yield replace(one, path=names.get(one.path, one.path))


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Most severe first, then by path and line."""
    return tuple(sorted(findings, key=lambda one: (-one.severity.rank, one.path, one.span)))


def _in_notebook(finding: Finding, cell: ChangedFile) -> Finding:
    start = cell.file_line(finding.span.start)
    stop = start if finding.span.num_lines == 0 else cell.file_line(finding.span.last) + 1
    return replace(
        finding,
        path=cell.patch.path,
        span=Span(start, max(start, stop)),
        suggestion=None,
    )
