"""Where a finding stands: its quoted code, looked up among the changed lines.

Line numbers of models are wrong now and then; quotes rarely. So the quote decides, and
the claimed line only chooses between twins, where all but one of them are farther from
it than models miscount. White space never decides: models lose indentation, and a
quote that has lost its own may equal another line to the letter. What stays open is not
guessed: the finding gets the whole hunk as its place, and no suggestion.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from dsreview.change import ChangedFile
from dsreview.context_rows import make_visible
from dsreview.patch import Hunk, LineKind, Span, split_lines

_PRINTED_MARKS = re.compile(r"^(?=.) *\d* [+\- ] ", re.MULTILINE)
"""Number and mark as printed before each line of a prompt, where a quote has them too."""
_CARRIAGE_RETURN = make_visible("\r")
_MISCOUNT = 3
"""How far a claimed line may be off besides counting removed lines as lines."""


@dataclass(frozen=True, slots=True)
class Anchor:
    span: Span
    """On added lines, or the gap that removed ones left."""
    quote: str
    """The code there, as it stands in the file; of a gap, what was removed."""
    is_precise: bool
    """False: somewhere in this hunk."""


@dataclass(frozen=True, slots=True)
class NotAnchored:
    """The finding has no place in this change."""

    reason: str


def anchor(
    quote: str, claimed_line: int, file: ChangedFile, hunks: Sequence[Hunk]
) -> Anchor | NotAnchored:
    """The place in `file.text` of code that a model quotes, among the changes of `hunks`."""
    text = _Squeezed(split_lines(file.text))
    needle = squeeze(quote)
    spots = _changed_spots(text, needle, hunks) if needle else []
    if not spots:
        needle = squeeze(_PRINTED_MARKS.sub("", quote))
        spots = _changed_spots(text, needle, hunks) if needle else []
    if not needle:
        return NotAnchored("the quote is empty")
    is_elsewhere = any(claimed_line in span for span in text.find(needle)) and not any(
        claimed_line in spot.span for spot in spots
    )
    reach = _MISCOUNT + sum(
        line.kind is LineKind.REMOVED for hunk in file.patch.hunks for line in hunk.lines
    )
    near = [spot for spot in spots if _distance(spot.span, claimed_line) <= reach]
    if not is_elsewhere and (len(spots) == 1 or len(near) == 1):
        return (near or spots)[0]
    if spots:
        return _somewhere(claimed_line if near else spots[0].span.start, hunks, text)
    if next(text.find(needle), None) is None:
        return NotAnchored("the quoted code does not exist")
    if any(claimed_line in hunk.new for hunk in hunks):
        return _somewhere(claimed_line, hunks, text)
    return NotAnchored("the quoted code is not part of the change")


def squeeze(text: str) -> str:
    """`text` as it is compared: without white space, and as it was shown to the model."""
    return "".join(word for line in text.split("\n") for word in _words(line))


def _words(line: str) -> list[str]:
    """What of a line is compared. A carriage return is shown where the others have none."""
    return make_visible(line).replace(_CARRIAGE_RETURN, "").split()


class _Squeezed:
    """Lines joined without their white space, and where each of them begins."""

    def __init__(self, lines: Sequence[str]) -> None:
        self.lines = lines
        self._starts: list[int] = []
        words: list[str] = []
        self._word_starts: set[int] = set()
        length = 0
        for line in lines:
            self._starts.append(length)
            for word in _words(line):
                self._word_starts.add(length)
                words.append(word)
                length += len(word)
        self._text = "".join(words)

    def find(self, needle: str) -> Iterator[Span]:
        """Lines of each place where `needle` stands, overlapping ones too."""
        position = self._text.find(needle)
        while position >= 0:
            end = position + len(needle)
            if not self._splits_word(position) and not self._splits_word(end):
                yield Span(self._line(position), self._line(end - 1) + 1)
            position = self._text.find(needle, position + 1)

    def _line(self, position: int) -> int:
        return bisect_right(self._starts, position)

    def _splits_word(self, position: int) -> bool:
        """Whether a name or number goes on from before to behind `position`."""
        if position in self._word_starts or not 0 < position < len(self._text):
            return False
        before, behind = self._text[position - 1], self._text[position]
        return (before.isalnum() or before == "_") and (behind.isalnum() or behind == "_")

    def code(self, span: Span) -> str:
        return "\n".join(
            line.removesuffix("\r") for line in self.lines[span.start - 1 : span.stop - 1]
        )


def _changed_spots(text: _Squeezed, needle: str, hunks: Sequence[Hunk]) -> list[Anchor]:
    """Every place of `needle` that is on changed lines or at a gap, each once."""
    added = {number for hunk in hunks for number in hunk.added}
    gaps = {number for hunk in hunks for number in hunk.gaps}
    spots: dict[Span, Anchor] = {}
    for span in text.find(needle):
        changed = [number for number in range(span.start, span.stop) if number in added]
        if changed:
            place = Span(changed[0], changed[-1] + 1)
            spots.setdefault(place, Anchor(place, text.code(place), is_precise=True))
        for gap in range(span.start, span.stop + 1):
            if gap in gaps and not changed:
                place = Span(gap, gap)
                spots.setdefault(place, Anchor(place, text.code(span), is_precise=True))
    for hunk in hunks:
        for place, removed in _removals(hunk):
            if next(_Squeezed(removed).find(needle), None) is not None:
                code = "\n".join(line.removesuffix("\r") for line in removed)
                spots.setdefault(place, Anchor(place, code, is_precise=True))
    return list(spots.values())


def _removals(hunk: Hunk) -> Iterator[tuple[Span, list[str]]]:
    """Removed stretches, each with the lines that stand in its place now."""
    next_new = hunk.new.start
    for is_change, group in groupby(hunk.lines, lambda line: line.kind is not LineKind.CONTEXT):
        lines = list(group)
        num_new = sum(line.new_number is not None for line in lines)
        removed = [line.text for line in lines if line.kind is LineKind.REMOVED]
        first = next((line.new_number for line in lines if line.new_number is not None), next_new)
        if is_change and removed:
            yield Span(first, first + num_new), removed
        next_new = first + num_new


def _distance(span: Span, line: int) -> int:
    return max(span.start - line, line - span.last, 0)


def _somewhere(line: int, hunks: Sequence[Hunk], text: _Squeezed) -> Anchor:
    """The changed lines of the hunk at or nearest to `line`."""
    hunk = min(hunks, key=lambda hunk: _distance(hunk.new, line))
    added, gaps = hunk.added, hunk.gaps
    if added:
        place = Span(added[0], added[-1] + 1)
    else:
        first = gaps[0] if gaps else hunk.new.start
        place = Span(first, first)
    return Anchor(place, text.code(place), is_precise=False)
