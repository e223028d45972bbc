"""Where on a pull request a finding can stand: lines, a file, or the summary.

GitHub takes comments on the lines of its own diff alone, so that diff decides: the `patch`
of each file as its API sends it. A hunk counts only where each of its lines of the new file
equals the file that was reviewed, and a line only where the finding's quote stands there.
What is not certain goes to the file or to the summary; no line is guessed.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from dsreview.diff_parser import parse_hunks
from dsreview.errors import PatchError
from dsreview.finding import Finding
from dsreview.outputs.github_pr.values import PullFile, Side
from dsreview.patch import FilePatch, Hunk, LineKind, Span

NOT_IN_PULL = "the file is not part of the pull request"
NOT_SHOWN = "the lines are outside of what GitHub shows of the change"
NO_DIFF = "GitHub shows no diff of this file"
OTHER_CODE = "the pull request shows other code there"
NOT_A_NAME = "GitHub cannot be told of a file whose name is not UTF-8"
NOT_CERTAIN = "the place of the quoted code is not certain"


@dataclass(frozen=True, slots=True)
class OnLines:
    """Lines `start` to `last`, inclusive, of one hunk."""

    start: int
    last: int
    side: Side


@dataclass(frozen=True, slots=True)
class OnFile:
    reason: str


@dataclass(frozen=True, slots=True)
class InSummary:
    reason: str


Place = OnLines | OnFile | InSummary


@dataclass(frozen=True, slots=True)
class ShownFile:
    """One file of the pull request as GitHub shows it, beside what was reviewed."""

    path: str
    lines: Sequence[str]
    """Of the reviewed file; empty where the change removes it."""
    hunks: tuple[Hunk, ...]
    """Those that show the reviewed file."""
    is_contradicted: bool = False
    """There are others."""

    def hunk_around(self, span: Span) -> Hunk | None:
        """The hunk that shows all lines of `span` in the new file."""
        for hunk in self.hunks:
            if hunk.new.start <= span.start and span.stop <= hunk.new.stop:
                return hunk
        return None


def shown_file(file: PullFile, lines: Sequence[str], local: FilePatch | None = None) -> ShownFile:
    """`local` stands in where GitHub's list was too long to have a patch for each file."""
    hunks = local.hunks if local is not None else ()
    if file.patch is not None:
        try:
            hunks = parse_hunks(file.patch)
        except PatchError:
            hunks = ()  # nothing of it can be relied on
    verified = tuple(hunk for hunk in hunks if _shows(hunk, lines))
    return ShownFile(file.path, lines, verified, len(verified) < len(hunks))


def place(finding: Finding, file: ShownFile | None) -> Place:
    """Where the finding goes at best."""
    if any("\ud800" <= letter <= "\udfff" for letter in finding.path):
        return InSummary(NOT_A_NAME)
    if file is None:
        return InSummary(NOT_IN_PULL)
    if not file.hunks:
        return OnFile(OTHER_CODE if file.is_contradicted else NO_DIFF)
    if finding.span.num_lines:
        return _on_new_lines(finding, file)
    return _at_gap(finding, file)


def _shows(hunk: Hunk, lines: Sequence[str]) -> bool:
    return all(
        line.new_number is None
        or (line.new_number <= len(lines) and _equal(line.text, lines[line.new_number - 1]))
        for line in hunk.lines
    )


def _equal(shown: str, line: str) -> bool:
    """GitHub sends what is not UTF-8 as Latin-1 or with replacement characters."""
    shown, line = shown.removesuffix("\r"), line.removesuffix("\r")
    if shown == line:
        return True
    content = line.encode("utf-8", "surrogateescape")
    return shown in (content.decode("utf-8", "replace"), content.decode("latin-1"))


def _on_new_lines(finding: Finding, file: ShownFile) -> Place:
    span = finding.span
    if not _quote_stands(finding, file):
        return InSummary(NOT_CERTAIN)
    shown = [hunk for hunk in file.hunks if hunk.new.overlaps(span)]
    if not shown:
        return OnFile(NOT_SHOWN)
    hunk = max(shown, key=lambda hunk: sum(number in span for number in hunk.added))
    start, last = max(span.start, hunk.new.start), min(span.last, hunk.new.last)
    return OnLines(start, last, Side.RIGHT)


def _quote_stands(finding: Finding, file: ShownFile) -> bool:
    """Whether the lines, or what was removed in their place, hold the quoted code."""
    quote = _squeezed(finding.quote)
    span = finding.span
    if span.last > len(file.lines):
        return False
    if not quote:
        return True  # nothing to compare: the hunks themselves are verified
    code = file.lines[span.start - 1 : span.stop - 1]
    texts = [_squeezed("\n".join(code))]
    if finding.path.endswith(".ipynb"):
        texts.append(_squeezed("\n".join(map(_notebook_line, code))))
    if any(quote in text or (text and text in quote) for text in texts):
        return True
    return any(
        removal.place.overlaps(span) and any(_runs(removal.lines, quote))
        for removal in _removals(file.hunks)
    )


def _squeezed(text: str) -> str:
    """As it is compared: editors and line ends change white space alone."""
    return "".join(text.split())


def _notebook_line(line: str) -> str:
    """A line of code, of the JSON string that a notebook has it in."""
    try:
        text = json.loads(line.strip().removesuffix(","))
    except ValueError:
        return line
    return text if isinstance(text, str) else line


@dataclass(frozen=True, slots=True)
class _Removal:
    """Removed lines next to each other, and the new lines that stand in their place."""

    place: Span
    lines: tuple[tuple[int, str], ...]
    """Number in the old file, and text."""


def _removals(hunks: Sequence[Hunk]) -> Iterator[_Removal]:
    for hunk in hunks:
        next_new = hunk.new.start
        for is_change, group in groupby(hunk.lines, lambda line: line.kind is not LineKind.CONTEXT):
            lines = list(group)
            num_new = sum(line.new_number is not None for line in lines)
            removed = tuple(
                (line.old_number, line.text) for line in lines if line.old_number is not None
            )
            if is_change and removed:
                yield _Removal(Span(next_new, next_new + num_new), removed)
            next_new += num_new


def _at_gap(finding: Finding, file: ShownFile) -> Place:
    """Removed code: the lines of the old file; without them, the new lines beside the gap."""
    gap = finding.span.start
    is_gone = not file.lines
    here = [
        removal
        for removal in _removals(file.hunks)
        if is_gone or removal.place.start <= gap <= removal.place.stop
    ]
    quote = _squeezed(finding.quote)
    if not quote:
        return _without_quote(gap, here, file)
    places = [
        OnLines(first, last, Side.LEFT)
        for removal in here
        for first, last in _runs(removal.lines, quote)
    ]
    places = places or [
        OnLines(first, last, Side.RIGHT) for first, last in _runs_around(gap, quote, file)
    ]
    if len(places) == 1:
        return places[0]
    return InSummary(NOT_CERTAIN)


def _without_quote(gap: int, here: Sequence[_Removal], file: ShownFile) -> Place:
    for removal in here:
        if not file.lines or not removal.place.num_lines:
            return OnLines(removal.lines[0][0], removal.lines[-1][0], Side.LEFT)
    for line in (gap, gap - 1):
        if line >= 1 and file.hunk_around(Span(line, line + 1)):
            return OnLines(line, line, Side.RIGHT)
    return OnFile(NOT_SHOWN)


def _runs(lines: Sequence[tuple[int, str]], quote: str) -> Iterator[tuple[int, int]]:
    """First and last number of each shortest run of lines whose text is `quote`."""
    texts = [_squeezed(text) for _, text in lines]
    for first, text in enumerate(texts):
        joined = ""
        if not text:
            continue
        for last in range(first, len(texts)):
            joined += texts[last]
            if len(joined) >= len(quote):
                break
        if joined == quote:
            yield lines[first][0], lines[last][0]


def _runs_around(gap: int, quote: str, file: ShownFile) -> Iterator[tuple[int, int]]:
    """Lines of the new file on both sides of the gap, in one hunk, whose text is `quote`."""
    for hunk in file.hunks:
        if not hunk.new.start <= gap <= hunk.new.stop:
            continue
        numbered = [
            (line.new_number, line.text) for line in hunk.lines if line.new_number is not None
        ]
        for first, last in _runs(numbered, quote):
            if first <= gap <= last + 1:
                yield first, last
