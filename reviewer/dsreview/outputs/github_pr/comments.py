"""The bodies of comments: what is wrong, when, and what to write instead.

A comment on lines is short, since the code is right above it. As a comment on its file, or
in the summary, a finding brings its place and its code along.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from dsreview.finding import Finding
from dsreview.outputs import markdown
from dsreview.outputs.github_pr.marker import entry_marker, finding_marker
from dsreview.outputs.github_pr.placement import OnLines, Place, ShownFile
from dsreview.outputs.github_pr.sticky import Entry
from dsreview.outputs.github_pr.suggestions import Replacement, replacement
from dsreview.outputs.github_pr.values import (
    FileComment,
    InlineComment,
    Side,
)

MAX_LINE_BYTES = 240


@dataclass(frozen=True, slots=True)
class PlacedFinding:
    """A finding with all that its comments are made of."""

    finding: Finding
    """Its secrets are masked."""
    original: Finding
    """As it was found: its suggestion is code to apply."""
    place: Place
    file: ShownFile | None
    """The file as the pull request shows it; None where it shows none."""
    lines: tuple[str, ...]
    """The file after the change, its secrets masked."""
    fingerprint: str = ""
    earlier_name: str = ""
    """The fingerprint before its file was renamed."""
    fix: str = ""
    """Names the code and what to write instead, whatever it is called; or empty."""

    @property
    def names(self) -> tuple[str, ...]:
        """By any of which an earlier comment may know it."""
        return (self.fingerprint, self.earlier_name, *filter(None, [self.fix]))


def inline_comment(one: PlacedFinding, place: OnLines, key: str, head_sha: str) -> InlineComment:
    button = _button(one, place)
    blocks = [_title(one.finding), *markdown.explanation(one.finding)]
    note = _note_on_lines(one.finding, place)
    if note:
        blocks.append(note)
    if button is not None:
        place = button.place
        blocks.append(button.block)
    else:
        blocks += markdown.suggestion(one.finding, list(one.lines))
    demoted = file_comment(one, key, head_sha)
    return InlineComment(
        path=one.original.path,
        body=_body(blocks, one, key, head_sha),
        line=place.last,
        side=place.side,
        start_line=place.start if place.start < place.last else None,
        fingerprint=one.fingerprint,
        file_body=demoted.body,
        entry=demoted.entry,
    )


def line_of(one: PlacedFinding) -> int | None:
    """Where its comment stands; None for a finding that goes to no line."""
    if not isinstance(one.place, OnLines):
        return None
    button = _button(one, one.place)
    return (button.place if button is not None else one.place).last


def _button(one: PlacedFinding, place: OnLines) -> Replacement | None:
    """None also where some of its code had to be masked."""
    if one.file is None or one.finding.suggestion != one.original.suggestion:
        return None
    button = replacement(one.original, place, one.file)
    if button is None:
        return None
    lines = slice(button.place.start - 1, button.place.last)
    return button if list(one.lines[lines]) == list(one.file.lines[lines]) else None


def file_comment(one: PlacedFinding, key: str, head_sha: str) -> FileComment:
    return FileComment(
        path=one.original.path,
        body=_body(list(_with_place(one)), one, key, head_sha),
        fingerprint=one.fingerprint,
        entry=entry(one),
    )


def entry(one: PlacedFinding) -> Entry:
    finding = one.finding
    rank = finding.severity.rank
    marker = entry_marker(one.fingerprint, one.original.path, rank, finding.origin.value)
    block = "\n\n".join([marker, *_with_place(one)])
    if not isinstance(one.place, OnLines):
        block += f"\n\n_Not on a line: {one.place.reason}._"
    line = f"{marker}\n- {_title(finding)} at {markdown.place_of(finding)}: "
    line += markdown.prose(finding.message, MAX_LINE_BYTES)
    return Entry(one.fingerprint, block, line, rank)


def _with_place(one: PlacedFinding) -> Iterator[str]:
    """For readers who do not have the code in front of them."""
    yield f"{_title(one.finding)} at {markdown.place_of(one.finding)}"
    yield from markdown.explanation(one.finding)
    yield from markdown.code_and_suggestion(one.finding, list(one.lines))


def _title(finding: Finding) -> str:
    return f"**{finding.severity.label.capitalize()}** · {markdown.rule_of(finding)}"


def _note_on_lines(finding: Finding, place: OnLines) -> str:
    """Said where the comment cannot stand on all that it is about."""
    span = finding.span
    if place.side is Side.LEFT:
        return ""
    if not span.num_lines:
        return "_About the code that was removed here._"
    if place.start <= span.start and span.last <= place.last:
        return ""
    return f"_About lines {span.start} to {span.last}._"


def _body(blocks: list[str], one: PlacedFinding, key: str, head_sha: str) -> str:
    return "\n\n".join([*blocks, finding_marker(key, head_sha, one.fingerprint, one.fix)])
